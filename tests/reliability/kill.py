"""Kill passes at random moments and resume them: `python -m reliability.kill --kills 100` (in `tests/`).

Each trial begins a pass on a fresh output, kills it (SIGKILL) at a random moment of its run, sometimes kills the
resumed run too, lets it finish, and compares every byte below the output's folder with an uninterrupted run.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import spectronorm as sn
from spectronorm.passes import units
from spectronorm.passes.outputs import INDEX_NAME
from spectronorm.runs.lock import path_beside

from .attack import Log, finished, in_child, killed_after, run_apply, run_fit, run_images, run_invert, tree
from .conftest import write_clips

COMMANDS = {"fit": run_fit, "apply": run_apply, "images": run_images, "invert": run_invert}


@dataclass
class Score:
    """What the trials gave."""

    kills: int = 0
    different: int = 0
    redone: int = 0


def trials(
    command: Callable[[Path, Path, int], None], name: str, kills: int, seed: int, folder: Path, clips: int = 160
) -> Score:
    """Kill and resume until that many kills have hit a run at work."""
    source = write_clips(folder / "clips", clips, seconds=0.5)
    (source / "low" / "bad.wav").write_bytes(b"no audio")
    _alone(command, source, folder / "clean" / name)  # compiles kernels, so that the next one is timed as it runs
    started = time.monotonic()
    _alone(command, source, folder / "clean" / name)
    seconds = time.monotonic() - started
    clean = tree(folder / "clean")
    chance, score = random.Random(seed), Score()  # noqa: S311
    trial = 0
    while score.kills < kills:
        trial += 1
        place, log = folder / f"trial{trial}", Log(folder / f"log{trial}")

        def work(place: Path = place, log: Log = log, workers: int = 1 + trial % 2) -> None:
            log.install()
            command(source, place / name, workers)

        while killed := killed_after(in_child(work), chance.uniform(0, seconds)):
            score.kills += 1
            check_whole(place / name)
            complete = is_complete(place / name)
            if complete or chance.random() < 0.5:
                break
        # A run that was killed after its journal had gone had nothing left to do.
        assert not killed or complete or finished(in_child(work)) == 0
        whole = tree(place)
        if killed:
            # Killed between removing the journal and removing the lock: the system has let go of it, the name stays.
            whole.pop(path_beside(Path(name), "lock").name, None)
        score.different += whole != clean
        score.redone += len(log.redone())
    return score


def _alone(command: Callable[[Path, Path, int], None], source: Path, output: Path) -> None:
    assert finished(in_child(lambda: command(source, output, 1))) == 0


def is_complete(output: Path) -> bool:
    """Whether a run had nothing left to do when it was killed: images have no journal, but an index that comes last."""
    last = output / INDEX_NAME if output.name == "images" else output
    return last.exists() and not path_beside(output, "journal").exists()


def check_whole(output: Path) -> None:
    """Raise when something incomplete stands under a final name."""
    if output.is_file():
        sn.Profile.load(output)
    for path in output.rglob("*.npy"):
        np.load(path)


def main() -> None:
    """Run the trials and print their score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    units.CLIPS_IN_UNIT = 8  # many units, so that a kill finds some finished and some not
    for name, command in COMMANDS.items():
        with tempfile.TemporaryDirectory() as folder:
            print(name, trials(command, name, options.kills, options.seed, Path(folder)))  # noqa: T201


if __name__ == "__main__":
    main()
