"""Tables of several trainings of one SpecGAN, from what `spectronorm gan score MODEL... --json` printed.

spectronorm gan score digits-0 digits-1 digits-2 -n 100 --splits 3 --epochs 6 --json > score.json
python -m benchmarks.gan_trainings score.json
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.document import put_table

PAGE = Path(__file__).parent.parent / "docs" / "specgan.md"
FIGURES = (
    ("inception", "Inception", 2),
    ("frechet_train", "Fréchet, train", 1),
    ("frechet_test", "Fréchet, test", 1),
    ("accuracy", "as asked", 3),
    ("effective_classes", "classes", 2),
    ("copy_distance", "moved", 2),
    ("copies", "copies, z", 1),
    ("nearer", "nearer", 2),
)


def score_rows(seeds: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """One row for each set: mean ± standard deviation (ddof = 1) over seeds, and the word that all seeds agree on."""
    rows: list[tuple[str, ...]] = [("", *(title for _, title, _ in FIGURES), "copied")]
    for number, first in enumerate(seeds[0]["rows"]):
        found = [seed["rows"][number] for seed in seeds]
        words = sorted({row["copied"] for row in found})
        cells = (_cell([row[key] for row in found], places) for key, _, places in FIGURES)
        rows.append((first["name"], *cells, (words[0] or "–") if len(words) == 1 else "unresolved"))
    return rows


def taught_rows(taught: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """One row for each set that taught networks: accuracy, and the difference from real clips with both intervals."""
    rows: list[tuple[str, ...]] = [
        ("taught by", "accuracy (%)", "95 %", "minus real (points)", "over clips 95 %", "over trainings 95 %", "word")
    ]
    for one in taught:
        compared = "word" in one
        rows.append(
            (
                one["name"],
                f"{100 * one['accuracy']:.1f}",
                _ends(one["interval"], ""),
                f"{100 * one['difference']:+.1f}".replace("-", "−") if compared else "–",
                _ends(one["bootstrap"], "+") if compared else "–",
                _ends(one["over_seeds"], "+") if compared and one["over_seeds"] else "–",
                one["word"] if compared else "–",
            )
        )
    return rows


def _cell(values: Sequence[float | None], places: int) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "–"
    spread = f" ± {np.std(known, ddof=1):.{places}f}" if len(known) > 1 else ""
    return f"{np.mean(known):.{places}f}{spread}".replace("-", "−")


def _ends(ends: Sequence[float], sign: str) -> str:
    return " … ".join(f"{100 * end:{sign}.1f}".replace("-", "−") for end in ends)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("score", type=Path)
    told = json.loads(parser.parse_args().score.read_text(encoding="utf-8"))
    put_table(PAGE, "trainings", score_rows(told["seeds"]))
    put_table(PAGE, "taught", taught_rows(told["taught"]))


if __name__ == "__main__":
    main()
