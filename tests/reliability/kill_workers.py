"""Kill workers of a pass at random moments: `python -m reliability.kill_workers --kills 100` (in `tests/`).

Each run measures a data set with the engine `processes` in a process of its own, whose workers are killed (SIGKILL) one
after the other: at random moments, and every other time while a worker writes its answer. A run may end with the
sentence that names memory, since an item may be hit three times; it is then begun again and resumes. Every pause is
measured: the longest time from a kill until another clip is done, or the run has ended. With `--megabytes 300` the runs
are in a memory control group of that size (root, Linux), which kills workers by itself too.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import spectronorm as sn

from .conftest import write_clips

FRONT_END = sn.FrontEnd(8_000, stft=sn.STFT(n_fft=512), bands=sn.Mel(128))
"""Its answers are longer than a pipe holds."""
MOST_SECONDS = 20.0
_GROUPS = Path("/sys/fs/cgroup")
_RUN = """
import sys, time
import spectronorm as sn
from spectronorm.passes import units
from pathlib import Path
source, output, progress, front_end, workers = sys.argv[1:]
units.CLIPS_IN_UNIT = 4
def told(done, total):
    with open(progress, "a") as file:
        file.write(f"{time.monotonic()} {done}\\n")
engine = sn.engines.ProcessEngine(int(workers))
try:
    sn.fit(source, sn.FrontEnd.from_json(front_end), output=output, engine=engine, progress=told)
except sn.errors.EngineError as error:
    sys.exit(f"spectronorm: {error}")
"""


@dataclass
class Score:
    """Outcome of the runs.

    Attributes:
        kills: Workers that were killed here.
        in_answer: Those of them that were writing an answer.
        runs: Runs that were begun.
        named: Runs that ended with the sentence that names memory.
        longest: Longest pause in seconds.
        different: Results whose bytes differ from those of an undisturbed run.
    """

    kills: int = 0
    in_answer: int = 0
    runs: int = 0
    named: int = 0
    longest: float = 0.0
    different: int = 0


@contextmanager
def memory_group(megabytes: int | None) -> Iterator[Path | None]:
    """A memory control group of this size, or none; raises `OSError` where none can be made."""
    if megabytes is None:
        yield None
        return
    first = (_GROUPS / "memory").is_dir()
    group = (_GROUPS / "memory" if first else _GROUPS) / f"spectronorm-kills-{os.getpid()}"
    group.mkdir()
    try:
        limit = group / ("memory.limit_in_bytes" if first else "memory.max")
        limit.write_text(str(megabytes << 20))
        yield group
    finally:
        for _ in range(100):
            try:
                group.rmdir()
                break
            except OSError:
                time.sleep(0.1)


def workers_of(process: int) -> list[int]:
    """Process ids of the running workers of a pool."""
    found = []
    try:
        tasks = list(Path(f"/proc/{process}/task").iterdir())
        children = [child for task in tasks for child in (task / "children").read_text().split()]
        found = [int(child) for child in children if b"popen_loky" in Path(f"/proc/{child}/cmdline").read_bytes()]
    except OSError:
        pass
    return found


def is_writing(process: int) -> bool:
    """Tell if a process waits in a write to a pipe."""
    try:
        return "pipe_write" in Path(f"/proc/{process}/wchan").read_text()
    except OSError:
        return False


def begun(source: Path, output: Path, progress: Path, group: Path | None, workers: int) -> subprocess.Popen[str]:
    """A run in a process of its own, in a control group."""
    command = [sys.executable, "-c", _RUN, str(source), str(output), str(progress), FRONT_END.to_json(), str(workers)]

    def join() -> None:
        if group is not None:
            (group / "cgroup.procs").write_text(str(os.getpid()))

    return subprocess.Popen(command, preexec_fn=join, stderr=subprocess.PIPE, text=True)  # noqa: PLW1509


def last_progress(progress: Path) -> float:
    """The moment of the last clip that was done, or 0."""
    lines = progress.read_text().splitlines() if progress.exists() else []
    return float(lines[-1].split()[0]) if lines else 0.0


def trials(kills: int, seed: int, folder: Path, *, clips: int = 200, megabytes: int | None = None) -> Score:
    """Kill that many workers, over as many runs as it takes, and compare every result."""
    source = write_clips(folder / "clips", clips, seconds=0.5)
    chance, score = random.Random(seed), Score()  # noqa: S311
    clean = folder / "clean"
    with begun(source, clean, folder / "progress", None, 2) as run:
        assert run.wait() == 0, run.stderr
    with memory_group(megabytes) as group:
        while score.kills < kills:
            output = folder / f"out{score.runs}"
            while not _one_run(source, output, folder / f"progress{score.runs}", group, kills, chance, score):
                pass
            score.different += output.read_bytes() != clean.read_bytes()
    return score


def _one_run(
    source: Path, output: Path, progress: Path, group: Path | None, kills: int, chance: random.Random, score: Score
) -> bool:
    """Begin or resume a run and kill its workers; returns true if it has ended well."""
    run = begun(source, output, progress, group, 2)
    score.runs += 1
    waiting = 0.0  # moment of the last kill after which nothing was done yet
    again = time.monotonic() + chance.uniform(0.5, 3)
    in_answer = chance.random() < 0.5
    while run.poll() is None:
        now, seen = time.monotonic(), last_progress(progress)
        if waiting:
            score.longest = max(score.longest, (seen if seen > waiting else now) - waiting)
            waiting = 0.0 if seen > waiting else waiting
            if now - waiting > 10 * MOST_SECONDS and waiting:
                run.kill()
                raise AssertionError("the run waits without end")
        workers = workers_of(run.pid) if score.kills < kills and not waiting and now >= again else []
        chosen = [worker for worker in workers if is_writing(worker) or not in_answer or now > again + 2]
        if chosen:
            victim = chance.choice(chosen)
            score.in_answer += is_writing(victim)
            os.kill(victim, signal.SIGKILL)
            score.kills += 1
            waiting, again, in_answer = now, now + chance.uniform(0.05, 1.0), chance.random() < 0.5
        time.sleep(0.002)
    if waiting:
        score.longest = max(score.longest, time.monotonic() - waiting)
    assert run.stderr is not None
    text = run.stderr.read()
    if run.returncode:
        assert "memory" in text, text
        assert text.count("\n") == 1, text
        score.named += 1
    return run.returncode == 0


def main() -> None:
    """Run the trials and print their score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--clips", type=int, default=2000)
    parser.add_argument("--megabytes", type=int)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        score = trials(options.kills, options.seed, Path(folder), clips=options.clips, megabytes=options.megabytes)
    print(score)  # noqa: T201
    sys.exit(int(score.longest > MOST_SECONDS or score.different > 0))


if __name__ == "__main__":
    main()
