"""Tables of the open questions' pages, from the folders of their runs.

    python -m benchmarks.question_pages NAME FOLDER

`FOLDER` is the output of the `spectronorm compare` that `docs/questions/NAME.md` quotes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scipy import stats

from benchmarks.document import put_table
from spectronorm.experiment.answer.precision import TOO_FEW_UNITS

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "docs" / "questions"


def put_run(name: str, folder: Path, page: Path | None = None) -> None:
    """Write the arms and the differences of a run into its page."""
    page = PAGES / f"{name}.md" if page is None else page
    answer = json.loads((folder / "answer.json").read_text(encoding="utf-8"))["answer"]
    put_table(page, "arms", [("arm", "accuracy (%)", "95 %", "log-loss"), *_arms(answer)], _control(answer))
    head = (
        "difference (points)",
        "mean",
        "bootstrap 95 %",
        "over folds 95 %",
        "p (Holm)",
        "word",
        "better, same, worse",
    )
    rows = [head, *map(_difference, answer["primary"]["verdicts"])]
    put_table(page, "differences", rows, f"In the command's words:\n\n{_words(answer)}")


def _words(answer: Mapping[str, Any]) -> str:
    """The command's own words as a list: what the answer rests on, each arm against the reference, the advice."""
    pairs = len(answer["primary"]["verdicts"])
    power = "Such a run calls no arm better or worse, however large the difference."
    if answer["detectable"] is None:
        power = f"The smallest difference that such a run calls better cannot be said: {TOO_FEW_UNITS}."
    elif answer["detectable"] < 1:
        power = (
            "Such a run calls an arm better four times in five if it is better by "
            f"{100 * answer['detectable']:.1f} points ({pairs} {'pair' if pairs == 1 else 'pairs'} of arms)."
        )
    return "\n".join(f"- {text}" for text in (answer["basis"][0], *answer["sentences"], power, *answer["advice"]))


def _arms(answer: Mapping[str, Any]) -> list[tuple[str, ...]]:
    losses = {row["arm"]: row["mean"] for row in answer["log_loss"]["arms"]}
    return [
        (row["arm"], f"{100 * row['mean']:.1f}", f"{_ends(row, '')}", f"{losses[row['arm']]:.3f}")
        for row in answer["primary"]["arms"]
    ]


def _difference(verdict: Mapping[str, Any]) -> tuple[str, ...]:
    found = verdict["difference"]
    chances = found["chances"]
    return (
        f"{found['first']} − {found['second']}",
        _signed(found["estimate"]),
        _ends(found["bootstrap"], "+"),
        "–" if found["spread"] is None else _spread(found["spread"]),
        f"{verdict['holm']:.2g}",
        verdict["word"],
        "–" if chances is None else ", ".join(f"{chances[key]:.2f}" for key in ("better", "same", "worse")),
    )


def _spread(spread: Mapping[str, float]) -> str:
    half = float(stats.t.isf(0.025, spread["df"])) * spread["scale"]
    return _ends({"low": spread["location"] - half, "high": spread["location"] + half}, "+")


def _control(answer: Mapping[str, Any]) -> str:
    control = answer["control"]
    if control is None:
        return ""
    return f"The A/A control gives {_signed(control['estimate'])} points ({_ends(control['bootstrap'], '+')})."


def _ends(interval: Mapping[str, float], sign: str) -> str:
    return " … ".join(f"{100 * interval[end]:{sign}.1f}".replace("-", "−") for end in ("low", "high"))


def _signed(share: float) -> str:
    return f"{100 * share:+.1f}".replace("-", "−")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    put_run(given.name, given.folder)


if __name__ == "__main__":
    main()
