"""The table of faults names tests that exist, and leaves no fault out."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TABLE = (HERE / "faults.md").read_text(encoding="utf-8")
ROWS = {cells[1].strip(): cells for cells in (line.split(" | ") for line in TABLE.replace("\n| ", "\n | ").splitlines())
        if len(cells) > 4 and re.fullmatch(r"[A-Z]\d+", cells[1].strip())}  # fmt: skip
NUMBERS = {"A": 21, "B": 9, "C": 20, "F": 26, "S": 9}


def test_no_fault_is_left_out() -> None:
    """Each letter counts from 1 without a gap."""
    assert list(ROWS) == [f"{letter}{number}" for letter, last in NUMBERS.items() for number in range(1, last + 1)]


@pytest.mark.parametrize("fault", ROWS)
def test_every_fault_has_a_test_that_exists(fault: str) -> None:
    """A test that is renamed or dropped must be replaced in the table."""
    named = re.findall(r"`([\w./]+\.py)::(\w+)`", " ".join(ROWS[fault]))
    assert named
    for file, test in named:
        tree = ast.parse((HERE / file).read_text(encoding="utf-8"))
        assert test in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, f"{file}::{test}"
