"""A pass that is stopped by anything ends, when it is run again, as if nothing had happened."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

import spectronorm as sn
from spectronorm.passes.measure import MeasureTask
from spectronorm.runs.lock import output_lock, path_beside
from spectronorm.runs.resume import Guarded

from .attack import FRONT_END, finished, in_child, run_apply, run_fit, tree
from .bad_inputs import tone
from .conftest import write_clips
from .kill import COMMANDS, trials


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The clips whose units are really measured, as they are."""
    names: list[str] = []
    work = MeasureTask.__call__

    def logged(task: MeasureTask, unit: object) -> object:
        names.extend(clip.name for clip in unit.clips)  # type: ignore[attr-defined]
        return work(task, unit)  # type: ignore[arg-type]

    monkeypatch.setattr(MeasureTask, "__call__", logged)
    return names


class Stop(Exception):
    """Raised in the middle of a pass."""


def stopped_fit(source: Path, output: Path, after: int = 20, front_end: sn.FrontEnd = FRONT_END) -> None:
    """A pass that ends with an error once that many clips are done."""

    def progress(done: int, total: int) -> None:
        assert total > after
        if done >= after:
            raise Stop

    with pytest.raises(Stop):
        sn.fit(
            source, front_end, output=output, engine=sn.engines.ThreadEngine(1), group_by=["label"], progress=progress
        )


@pytest.mark.parametrize(("name", "command"), COMMANDS.items())
def test_killed_at_random_moments_it_resumes_to_the_same_bytes(
    name: str, command: Callable[[Path, Path, int], None], tmp_path: Path
) -> None:
    """SIGKILL in the middle of a pass: nothing torn, nothing finished done again, the same bytes in the end."""
    score = trials(command, name, 5, seed=11, folder=tmp_path, clips=80 if name == "fit" else 32)
    assert score.kills >= 5
    assert (score.different, score.redone) == (0, 0)


def test_a_resumed_pass_measures_only_the_rest(clips: Path, tmp_path: Path, measured: list[str]) -> None:
    """What the first run finished is not measured again, and the profile is that of one run."""
    stopped_fit(clips, tmp_path / "out")
    first = set(measured)
    measured.clear()
    run_fit(clips, tmp_path / "out")
    assert measured
    assert set(measured).isdisjoint(first)
    assert len(first) + len(measured) == 40
    run_fit(clips, tmp_path / "clean")
    assert (tmp_path / "out").read_bytes() == (tmp_path / "clean").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clean", "clips", "out"]


def test_workers_and_engine_change_no_byte(clips: Path, tmp_path: Path) -> None:
    """One worker or three, with a journal or without."""
    for workers in (1, 3):
        run_fit(clips, tmp_path / f"out{workers}", workers)
    sn.fit(clips, FRONT_END, group_by=["label"]).save(tmp_path / "plain")
    assert len({(tmp_path / name).read_bytes() for name in ("out1", "out3", "plain")}) == 1


def test_a_changed_file_is_measured_again_although_its_times_are_not(
    clips: Path, tmp_path: Path, measured: list[str]
) -> None:
    """Identity is content: same name, same size, same mtime, other sound."""
    stopped_fit(clips, tmp_path / "out", after=32)
    path = clips / "high" / "000.wav"
    before = path.stat()
    samples, rate = soundfile.read(path, dtype="int16")
    soundfile.write(path, samples[::-1], rate, subtype="PCM_16")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    measured.clear()
    run_fit(clips, tmp_path / "out")
    assert "high/000.wav" in measured
    run_fit(clips, tmp_path / "clean")
    assert (tmp_path / "out").read_bytes() == (tmp_path / "clean").read_bytes()


def test_touched_and_moved_files_are_not_measured_again(clips: Path, tmp_path: Path, measured: list[str]) -> None:
    """Content is identity: another mtime, another folder, the same sounds."""
    stopped_fit(clips, tmp_path / "out", after=32)
    finished_before = set(measured)
    moved = clips.rename(tmp_path / "moved")
    for path in moved.rglob("*.wav"):
        os.utime(path)
    measured.clear()
    run_fit(moved, tmp_path / "out")
    assert set(measured).isdisjoint(finished_before)


def test_a_mended_file_is_measured(clips: Path, tmp_path: Path, measured: list[str]) -> None:
    """A pass that failed on bad files goes on when they are mended, and measures only their units."""
    good = (clips / "low" / "001.wav").read_bytes()
    (clips / "low" / "001.wav").write_bytes(b"no audio")
    with pytest.raises(sn.errors.TooManyBad):
        sn.fit(clips, FRONT_END, output=tmp_path / "out", group_by=["label"], max_bad=0)
    assert len(measured) == 40
    (clips / "low" / "001.wav").write_bytes(good)
    measured.clear()
    sn.fit(clips, FRONT_END, output=tmp_path / "out", group_by=["label"], max_bad=0)
    assert "low/001.wav" in measured
    assert len(measured) <= 8


@pytest.mark.parametrize(
    "changed",
    [
        {"front_end": sn.FrontEnd(sample_rate=8_000, stft=sn.STFT(n_fft=256), bands=sn.Mel(21))},
        {"duration": 0.2},
        {"source": "skip_flat"},
    ],
)
def test_changed_settings_reuse_nothing(
    changed: dict[str, object], clips: Path, tmp_path: Path, measured: list[str]
) -> None:
    """Another front end, duration or way of reading makes new work."""
    stopped_fit(clips, tmp_path / "out", after=32)
    measured.clear()
    source = sn.open_source(clips, sn.audio.Reader(skip_flat=True)) if "source" in changed else clips
    front_end = changed.get("front_end", FRONT_END)
    sn.fit(source, front_end, output=tmp_path / "out", group_by=["label"], duration=changed.get("duration"))  # type: ignore[arg-type]
    assert len(measured) == 40


def test_an_output_that_was_tampered_with_is_written_again(clips: Path, tmp_path: Path) -> None:
    """Apply trusts its journal only as far as the files are what it wrote."""

    def stop(done: int, total: int) -> None:
        if done >= 30:
            raise Stop

    pipeline = sn.Pipeline(FRONT_END, sn.Standardize().fit(sn.fit(clips, FRONT_END)))
    sn.apply(clips, pipeline, tmp_path / "clean")
    with pytest.raises(Stop):
        sn.apply(clips, pipeline, tmp_path / "out", engine=sn.engines.ThreadEngine(1), progress=stop)
    assert not (tmp_path / "out" / "index.csv").exists()
    (tmp_path / "out" / "high" / "000.npy").write_bytes(b"tampered")
    (tmp_path / "out" / "high" / "002.npy").unlink()
    sn.apply(clips, pipeline, tmp_path / "out")
    assert tree(tmp_path / "out") == tree(tmp_path / "clean")


def test_two_runs_on_one_output(clips: Path, tmp_path: Path) -> None:
    """The second fails at once and leaves the first one's journal alone."""
    stopped_fit(clips, tmp_path / "out")
    journal = path_beside(tmp_path / "out", "journal").read_bytes()
    with output_lock(tmp_path / "out"), pytest.raises(sn.errors.OutputBusy, match="another run"):
        run_fit(clips, tmp_path / "out")
    assert path_beside(tmp_path / "out", "journal").read_bytes() == journal


@pytest.mark.parametrize("last", ["index.csv", "pipeline.safetensors", "levels.json"])
def test_stopped_between_any_two_of_its_last_files_it_resumes(
    last: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run of `apply` that ends behind its index and before its pipeline: the next run takes both for its own."""
    source = write_clips(tmp_path / "clips", 12)
    run_apply(source, tmp_path / "clean" / "out")
    replace = Path.replace

    def stops(path: Path, target: Path) -> Path:
        done = replace(path, target)
        if target.name == last:
            raise Stop
        return done

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", stops)
        with pytest.raises(Stop):
            run_apply(source, tmp_path / "place" / "out")
    run_apply(source, tmp_path / "place" / "out")
    assert tree(tmp_path / "place") == tree(tmp_path / "clean")


@pytest.mark.parametrize("share", [0.01, 0.3, 0.7, 0.99])
def test_a_full_disk_ends_the_pass_and_leaves_nothing_half(share: float, clips: Path, tmp_path: Path) -> None:
    """Writing fails at some size: an error, no output, and a resume that ends like an uninterrupted run."""

    def on_a_small_disk() -> None:
        limit = int(share * (tmp_path / "clean").stat().st_size)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        os.close(2)
        run_fit(clips, tmp_path / "out")

    run_fit(clips, tmp_path / "clean")  # compiled kernels may be cached on disk: not under the limit
    assert finished(in_child(on_a_small_disk)) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out.journal", "clean", "clips"]
    run_fit(clips, tmp_path / "out")
    assert tree(tmp_path) == tree(tmp_path) | {"out": (tmp_path / "clean").read_bytes()}


def test_ctrl_c_stops_the_command_line_and_the_same_command_goes_on(tmp_path: Path) -> None:
    """SIGINT: exit code 130, no output, no temporary file; then the same command completes it."""
    write_clips(tmp_path / "clips", 400, seconds=0.2)
    fit = ["fit", str(tmp_path / "clips"), "-o", str(tmp_path / "out"), "--workers", "2"]
    command = [sys.executable, "-c", "from spectronorm.cli import main; main()", *fit]
    # Each clip takes 20 ms at least, so that the signal comes before the end on any machine.
    slow = (
        # Programs that a shell starts in the background ignore Ctrl-C, and so does all that they start.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "import time; from spectronorm.profile import LevelCounter; add = LevelCounter.add; "
        "LevelCounter.add = lambda *a, **k: (time.sleep(0.02), add(*a, **k))[1]; "
    )
    slowly = [sys.executable, "-c", slow + "from spectronorm.cli import main; main()", *fit]
    journal = path_beside(tmp_path / "out", "journal")
    with subprocess.Popen(slowly, stderr=subprocess.PIPE, text=True) as running:
        deadline = time.monotonic() + 60
        while (not journal.exists() or journal.stat().st_size < 10_000) and time.monotonic() < deadline:
            time.sleep(0.005)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
    assert running.returncode == 130, said
    assert "stopped" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out.journal", "clips"]
    subprocess.run(command, check=True, capture_output=True)
    (tmp_path / "clean").mkdir()
    subprocess.run([*command[:-3], str(tmp_path / "clean" / "out"), *command[-2:]], check=True, capture_output=True)
    assert (tmp_path / "out").read_bytes() == (tmp_path / "clean" / "out").read_bytes()


class _OddEngine:
    """Runs in reverse, and lets one unit fail the first time, as a lost worker would."""

    workers = 1

    def __init__(self) -> None:
        self.lost = False

    def map(self, task: Callable[[object], object], items: list[object]) -> object:
        for number, item in enumerate(reversed(items)):
            if number == 2 and not self.lost and isinstance(task, Guarded):
                self.lost = True
                raise Stop
            yield task(item)


def test_a_lost_worker_loses_no_finished_work(clips: Path, tmp_path: Path, measured: list[str]) -> None:
    """Another engine, another order, a failure: what was finished stays, the bytes are the same."""
    engine = _OddEngine()
    with pytest.raises(Stop):
        sn.fit(clips, FRONT_END, output=tmp_path / "out", group_by=["label"], engine=engine)  # type: ignore[arg-type]
    finished_before = len(measured)
    assert 0 < finished_before < 40
    measured.clear()
    sn.fit(clips, FRONT_END, output=tmp_path / "out", group_by=["label"], engine=engine)  # type: ignore[arg-type]
    assert len(measured) == 40 - finished_before
    run_fit(clips, tmp_path / "clean")
    assert (tmp_path / "out").read_bytes() == (tmp_path / "clean").read_bytes()


@pytest.mark.parametrize(("suffix", "decoder"), [("wav", "read_plain_wav"), ("flac", "decode_descriptor")])
def test_a_file_that_changes_while_it_is_read_is_read_again(
    suffix: str, decoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clip is one state of the file, never a mixture; one that never holds still is refused."""
    path = tmp_path / f"clip.{suffix}"
    soundfile.write(path, tone(seed=1), 16_000)
    changes = [2, 3]
    reading = sys.modules["spectronorm.audio.decoding.decoded"]
    decode = getattr(reading, decoder)

    def decode_and_change(*args: object, **settings: object) -> object:
        samples = decode(*args, **settings)
        if changes:
            time.sleep(0.02)  # a file system's clock is coarse
            soundfile.write(path, tone(seed=changes.pop(0)), 16_000)
        return samples

    monkeypatch.setattr(reading, decoder, decode_and_change)
    clip = sn.audio.read_clip(path, 16_000)
    assert not changes
    np.testing.assert_array_equal(clip.samples, soundfile.read(path, dtype="float32")[0])
    changes.extend([4, 5, 6])
    with pytest.raises(sn.errors.AudioError, match="changing"):
        sn.audio.read_clip(path, 16_000)


def test_an_output_that_is_a_folder_is_refused_before_the_pass(
    clips: Path, tmp_path: Path, measured: list[str]
) -> None:
    """Hours of work are not lost to a wrong name."""
    with pytest.raises(sn.errors.ArgumentError, match="is a folder"):
        sn.fit(clips, FRONT_END, output=tmp_path)
    assert measured == []


def test_many_threads_of_one_process_cannot_share_an_output(clips: Path, tmp_path: Path) -> None:
    """Eight at once: one profile, whole, and seven clear errors or later successes."""
    outcomes: list[str] = []

    def fit() -> None:
        try:
            run_fit(clips, tmp_path / "out")
            outcomes.append("done")
        except sn.errors.OutputBusy:
            outcomes.append("busy")

    threads = [threading.Thread(target=fit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 8
    assert "done" in outcomes
    run_fit(clips, tmp_path / "clean")
    assert (tmp_path / "out").read_bytes() == (tmp_path / "clean").read_bytes()
