"""Engines on many small files: one thread, two, the usual pool, a Dask cluster of two workers; and a worker's death.

Run with `python -m benchmarks.bench_dask [--files 30000]`. The files are links to spoken digits (`SPECTRONORM_DATA`),
or to noises. Starting the cluster is not counted in the rate, and is told beside it.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import spectronorm as sn
from benchmarks.document import put_table
from benchmarks.links import digits, link
from benchmarks.measure import Figure, alternate, circumstances, ratio, report

PAGE = Path(__file__).parent.parent / "docs" / "scale.md"
ROUNDS = 5
WORKERS = 2


def main() -> None:
    """Measure, check that the bytes are equal, and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=30_000)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--no-docs", action="store_true", help="leave docs/scale.md as it is")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = sn.open_source(link(digits(folder / "sounds"), folder / "links", options.files))
        begin = time.perf_counter()
        with sn.engines.DaskEngine(workers=WORKERS) as cluster:
            started = time.perf_counter() - begin
            measure(source, folder, cluster, options.rounds, started, docs=not options.no_docs)


def measure(
    source: sn.audio.Source, folder: Path, cluster: sn.engines.DaskEngine, rounds: int, started: float, *, docs: bool
) -> None:
    """Rates in alternation, then a run whose worker is killed."""
    front_end = sn.preset("fastaudio")

    def fit(engine: object, name: str) -> Callable[[], object]:
        return lambda: sn.fit(source, front_end, engine=engine).save(folder / name)  # type: ignore[arg-type]

    jobs = {
        "one": fit(sn.engines.ThreadEngine(1), "one"),
        "threads": fit(sn.engines.ThreadEngine(WORKERS), "threads"),
        "pool": fit(sn.engines.AutoEngine(WORKERS), "pool"),
        "dask": fit(cluster, "dask"),
    }
    seconds = alternate(jobs, rounds)
    rate = ratio(seconds, "pool", "dask")
    median = {job: statistics.median(times) for job, times in seconds.items()}
    begin = time.perf_counter()
    killed = fit_and_kill(source, front_end, cluster)
    killed.save(folder / "killed")
    more = time.perf_counter() - begin - median["dask"]
    different = len({(folder / name).read_bytes() for name in (*jobs, "killed")}) - 1
    figures = [
        Figure("rate of Dask / rate of the local pool", rate, "x", ">= 0.6", rate >= 0.6),
        Figure("rate of the local pool, two workers / one thread", ratio(seconds, "one", "pool"), "x", "", True),
        Figure("rate of two threads / one thread", ratio(seconds, "one", "threads"), "x", "", True),
        Figure("a worker killed in mid-run: seconds more", more, "s", "<= 30", more <= 30),
        Figure("different profiles among all of these", different, "", "0", different == 0),
        Figure("files a second, local pool", len(source) / median["pool"], "1/s", "", True),
        Figure("files a second, Dask", len(source) / median["dask"], "1/s", "", True),
        Figure("starting the cluster", started, "s", "", True),
    ]
    details = {"files": len(source), "rounds": rounds, "workers": WORKERS, "seconds": seconds}
    report(f"{len(source)} small files over Dask, {WORKERS} workers", figures, details, "dask.json")
    if docs:
        rows = [(f.name, f"{f.value:.3g}", f"{f.goal} {f.unit.replace('x', '')}".strip()) for f in figures]
        here = circumstances()["machine"]
        what = f"{len(source):,} links to spoken digits, {rounds} alternations"
        under = f"{what}, on {here['name']}; the machine's load was {here['load']:.1f} at the end."
        put_table(PAGE, "dask", [("figure", "measured", "goal"), *rows], under)


def fit_and_kill(source: sn.audio.Source, front_end: sn.FrontEnd, cluster: sn.engines.DaskEngine) -> sn.Profile:
    """A pass during which one worker gets SIGKILL, when half is done."""
    victims = cluster.processes()[:1]

    def kill(done: int, total: int) -> None:
        if victims and done > total // 2:
            os.kill(victims.pop(), signal.SIGKILL)

    profile = sn.fit(source, front_end, engine=cluster, progress=kill)
    assert not victims
    return profile


if __name__ == "__main__":
    main()
