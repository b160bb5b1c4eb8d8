"""Measured tables in the documentation, between two marks that nobody sees."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def put_table(page: Path, name: str, rows: Sequence[Sequence[str]], under: str = "") -> None:
    """Replace what stands between the marks of this name by a table, whose first row is its head, and a remark.

    Raises:
        ValueError: when the page does not hold both marks, in order.
    """
    text = page.read_text(encoding="utf-8")
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"{page}: needs the marks {begin} and {end}")
    head, *body = rows
    lines = [_line(head), "|" + "---|" * len(head), *map(_line, body)]
    remark = f"\n{under}\n" if under else ""
    table = "\n".join(lines)
    page.write_text(f"{before}{begin}\n{table}\n{remark}{end}{after}", encoding="utf-8")


def renew_rows(page: Path, name: str, rows: Sequence[Sequence[str]]) -> None:
    """Replace the rows of a table between marks that begin with the same cell, and add those that it does not hold.

    A table under another head, or none, is replaced as a whole.

    Raises:
        ValueError: when the page does not hold both marks, in order.
    """
    between = page.read_text(encoding="utf-8").partition(f"<!-- {name}: begin -->")[2]
    lines = between.partition(f"<!-- {name}: end -->")[0].strip().splitlines()
    head, *body = rows
    new = {row[0]: row for row in body}
    known = [line.strip("| ").split(" | ") for line in lines[2:]] if lines and lines[0] == _line(head) else []
    kept = [new.pop(row[0], row) for row in known]
    put_table(page, name, [head, *kept, *new.values()])


def print_table(page: Path, name: str, rows: Sequence[Sequence[str]], *, write: bool) -> None:
    """Print a table, and put it into the page as well if `write`."""
    for row in rows:
        print(" | ".join(row))
    if write:
        put_table(page, name, rows)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
