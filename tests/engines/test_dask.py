"""Work on a cluster: lost workers, lost schedulers, and workers that would not come to the same."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

import spectronorm as sn
from spectronorm.cli.app import app
from spectronorm.engines.dask import ALLOCATOR, CONNECT_SECONDS
from spectronorm.engines.pace import MOST, Pace
from spectronorm.errors import EngineError
from spectronorm.runs import worker_check as origin_module
from spectronorm.runs.lock import output_lock
from spectronorm.runs.worker_check import Origin

from .conftest import FRONT_END

distributed = pytest.importorskip("distributed")
MAX_BAD = 0.1


def two_workers(engine: sn.engines.DaskEngine) -> list[int]:
    """The processes of both workers, also when one of them has just been killed."""
    engine._client.wait_for_workers(2, timeout=120)  # type: ignore[union-attr]
    return engine.processes()


class Slowly:
    """A task that takes a while and says where it was done."""

    def __call__(self, item: int) -> tuple[int, int]:
        time.sleep(0.02)
        return item, os.getpid()


def test_a_killed_worker_costs_no_byte(dask: sn.engines.DaskEngine, clips: Path, tmp_path: Path) -> None:
    """SIGKILL in mid-run: its units are done again, by others or by its successor."""
    victims = two_workers(dask)

    def kill(done: int, total: int) -> None:
        if done >= total // 3 and len(victims) == 2:
            os.kill(victims.pop(), signal.SIGKILL)

    before = victims[1]
    for name, engine in (("one", sn.engines.ThreadEngine(1)), ("out", dask)):
        progress = kill if name == "out" else None
        sn.fit(
            clips,
            FRONT_END,
            group_by=["label"],
            max_bad=MAX_BAD,
            engine=engine,
            output=tmp_path / name,
            progress=progress,
        )
    assert len(victims) == 1, "nobody was killed"
    assert (tmp_path / "one").read_bytes() == (tmp_path / "out").read_bytes()
    assert before not in two_workers(dask)


def test_results_that_lay_on_a_killed_worker_are_made_again(dask: sn.engines.DaskEngine) -> None:
    """A worker that dies with finished batches: each item's result comes exactly once."""
    victim, found = two_workers(dask)[0], []
    for item, _ in dask.map(Slowly(), range(200)):
        found.append(item)
        if len(found) == 40:
            os.kill(victim, signal.SIGKILL)
    assert sorted(found) == list(range(200))


def test_the_cluster_of_our_own_has_the_allocator_set_before_it_starts(dask: sn.engines.DaskEngine) -> None:
    """What keeps NumPy's memory from going back to the system at each clip; and one thread for BLAS."""
    names = [*ALLOCATOR, "OMP_NUM_THREADS"]
    assert len(two_workers(dask)) == 2
    found = dask._client.run(lambda: {name: os.environ.get(name) for name in names})  # type: ignore[union-attr]
    assert len(found) == 2
    for environment in found.values():
        assert environment == {**ALLOCATOR, "OMP_NUM_THREADS": "1"}
    assert dask.workers == 2


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense", "ftp://x", ""])
def test_a_wrong_address_is_one_clear_error_within_seconds(address: str) -> None:
    """Nobody there, no address, no protocol."""
    begin = time.monotonic()
    with pytest.raises(EngineError, match="no Dask scheduler answers there"):
        list(sn.engines.DaskEngine(address).map(len, ["a"]))
    assert time.monotonic() - begin < CONNECT_SECONDS + 3


def test_something_else_at_the_address_is_told_from_a_scheduler(dask: sn.engines.DaskEngine) -> None:
    """A worker's address is not a scheduler's."""
    worker = next(iter(dask._client.nthreads()))  # type: ignore[union-attr]
    with pytest.raises(EngineError, match="a Dask worker answers"):
        list(sn.engines.DaskEngine(worker).map(len, ["a"]))


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The address and process of a scheduler without workers."""
    told = tmp_path / "scheduler.json"
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", "0", "--no-dashboard"]
    command += ["--scheduler-file", str(told), "--host", "127.0.0.1"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 30
        while not told.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.1)
        yield distributed.scheduler.json.loads(told.read_text())["address"], process
        process.kill()


def test_no_worker_and_no_scheduler_end_the_run(scheduler: tuple[str, subprocess.Popen[bytes]], clips: Path) -> None:
    """A cluster without workers is waited for, not for ever; a named one is used; one that dies ends the run."""
    address, process = scheduler
    engine = sn.engines.DaskEngine(address, patience=0.5)
    with pytest.raises(EngineError, match=r"no worker for 0\.5 s"):
        list(engine.map(len, ["a"]))
    command = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "2", "--no-dashboard"]
    worker = subprocess.Popen([*command, "--no-nanny"], stderr=subprocess.DEVNULL)
    try:
        engine = sn.engines.DaskEngine(address, patience=30)
        assert sn.fit(clips, FRONT_END, max_bad=MAX_BAD, engine=engine) == sn.fit(clips, FRONT_END, max_bad=MAX_BAD)
        with pytest.raises(EngineError, match="connection to the Dask scheduler was lost"):
            for number, _ in enumerate(engine.map(time.sleep, [0.02] * 10_000)):
                if number == 20:
                    process.kill()
    finally:
        worker.kill()
        worker.wait()


def test_a_pass_that_was_stopped_goes_on_with_another_engine(
    dask: sn.engines.DaskEngine, clips: Path, tmp_path: Path
) -> None:
    """The journal is the same for all engines: what one finished, another does not do again."""

    class Stop(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done >= 30:
            raise Stop

    settings = {"group_by": ["label"], "max_bad": MAX_BAD}
    with pytest.raises(Stop):
        sn.fit(clips, FRONT_END, output=tmp_path / "out", engine=dask, progress=stop, **settings)
    journal = (tmp_path / ".out.journal").stat().st_size
    assert journal > 1000
    seen: list[int] = []
    sn.fit(clips, FRONT_END, output=tmp_path / "out", engine=dask, progress=lambda d, t: seen.append(d), **settings)
    sn.fit(clips, FRONT_END, output=tmp_path / "one", engine=sn.engines.ThreadEngine(1), **settings)
    assert (tmp_path / "out").read_bytes() == (tmp_path / "one").read_bytes()
    assert seen[-1] == 61


def test_a_worker_that_cannot_load_the_task_says_so(
    dask: sn.engines.DaskEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A class that is only here: one error that says to install the same there."""
    module = type(sys)("only_here")
    exec("class Task:\n    def __call__(self, item): return item", module.__dict__)  # noqa: S102
    monkeypatch.setitem(sys.modules, "only_here", module)
    with pytest.raises(EngineError, match="install this version of spectronorm"):
        list(dask.map(module.Task(), [1]))


def test_archives_and_urls_are_read_by_the_workers(dask: sn.engines.DaskEngine, clips: Path, tmp_path: Path) -> None:
    """Members of a tar and of a zip, and a `file://` URL: the bytes of one thread."""
    (clips / "low" / "none.wav").unlink()
    pytest.importorskip("fsspec")
    for kind in ("tar", "gztar", "zip"):
        shutil.make_archive(str(tmp_path / kind), kind, clips)
    for target in ("tar.tar", "gztar.tar.gz", "zip.zip"):
        source = sn.open_source(tmp_path / target)
        assert sn.fit(source, FRONT_END, engine=dask) == sn.fit(source, FRONT_END, engine=sn.engines.ThreadEngine(1))
    url = f"file://{clips}"
    assert sn.fit(url, FRONT_END, engine=dask) == sn.fit(url, FRONT_END, engine=sn.engines.ThreadEngine(1))


def test_what_workers_cannot_see_is_refused(
    dask: sn.engines.DaskEngine, clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relative paths elsewhere, memory of this process, other libraries: one error that says what to do."""
    fsspec = pytest.importorskip("fsspec")
    with fsspec.open("memory://sounds/one.wav", "wb") as file:
        file.write((clips / "low" / "000.wav").read_bytes())
    with pytest.raises(EngineError, match="in the memory of one process"):
        sn.fit("memory://sounds", FRONT_END, engine=dask)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EngineError, match="give absolute paths"):
        sn.fit("clips", FRONT_END, engine=dask)
    found = {**origin_module.libraries(), "soxr": "0.0.1"}
    monkeypatch.setattr(origin_module, "libraries", lambda: found)
    with pytest.raises(EngineError, match=r"has soxr [\d.]+, but the run was started with 0\.0\.1; install the same"):
        sn.fit(clips, FRONT_END, engine=dask)


def test_an_origin_is_held_against_files_and_folders(clips: Path, tmp_path: Path) -> None:
    """A file of another size or none, an output folder that is not the shared one."""
    source = sn.open_source(clips)
    with output_lock(tmp_path / "out"):
        here = Origin.of(source, tmp_path / "out")
        elsewhere = replace(here, process=0)
        elsewhere.require_same()
        (name, size), *_ = here.places
        for places, told in ((((name, 1),), "1 at the run's origin"), ((("/nowhere.wav", 9),), "is not there")):
            with pytest.raises(EngineError, match=told):
                replace(elsewhere, places=places).require_same()
            replace(here, places=places).require_same()  # the origin itself is not asked
        assert size == Path(name).stat().st_size
        with pytest.raises(EngineError, match="shared file system"):
            replace(elsewhere, lock=b"of another machine").require_same()


def test_the_command_line_takes_engines(dask: sn.engines.DaskEngine, clips: Path, tmp_path: Path) -> None:
    """`--engine` and `--scheduler` for fit, apply and images; contradictions are misuse."""
    runner, address = CliRunner(), dask._client.scheduler.address  # type: ignore[union-attr]
    on = ["--engine", "dask", "--scheduler", address, "--max-bad", "10%"]
    profile = str(tmp_path / "p.safetensors")
    for command in (
        ["fit", str(clips), "-o", profile],
        ["apply", str(clips), "-p", profile, "--normalize", "band", "-o", str(tmp_path / "npy")],
        ["images", str(clips), "-p", profile, "-o", str(tmp_path / "png")],
    ):
        result = runner.invoke(app, [*command, *on])
        assert result.exit_code == 0, result.output
    assert len(list((tmp_path / "png").rglob("*.png"))) == len(list((tmp_path / "npy").rglob("*.npy"))) == 60
    for wrong, told in (
        (["--engine", "dusk"], "engine 'dusk' is unknown; it must be one of"),
        (["--scheduler", address], "needs --engine dask"),
        (["--engine", "dask", "--scheduler", address, "--workers", "2"], "a scheduler brings its own"),
    ):
        result = runner.invoke(app, ["fit", str(clips), "-o", profile, *wrong])
        assert result.exit_code == 2
        assert told in result.output


def test_batches_take_a_quarter_of_a_second() -> None:
    """Fast items go out by the hundred, slow ones alone, and the last ones to everybody."""
    pace = Pace()
    assert pace.size(10_000, 2) == 1
    for _ in range(10):
        pace.saw(0.001 * pace.size(10_000, 2), pace.size(10_000, 2))
    assert 200 <= pace.size(10_000, 2) <= MOST
    assert pace.size(8, 4) == 1
    for _ in range(10):
        pace.saw(2.0 * pace.size(10_000, 2), pace.size(10_000, 2))
    assert pace.size(10_000, 2) == 1
