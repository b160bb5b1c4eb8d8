"""Measure every preset against its origin; with `--write`, put the table into docs/presets.md."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.agreement.measure import FLOAT32_RANGE_DB, Agreement, agreement
from spectronorm.front_end import PRESETS
from spectronorm.storage.atomic import write_text

PAGE = Path(__file__).parents[2] / "docs" / "presets.md"
START, END = "<!-- agreement: begin -->", "<!-- agreement: end -->"


def table(rows: list[Agreement]) -> str:
    """The figures as a Markdown table."""
    largest = f"largest difference, at most {FLOAT32_RANGE_DB:g} dB below the peak"
    lines = [
        f"| preset | origin | computes in | {largest} | mean | largest anywhere | unit | sounds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `{row.preset}` | {row.origin} | {row.arithmetic} | {row.worst:.1e} | {row.mean:.1e} | {row.anywhere:.1e} "
        f"| {row.unit} | {1 + row.real} |"
        for row in rows
    ]
    return "\n".join(lines)


def main() -> None:
    """Print the table, and write it where that is asked for."""
    text = table([agreement(name) for name in PRESETS])
    print(text)
    if "--write" in sys.argv[1:]:
        page = PAGE.read_text(encoding="utf-8")
        before, _, rest = page.partition(START)
        _, end, after = rest.partition(END)
        if not end:
            raise SystemExit(f"{PAGE} has no place for the table: it needs the lines {START} and {END}")
        write_text(PAGE, f"{before}{START}\n{text}\n{END}{after}", None)


if __name__ == "__main__":
    main()
