"""One contract, run over every engine: the bytes are those of one thread."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import spectronorm as sn
from spectronorm.errors import EngineError
from spectronorm.images import ImageCodec, LevelRange
from spectronorm.passes import measure, units

from .conftest import FRONT_END, tree

MAX_BAD = 0.1


@pytest.fixture(params=["threads", "processes", "auto", "dask"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> object:
    """Each engine, with two workers."""
    if request.param == "dask":
        return request.getfixturevalue("dask")
    monkeypatch.setattr("spectronorm.engines.auto.WORTH_SECONDS", -1.0)
    return {"threads": sn.engines.ThreadEngine, "processes": sn.engines.ProcessEngine, "auto": sn.engines.AutoEngine}[
        request.param
    ](2)


def test_fit_gives_the_bytes_of_one_thread(engine: object, clips: Path, tmp_path: Path) -> None:
    """Profiles with a journal and without, bad files included."""
    one = sn.engines.ThreadEngine(1)
    sn.fit(clips, FRONT_END, group_by=["label"], max_bad=MAX_BAD, engine=one, output=tmp_path / "one")
    sn.fit(clips, FRONT_END, group_by=["label"], max_bad=MAX_BAD, engine=engine, output=tmp_path / "out")  # type: ignore[arg-type]
    sn.fit(clips, FRONT_END, group_by=["label"], max_bad=MAX_BAD, engine=engine).save(tmp_path / "plain")  # type: ignore[arg-type]
    assert len({(tmp_path / name).read_bytes() for name in ("one", "out", "plain")}) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clips", "one", "out", "plain"]


def test_apply_and_images_give_the_files_of_one_thread(engine: object, clips: Path, tmp_path: Path) -> None:
    """Every spectrogram, every image, both indexes; nothing hidden is left."""
    profile = sn.fit(clips, FRONT_END, max_bad=MAX_BAD, engine=sn.engines.ThreadEngine(1))
    pipeline = sn.Pipeline(FRONT_END, sn.Standardize(per="band").fit(profile))
    codec = ImageCodec(FRONT_END, LevelRange.extremes(profile))
    for name, used in (("one", sn.engines.ThreadEngine(1)), ("out", engine)):
        sn.apply(clips, pipeline, tmp_path / name / "npy", max_bad=MAX_BAD, engine=used)  # type: ignore[arg-type]
        sn.images.export(clips, codec, tmp_path / name / "png", max_bad=MAX_BAD, engine=used)  # type: ignore[arg-type]
    found = tree(tmp_path / "out")
    assert len(found) == 60 + 60 + 4
    assert found == tree(tmp_path / "one")


def test_units_that_are_added_up_before_they_travel_are_the_same(clips: Path) -> None:
    """What a batch's results come to on a worker: one a group, with every clip, bad file and stamp."""
    source = sn.open_source(clips)
    task = measure.MeasureTask(FRONT_END, None, source.reader, with_stamps=True)
    parts = units.units(units.by_group(source, ["label"]))
    results = [task(unit) for unit in parts]
    merged = task.merge(results)
    assert len(merged) == 2 < len(results)
    assert sum(one.clips for one in merged) == 61
    for one in merged:
        some = [result for result in results if result.key == one.key]
        assert one.measurement == measure.Measurement.sum(r.measurement for r in some if r.measurement is not None)
        assert one.stamps == tuple(stamp for result in some for stamp in result.stamps)
        assert one.bad == tuple(bad for result in some for bad in result.bad)


@pytest.mark.parametrize("count", [1, 5, 48, 400, 5000])
def test_units_hold_each_clip_once_and_the_last_are_small(
    count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that workers end together; a source gives the same units each time."""
    monkeypatch.setattr(units, "CLIPS_IN_UNIT", 48)
    clips = [sn.audio.ClipReference(f"{i}.wav", tmp_path / f"{i}.wav") for i in range(count)]
    found = units.units({(): clips})
    assert sorted(clip.name for unit in found for clip in unit.clips) == sorted(clip.name for clip in clips)
    assert max(len(unit.clips) for unit in found) <= 48
    assert min(len(unit.clips) for unit in found) >= 1
    if count >= 400:
        assert all(len(unit.clips) <= 6 for unit in found[-8:])
    assert units.units({(): clips}) == found


def test_an_error_in_the_work_comes_back_as_it_is(engine: object, clips: Path) -> None:
    """A pass that fails says the same wherever it ran."""
    with pytest.raises(sn.errors.TooManyBad, match=r"none\.wav: unreadable"):
        sn.fit(clips, FRONT_END, max_bad=0.0, engine=engine)  # type: ignore[arg-type]
    for error in (sn.errors.MissingExtra("Reading", "remote"), sn.errors.ArgumentError("x=1 must be 2")):
        with pytest.raises(type(error)) as caught:
            list(engine.map(Raise(error), [0]))  # type: ignore[attr-defined]
        assert str(caught.value) == str(error)


def test_every_item_is_done_once_whatever_their_number(engine: object) -> None:
    """Of nothing, of one, of many: each result comes once."""
    for count in (0, 1, 2, 301):
        assert sorted(engine.map(square, range(count))) == [i * i for i in range(count)]  # type: ignore[attr-defined]


def test_a_run_that_is_left_early_can_be_followed_by_another(engine: object) -> None:
    """Nobody is obliged to take all results."""
    results = engine.map(square, range(100))  # type: ignore[attr-defined]
    next(results)
    results.close()
    assert sorted(engine.map(square, range(5))) == [0, 1, 4, 9, 16]  # type: ignore[attr-defined]


def test_untrusted_files_are_decoded_in_limited_processes_of_every_worker(engine: object, clips: Path) -> None:
    """`--untrusted` works wherever the work runs."""
    reader = sn.audio.Reader(sn.audio.Limits())
    limited = sn.fit(sn.open_source(clips, reader), FRONT_END, max_bad=MAX_BAD, engine=engine)  # type: ignore[arg-type]
    assert limited == sn.fit(clips, FRONT_END, max_bad=MAX_BAD, engine=sn.engines.ThreadEngine(1))


@pytest.mark.parametrize("kind", [sn.engines.ThreadEngine, sn.engines.ProcessEngine, sn.engines.AutoEngine])
def test_no_workers_are_refused(kind: type) -> None:
    """At least one must work."""
    with pytest.raises(sn.errors.ArgumentError, match="workers=0"):
        kind(0)


def test_an_item_that_ends_its_process_every_time_is_an_error(tmp_path: Path) -> None:
    """The other items are done, and the run says what to do."""
    done = []
    with pytest.raises(EngineError, match="--untrusted"):
        done.extend(sn.engines.ProcessEngine(2).map(DieAt(50, tmp_path / "never"), range(60)))
    kept = []
    for result in sn.engines.ProcessEngine(2).map(DieAt(50, tmp_path / "once"), range(60)):
        kept.append(result)  # noqa: PERF402
    assert sorted(kept) == list(range(60))


def test_threads_hand_over_to_processes_when_much_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A short run stays in this process, a long one goes on in others; each item is done once."""
    short = list(sn.engines.AutoEngine(2).map(slow_process_number, range(20)))
    assert {process for _, process in short} == {os.getpid()}
    monkeypatch.setattr("spectronorm.engines.auto.WORTH_SECONDS", 1.0)
    monkeypatch.setattr("spectronorm.engines.auto._AS_FAST", 0.0)
    long = list(sn.engines.AutoEngine(2).map(slow_process_number, range(600)))
    assert sorted(item for item, _ in long) == list(range(600))
    assert long[0][1] == os.getpid()
    assert long[-1][1] != os.getpid()
    unpicklable = list(sn.engines.AutoEngine(2).map(lambda item: slow_process_number(item)[1], range(300)))
    assert set(unpicklable) == {os.getpid()}


def test_processes_need_no_guard_and_end_with_their_parent(tmp_path: Path) -> None:
    """A script without `if __name__` runs once, and no process outlives a parent that is killed."""
    script = tmp_path / "script.py"
    script.write_text(
        "import math, os, signal, time\nimport spectronorm as sn\n"
        "found = sn.engines.ProcessEngine(1).map(math.sqrt, [4.0])\nprint(next(found))\n"
        "from tests.engines.test_engines import slow_process_number\n"
        "results = sn.engines.ProcessEngine(1).map(slow_process_number, range(100_000))\n"
        "print(next(results)[1], flush=True)\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    run = subprocess.run([sys.executable, script], env=environment, capture_output=True, check=False)
    root, process = run.stdout.decode().splitlines()
    assert float(root) == 2.0
    assert run.returncode == -signal.SIGKILL
    for _ in range(200):
        if not Path(f"/proc/{process}").exists():
            return
        time.sleep(0.1)
    raise AssertionError(f"{process} outlived its parent")


class Raise:
    """A task that raises."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __call__(self, _: object) -> None:
        raise self.error


class DieAt:
    """A task that kills its process at one item: every time, or once when the file's name says so."""

    def __init__(self, item: int, mark: Path) -> None:
        self.item, self.mark = item, mark

    def __call__(self, item: int) -> int:
        if item == self.item and not self.mark.exists():
            if self.mark.name == "once":
                self.mark.write_bytes(b"")
            os.kill(os.getpid(), signal.SIGKILL)
        return item


def slow_process_number(item: int) -> tuple[int, int]:
    """A task of ten milliseconds that says where it ran."""
    time.sleep(0.01)
    return item, os.getpid()


def square(item: int) -> int:
    """A task."""
    return int(np.square(item))
