"""The automatic engine chooses by measurement: on a simulated machine, whose clock only work moves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spectronorm.engines import AutoEngine, auto, cores
from spectronorm.engines.auto import processes_pay
from spectronorm.engines.rest import Rest
from spectronorm.engines.work_rate import WorkRate

WORKERS = 4


@dataclass
class Machine:
    """Seconds that each way takes for an item when all its workers are busy, and the processor time of an item."""

    threads: float = 0.1
    one: float = 0.1
    processes: float = 0.1
    busy: float = 0.1
    waits: float = 0.0
    start: float = 1.0
    starts: bool = True
    now: float = 0.0
    processor: float = 0.0
    waited: float = 0.0
    pools: int = 0
    done: list[tuple[str, int]] = field(default_factory=list)

    def spend(self, way: str, item: int, seconds: float) -> None:
        self.now += seconds
        self.done.append((way, item))

    def run(self, items: int, workers: int = WORKERS) -> list[int]:
        """Run an automatic engine on this machine."""

        def task(item: int) -> int:
            self.processor += self.busy
            self.waited += self.waits
            return item

        machine = self

        class Threads:
            def __init__(self, workers: int) -> None:
                self.workers = workers

            def map(self, task: Callable[[int], Any], items: Iterable[int]) -> Iterator[Any]:
                way, seconds = ("one", machine.one) if self.workers == 1 else ("threads", machine.threads)
                for item in items:
                    result = task(item)
                    machine.spend(way, item, seconds)
                    yield result

        class Pool:
            in_flight = 0

            def __init__(self, workers: int) -> None:
                if not machine.starts:
                    raise OSError("no shared memory")
                machine.pools += 1
                self.from_then = machine.now + machine.start

            def started(self) -> Pool:
                return self

            def done(self) -> bool:
                return machine.now >= self.from_then

            def exception(self) -> None:
                return None

            def map_rest(self, task: Callable[[int], Any], rest: Rest[int]) -> Iterator[Any]:
                while rest.left:
                    (item,) = rest.take(1)
                    machine.spend("processes", item, machine.processes)
                    yield item

            def close(self) -> None:
                assert any(way == "processes" for way, _ in machine.done)
                machine.pools -= 1

            def abandon(self) -> None:
                assert all(way != "processes" for way, _ in machine.done)
                machine.pools -= 1

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(auto, "ThreadEngine", Threads)
            patch.setattr(auto, "Pool", Pool)
            patch.setattr(auto, "clock", lambda: self.now)
            patch.setattr(auto, "processor_clock", lambda: self.processor)
            patch.setattr(auto, "waiting_clock", lambda: self.waited)
            patch.setattr(auto, "_pickles", lambda _: True)
            return list(AutoEngine(workers).map(task, range(items)))

    def ways(self) -> list[str]:
        """The ways in the order in which they were first taken."""
        return list(dict.fromkeys(way for way, _ in self.done))


def test_threads_that_keep_the_cores_busy_stay() -> None:
    """Processes could do nothing faster, however long the run is."""
    machine = Machine(threads=0.1, busy=0.1 * WORKERS)
    machine.run(10_000)
    assert machine.ways() == ["threads"]


def test_a_short_run_starts_no_process() -> None:
    """Threads that wait for each other stay, if processes would take longer to start than they save."""
    machine = Machine(threads=0.01, one=0.02, busy=0.015, processes=0.005)
    machine.run(100)
    assert machine.ways() == ["threads"]
    assert machine.now == pytest.approx(100 * 0.01)


def test_a_long_run_goes_on_in_processes_that_are_faster() -> None:
    """They start while threads work, which they take over from."""
    machine = Machine(threads=0.1, one=0.1, busy=0.1, processes=0.03)
    machine.run(1000)
    assert machine.ways()[-1] == "processes"
    assert 1.0 <= sum(way != "processes" for way, _ in machine.done) * 0.1 < 5.0
    assert machine.pools == 0


def test_cores_that_others_hold_are_no_reason_for_processes() -> None:
    """Threads that have half of a core each wait for cores, not for each other."""
    machine = Machine(threads=0.1, one=0.3, busy=0.1, waits=0.3, processes=0.1)
    machine.run(1000)
    assert machine.ways() == ["threads"]


def test_processes_that_are_slower_give_way_to_threads() -> None:
    """A machine whose other cores are taken by other programs."""
    machine = Machine(threads=0.1, one=0.2, busy=0.1, processes=0.15)
    machine.run(1000)
    assert machine.ways() == ["threads", "one", "processes"]
    assert machine.done[-1][0] == "threads"
    assert sum(way == "processes" for way, _ in machine.done) <= 3 * WORKERS + 1


def test_one_thread_goes_on_if_it_does_more_than_several() -> None:
    """Short clips are mostly Python, which one thread runs at a time."""
    machine = Machine(threads=0.013, one=0.01, busy=0.012, processes=0.004)
    machine.run(150)
    assert machine.ways() == ["threads", "one"]
    assert machine.done[-1][0] == "one"


def test_without_processes_threads_do_all() -> None:
    """No shared memory: the run ends all the same."""
    machine = Machine(threads=0.1, one=0.2, busy=0.1, processes=0.01, starts=False)
    machine.run(1000)
    assert set(machine.ways()) == {"threads", "one"}
    assert machine.done[-1][0] == "threads"


SECONDS = st.floats(0.001, 1.0)


@given(
    threads=SECONDS,
    one=SECONDS,
    processes=SECONDS,
    busy=SECONDS,
    waits=st.floats(0.0, 1.0),
    start=st.floats(0.0, 10.0),
    items=st.integers(0, 600),
    workers=st.integers(2, 8),
)
def test_every_item_once_and_never_much_longer_than_threads(
    threads: float, one: float, processes: float, busy: float, waits: float, start: float, items: int, workers: int
) -> None:
    """Whatever the machine, trials cost a few items each, and results come once."""
    machine = Machine(threads, one, processes, busy, waits, start)
    assert sorted(machine.run(items, workers)) == list(range(items))
    assert machine.pools == 0
    trials = 4 * one + (3 * workers + 1) * processes
    assert machine.now <= items * threads / 0.9 + trials + 1e-6


@given(left=st.floats(0, 1e5), work=st.floats(0, 1e5), workers=st.integers(2, 64), share=st.floats(0.01, 1.0))
def test_processes_pay_only_for_what_they_can_save(left: float, work: float, workers: int, share: float) -> None:
    """Never within the time of their start, nor if their cores would be as busy with the work for as long."""
    pays = processes_pay(left, work, workers, share)
    assert not (pays and left * share < auto.WORTH_SECONDS)
    assert not (pays and work >= left * workers * share)
    assert processes_pay(1000.0, 1000.0, workers) == (1000.0 * (1 - 1 / workers) > auto.WORTH_SECONDS + 100.0)


def test_a_window_begins_after_the_first_round() -> None:
    """The first round pays for compilation."""
    window = WorkRate(2)
    for time, busy in ((9.0, 9.0), (10.0, 9.0), (10.5, 0.4), (11.0, 0.4), (11.5, 0.4), (12.0, 0.4)):
        assert not window.measured
        window.saw(1, time, busy, busy / 4)
    assert window.measured
    assert (window.rate, window.cores, window.share) == (2.0, pytest.approx(0.8), pytest.approx(0.8))


def test_a_thread_s_wait_for_a_core_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nanoseconds in the second field on Linux; nothing where the system does not tell."""
    told = tmp_path / "schedstat"
    monkeypatch.setattr(cores, "_OWN_SCHEDULE", told)
    assert cores.seconds_without_core() == 0.0
    for text, seconds in (("12 2500000000 7\n", 2.5), ("12 -1 7", 0.0), ("damaged", 0.0), ("", 0.0)):
        told.write_text(text)
        assert cores.seconds_without_core() == seconds


def test_a_rest_is_handed_out_once() -> None:
    """Whatever is taken, stopped and resumed between."""
    rest = Rest(range(10))
    assert list(rest.take(3)) == [0, 1, 2]
    rest.stop()
    assert (rest.left, list(rest), list(rest.take(2)), rest.ended) == (0, [], [], False)
    rest.resume()
    assert list(rest) == [3, 4, 5, 6, 7, 8, 9]
    assert rest.ended
