"""Accuracy of the models that keep bands on ESC-10, for several learning rates.

    python -m benchmarks.learning_rates esc10/ [--models linear mlp] [--rates 0.0005 0.0015 0.005] [--seeds 1] [--docs]

`compare`'s default spectrograms and 20 epochs. One thread; a model takes about a second of processor time, the
spectrograms half a minute.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import torch

import spectronorm as sn
from benchmarks.document import put_table
from benchmarks.planted import PAGE
from spectronorm.cli.compare_design import START
from spectronorm.experiment import Design, Results, Training, compare, labelled_clips, parse_arms, prepare
from spectronorm.experiment.answer.points import points

_HEAD = ("model", "learning rate", "global (%)", "band (%)")


def measured(source: Path, model: str, rate: float, seeds: int, cache: Path, out: Path) -> tuple[str, str]:
    """Accuracy under global and per-band statistics, in percent.

    Args:
        source: The recordings.
        model: Name of the model.
        rate: Highest learning rate.
        seeds: Number of seeds for each fold.
        cache: Folder for decoded clips, which all models share.
        out: Folder for the results.
    """
    training = Training(model=model, learning_rate=rate, device="cpu")
    design = Design(parse_arms("global,band", START), training, seeds)
    ready = prepare(labelled_clips(sn.open_source(source)), design, cache)
    said = compare(ready, Results(out, ready.settings())).answer
    found = {arm.arm: points(arm.mean, sign=False) for arm in said.primary.arms}
    return found["global"], found["band"]


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
        for model in given.models:
            for rate in given.rates:
                out = Path(folder) / f"{model}-{rate}"
                shares = measured(given.source, model, rate, given.seeds, Path(folder), out)
                rows.append((f"`{model}`", f"{rate:g}", *shares))
                print(" | ".join(rows[-1]), flush=True)
    if given.docs:
        put_table(PAGE, "learning-rates", rows)


if __name__ == "__main__":
    main()
