"""Models of a comparison on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("distributed")

from tests.experiment_cases import prepared, write_clips  # noqa: E402

import spectronorm as sn  # noqa: E402
from spectronorm.engines.engine import Item, Result  # noqa: E402
from spectronorm.errors import EngineError  # noqa: E402
from spectronorm.experiment import Results  # noqa: E402
from spectronorm.experiment.running.compare import compare  # noqa: E402
from spectronorm.experiment.running.jobs import TrainTask, run_on  # noqa: E402


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Torch with one thread, as Dask's workers have: with more, a sum's last bit may be another."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
def test_models_trained_on_a_cluster_are_those_trained_here(dask: sn.engines.DaskEngine, tmp_path: Path) -> None:
    """Every score and loss, whichever worker; a run begun here goes on there."""
    table = write_clips(tmp_path / "clips", drowned=False, seed=1)
    ready = prepared(table, tmp_path, epochs=2)
    here, there = (Results(tmp_path / name, ready.settings()) for name in ("here", "there"))
    said = compare(ready, here).answer
    there.add(here.done["1", 0, "global"])
    seen: list[tuple[int, int]] = []
    outcome = compare(ready, there, engine=dask, progress=lambda done, total: seen.append((done, total)))
    assert outcome.answer == said
    assert {k: replace(m, seconds=0.0) for k, m in here.done.items()} == {
        k: replace(m, seconds=0.0) for k, m in there.done.items()
    }
    assert len(seen) == 3 * 3 - 1
    assert seen[-1] == (18, 18)
    assert Results(tmp_path / "there", ready.settings()).done.keys() == here.done.keys()


@dataclass(eq=False)
class BackwardEngine:
    """Gives results in the opposite order, one when it is asked for, and keeps whether it was told to stop."""

    workers: int = 1
    stopped: bool = False

    def map(self, task: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        """Yield results from the last item on."""
        try:
            yield from map(task, reversed(items))
        finally:
            self.stopped = True


def test_blocks_come_in_their_planned_order_and_the_rest_is_dropped(tmp_path: Path) -> None:
    """A look at the data comes after each planned block, whatever is done first; stopping early stops the work."""
    ready = prepared(write_clips(tmp_path / "clips", drowned=False, seed=1), tmp_path, epochs=1)
    planned = list(ready.design.blocks(ready.clips))
    results, engine = Results(tmp_path, ready.settings()), BackwardEngine()
    blocks = run_on(engine, ready, results)
    assert next(blocks) == planned[0]
    assert not engine.stopped
    blocks.close()  # type: ignore[attr-defined]
    assert engine.stopped
    assert list(run_on(engine, ready, results)) == planned


def test_another_torch_is_refused(tmp_path: Path) -> None:
    """Models of two versions are not compared."""
    ready = prepared(write_clips(tmp_path / "clips", drowned=False, seed=1), tmp_path, epochs=1)
    with pytest.raises(EngineError, match=r"the run was started with 1\.0"):
        TrainTask(ready, torch_version="1.0")((next(iter(ready.design.blocks(ready.clips))), "global"))
