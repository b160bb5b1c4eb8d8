"""A pass in a process of its own that can be killed, and that logs what it measured and what it wrote down."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import spectronorm as sn
from spectronorm.passes.images import export_images
from spectronorm.runs import resume
from spectronorm.runs.journal import Journal

FRONT_END = sn.FrontEnd(sample_rate=8_000, stft=sn.STFT(n_fft=256), bands=sn.Mel(20))


def run_fit(source: Path, output: Path, workers: int = 1) -> None:
    """Measure `source` into `output`."""
    sn.fit(source, FRONT_END, output=output, engine=sn.engines.ThreadEngine(workers), group_by=["label"], max_bad=0.5)


def run_apply(source: Path, folder: Path, workers: int = 1) -> None:
    """Write the spectrograms of `source` into `folder`."""
    profile = sn.fit(source, FRONT_END, engine=sn.engines.ThreadEngine(workers), max_bad=0.5)
    pipeline = sn.Pipeline(FRONT_END, sn.Standardize().fit(profile))
    sn.apply(source, pipeline, folder, engine=sn.engines.ThreadEngine(workers), max_bad=0.5)


def run_images(source: Path, folder: Path, workers: int = 1) -> None:
    """Write the images of `source` into `folder`."""
    codec = sn.images.ImageCodec(FRONT_END, sn.images.LevelRange.fixed_db(FRONT_END, -80.0, 20.0))
    export_images(source, codec, folder, engine=sn.engines.ThreadEngine(workers), max_bad=0.5)


def run_invert(source: Path, folder: Path, workers: int = 1) -> None:
    """Write the sounds of levels of `source`, which are made beside it first, into `folder`."""
    levels = source.parent / "levels"
    if not levels.exists():
        levels.mkdir()
        for path in sorted(source.rglob("*.wav")):
            try:
                np.save(levels / f"{path.parent.name}-{path.stem}.npy", FRONT_END(sn.read(path, 8_000)))
            except sn.errors.AudioError:
                (levels / f"{path.stem}.npy").write_bytes(b"no array")
    options = sn.sounds.InversionOptions(quality="fast", front_end=FRONT_END)
    sn.sounds.export(levels, folder, options, engine=sn.engines.ThreadEngine(workers), max_bad=0.5)


class Log:
    """Which work was begun and which was written down, over all runs on one output."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def install(self) -> None:
        """Log from this process on; a line is one write, so a kill cannot tear it."""
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        put, work = Journal.put, resume._worked

        def logged_put(journal: Journal, key: bytes, payload: bytes) -> None:
            put(journal, key, payload)
            os.write(descriptor, f"put {key.hex()}\n".encode())

        def logged_work(task: object, item: object) -> object:
            key = task.key(item)  # type: ignore[attr-defined]
            os.write(descriptor, f"work {key.hex()}\n".encode())
            return work(task, item)  # type: ignore[arg-type]

        Journal.put = logged_put  # type: ignore[method-assign]
        resume._worked = logged_work  # type: ignore[assignment]

    def redone(self) -> list[str]:
        """Work that was begun after it had been written down."""
        done: set[str] = set()
        again = []
        for line in self.path.read_text().splitlines() if self.path.exists() else []:
            what, key = line.split()
            if what == "put":
                done.add(key)
            elif key in done:
                again.append(key)
        return again


def in_child(work: Callable[[], None]) -> int:
    """Begin `work` in a forked process, quietly; gives its process number."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return child


def finished(child: int) -> int:
    """Wait for a child; gives its exit code, negative for a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed_after(child: int, seconds: float) -> bool:
    """Kill -9 after this time; whether it was still at work. A child that was done must have succeeded."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            break
        time.sleep(min(0.002, max(0.0, deadline - time.monotonic())))
    os.kill(child, signal.SIGKILL)
    status = finished(child)
    assert status in (0, -signal.SIGKILL)
    return status != 0


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below `folder` by relative name, hidden ones included."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
