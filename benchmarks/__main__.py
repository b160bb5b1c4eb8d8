"""Run every benchmark, one after the other, each in a process of its own: `python -m benchmarks`, or `make bench`.

Prints one table, writes `benchmarks/results/all.json` with the machine and the versions, and puts the table into
`docs/benchmarks.md`. A benchmark that fails (a peer is not installed, say) is named in the table, and the others run
all the same; the exit code is then 1. With `--only` some run again, and the others keep the figures they have.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.document import put_table
from benchmarks.measure import RESULTS, circumstances
from benchmarks.processor import in_words
from benchmarks.registry import BENCHMARKS, Benchmark

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
Row = tuple[str, str, str, str]


def main() -> None:
    """Run, collect, print, write."""
    known = [benchmark.module for benchmark in BENCHMARKS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=known, metavar="MODULE", help=f"some of {', '.join(known)}")
    parser.add_argument("--no-docs", action="store_true", help="leave docs/benchmarks.md as it is")
    options = parser.parse_args()
    chosen = [benchmark for benchmark in BENCHMARKS if options.only is None or benchmark.module in options.only]
    before = {} if options.only is None else results_before()
    found = {benchmark: run(benchmark) for benchmark in chosen}
    new = {benchmark.module: results for benchmark, results in found.items()}
    everything = {b: (before | new)[b.module] for b in BENCHMARKS if b.module in before or b.module in new}
    rows = table(everything)
    show(rows)
    content = {**circumstances(), "benchmarks": {b.module: results for b, results in everything.items()}}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "all.json").write_text(json.dumps(content, indent=2) + "\n")
    print(f"\nwritten: {RESULTS / 'all.json'}")
    if len(everything) == len(BENCHMARKS) and not options.no_docs:
        again = ", ".join(options.only or ())
        put_table(PAGE, "figures", [("figure", "measured", "goal", ""), *rows], under(content, again))
        print(f"updated: {PAGE}")
    if any(not results for results in found.values()):
        sys.exit(1)


def results_before() -> dict[str, Any]:
    """The reports of each benchmark that the last run left."""
    path = RESULTS / "all.json"
    reports: dict[str, Any] = json.loads(path.read_text())["benchmarks"] if path.exists() else {}
    return reports


def run(benchmark: Benchmark) -> list[dict[str, Any]]:
    """The reports that a benchmark writes; none when it fails."""
    print(f"\n== {benchmark.command}: {benchmark.about}", flush=True)
    begin = time.time()
    command = [sys.executable, "-m", f"benchmarks.{benchmark.module}", *benchmark.options]
    if subprocess.run(command, check=False).returncode != 0:
        print(f"FAILED: {benchmark.command}", flush=True)
        return []
    written = (path for path in sorted(RESULTS.glob("*.json")) if path.stat().st_mtime >= begin)
    reports = [json.loads(path.read_text()) for path in written]
    return [report for report in reports if report.get("module") == benchmark.module]


def table(found: Mapping[Benchmark, Sequence[Mapping[str, Any]]]) -> list[Row]:
    """One row a figure."""
    rows: list[Row] = []
    for benchmark, reports in found.items():
        if not reports:
            rows.append((benchmark.about, "failed", "", benchmark.module))
        for report in reports:
            for figure in report["figures"]:
                unit = f" {figure['unit']}" if figure["unit"] not in ("", "x", "1") else ""
                missed = "" if figure["met"] else " (missed)"
                rows.append(
                    (figure["name"], f"{figure['value']:.4g}{unit}", f"{figure['goal']}{missed}", benchmark.module)
                )
    return rows


def show(rows: Sequence[Row]) -> None:
    """The table for people."""
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    print("\n" + "=" * sum(widths))
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def under(content: Mapping[str, Any], again: str) -> str:
    """What stands under the table: where and with what it was measured, and what was run again later."""
    machine, versions = content["machine"], content["versions"]
    told = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        f"By `make bench` on {in_words(machine)}, load {machine['load']:.1f} when it ended; "
        f"Python {content['python']}, {told}." + (f" Run again by themselves after that: {again}." if again else "")
    )


if __name__ == "__main__":
    main()
