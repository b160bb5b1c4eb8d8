"""Learning rates of the models that keep bands: accuracy on ESC-10, and the planted effect and its null.

    python -m benchmarks.learning_rates esc10/ [--models linear mlp] [--rates 0.0005 0.0015 0.005] [--seeds 1] [--docs]

Each rate is tried with `compare`'s default spectrograms and 20 epochs. One thread; about five minutes of processor
time.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import torch

import spectronorm as sn
from benchmarks.document import put_table
from benchmarks.planted import PAGE, compared, write_clips
from spectronorm.cli.compare_design import START
from spectronorm.experiment import Design, Results, Training, compare, labelled_clips, parse_arms, prepare
from spectronorm.experiment.answer.points import points

_HEAD = ("model", "learning rate", "ESC-10: global (%)", "band (%)", "planted: band − global", "null: band − global")


def on_recordings(source: Path, model: str, rate: float, seeds: int, cache: Path, out: Path) -> tuple[str, str]:
    """Accuracy on the recordings under global and per-band statistics, in percent."""
    training = Training(model=model, learning_rate=rate, device="cpu")
    design = Design(parse_arms("global,band", START), training, seeds)
    ready = prepare(labelled_clips(sn.open_source(source)), design, cache)
    said = compare(ready, Results(out, ready.settings())).answer
    found = {arm.arm: points(arm.mean, sign=False) for arm in said.primary.arms}
    return found["global"], found["band"]


def on_planted(table: Path, model: str, rate: float, seeds: int, out: Path) -> str:
    """Difference of the arms on planted clips in points, with the bootstrap's interval."""
    found = compared(table, model, rate, seeds, out)
    low, high = (points(end) for end in found["bootstrap"])
    return f"{points(found['difference'])} ({low} … {high})"


def main() -> None:
    """Make the table, and with `--docs` put it into the documentation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("--models", nargs="+", default=["linear", "mlp"])
    parser.add_argument("--rates", nargs="+", type=float, default=[5e-4, 1.5e-3, 5e-3])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--docs", action="store_true", help="Put the table into docs/experiment.md.")
    given = parser.parse_args()
    torch.set_num_threads(1)
    rows: list[tuple[str, ...]] = [_HEAD]
    with tempfile.TemporaryDirectory() as folder:
        tables = {}
        for name in ("planted", "null"):
            clips = Path(folder) / name
            clips.mkdir()
            tables[name] = write_clips(clips, drowned=name == "planted")
        for model in given.models:
            for rate in given.rates:
                out = [Path(folder) / f"{model}-{rate}-{part}" for part in ("recordings", *tables)]
                shares = on_recordings(given.source, model, rate, given.seeds, Path(folder), out[0])
                effects = [
                    on_planted(table, model, rate, given.seeds, into)
                    for table, into in zip(tables.values(), out[1:], strict=True)
                ]
                rows.append((f"`{model}`", f"{rate:g}", *shares, *effects))
                print(" | ".join(rows[-1]), flush=True)
    if given.docs:
        put_table(PAGE, "learning-rates", rows)


if __name__ == "__main__":
    main()
