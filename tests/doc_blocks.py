"""Fenced blocks of code in the documentation, each with its language and, if no test runs it, the reason."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
_FENCE = re.compile(
    r"(?:^<!-- not run: (?P<reason>[^\n]+) -->\n+)?^```(?P<language>[^\n]*)\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """One block of a page, and the reason for which no test runs it ("" if one does)."""

    page: str
    language: str
    text: str
    reason: str

    def __str__(self) -> str:
        return f"{self.page}: {self.text.splitlines()[0]}"


def pages() -> list[str]:
    """Return the names of the pages, except the reference, which is made from docstrings."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    found = [page for page in found if not {"_build", "reference"} & set(page.relative_to(ROOT).parts)]
    return sorted(page.relative_to(ROOT).as_posix() for page in found)


def blocks(page: str) -> list[Block]:
    """Return the blocks of a page in their order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [Block(page, one["language"], one["text"], one["reason"] or "") for one in _FENCE.finditer(text)]


def code(page: str, language: str) -> list[str]:
    """Return the blocks of a language that a test is to run."""
    return [block.text for block in blocks(page) if block.language == language and not block.reason]
