"""What journal and limited processes cost a pass: `python -m benchmarks.bench_reliability`.

On ESC-10 where `SPECTRONORM_DATA` holds it, otherwise on the demo's sounds.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import spectronorm as sn
from benchmarks.measure import Figure, alternate, ratio, report
from spectronorm.demo.dataset import make_dataset

ROUNDS = 15


def dataset(folder: Path) -> Path:
    """Recordings, or sounds that the demo makes."""
    recordings = Path(os.environ.get("SPECTRONORM_DATA", "nowhere")) / "esc10"
    return recordings if recordings.is_dir() else make_dataset(folder / "sounds", seed=0)


def processor_seconds() -> float:
    """Of this process and of those that it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def main() -> None:
    """Measure in alternation, check that the bytes are equal, and report."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = sn.open_source(dataset(folder))
        untrusted = sn.open_source(source, sn.audio.Reader(sn.audio.Limits()))
        front_end, engine = sn.preset("fastaudio"), sn.engines.ThreadEngine(1)
        used: dict[str, list[float]] = {"plain": [], "journal": [], "limited": []}

        def timed(job: str, source: sn.audio.Source, output: Path | None = None) -> None:
            started = processor_seconds()
            profile = sn.fit(source, front_end, engine=engine, max_bad=0.05, output=output)
            if output is None:
                profile.save(folder / job)
            used[job].append(processor_seconds() - started)

        jobs = {
            "plain": lambda: timed("plain", source),
            "journal": lambda: timed("journal", source, folder / "journal"),
            "limited": lambda: timed("limited", untrusted),
        }
        seconds = alternate(jobs, ROUNDS)
        contents = {(folder / job).read_bytes() for job in jobs}
    figures = []
    for job, what, limit in (("journal", "the journal", 2), ("limited", "--untrusted", 10)):
        cost = 100 * (ratio(used, job, "plain") - 1)
        figures.append(Figure(f"cost of {what}, processor time", cost, "%", f"<= {limit}", cost <= limit))
        cost = 100 * (ratio(seconds, job, "plain") - 1)
        figures.append(Figure(f"cost of {what}, elapsed time", cost, "%", "", True))
    figures.append(Figure("different profiles among the three", len(contents) - 1, "", "0", len(contents) == 1))
    details = {"rounds": ROUNDS, "clips": len(source), "seconds": seconds, "processor_seconds": used}
    report(f"Reliability of a pass over {len(source)} clips, one worker", figures, details, "reliability.json")


if __name__ == "__main__":
    main()
