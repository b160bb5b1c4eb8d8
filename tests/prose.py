"""Rules for prose in one place, and the texts that they apply to: docstrings, comments and the command line's help."""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import typer.main

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "spectronorm"

OPENINGS = ("What", "Where", "Whether", "How", "Why", "Whoever", "Whose")
"""Words that no docstring and no help text may begin with: they begin with a noun or a verb."""

FORBIDDEN = {
    r"whoever|whomever": "name the process, the caller or the user",
    r"somebody|someone|nobody|no one|anybody|anyone": "name the process, the caller or the user",
    r"so many|as many": "say `n`, `this number of`, `an equal number of`",
    r"breaks? (its|a|the|their) rules?": "say `is invalid` or `is out of range`",
    r"(come|comes|came|coming) to the same": "say `reproduce the result`",
    r"one a (second|clip|core|band|frame|class)": "say `one for each`",
    r"turned? back into": "say `inverted`",
    r"goes on|go on|went on": "say `resumes`, `continues` or `lasts`",
    r"anew": "say `again`, or leave it out",
    r"(told|tell) apart": "say `distinguished`",
    r"those who": "name the users or programs",
    r"(?<!there )is no (?!longer|more|such|less|fewer|earlier|later|better|lower|slower|error|faster|worse|larger|"
    r"newer|shorter|harm)[a-z]+": "say `is not a`",
    r"(come|comes|came) out (like|alike|as|at)": "say `equals`, `gives` or `is`",
    r"spends? (the|its) (whole )?(greys|range|colours)": "say `uses`",
    r"knows? nothing of|says? nothing of": "say `does not use`, or what is missing",
    r"that (is|are) there already": "say `exists`",
    r"must be unseen|should be unseen": "say `held out`",
    r"(stands|stand) (as it is|in the place of)": "say what it does",
    r"were to be unseen": "say `held out`",
    r"(time|budget) is gone": "say `used up`",
    r"machine's mood|files of ours": "say what is meant",
    r"waited for for|the the|of of|a a|is is|to to|in in": "remove the doubled word",
}
"""Phrases that are not idiomatic, as regular expressions that ignore case, each with a remedy."""

_FORBIDDEN = [(re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE), remedy) for pattern, remedy in FORBIDDEN.items()]
_ENDS = (".", "!", "?", ":", "`")


def problems(text: str, *, opening: bool = True) -> list[str]:
    """Return the violations of the rules in a text, each with its remedy.

    Args:
        text: The text.
        opening: Check the first word too.
    """
    words = text.split()
    found = []
    if opening and words and words[0].strip("*_:,") in OPENINGS:
        found.append(f"begins with {words[0]}: begin with a noun or a verb")
    joined = " ".join(words)
    for pattern, remedy in _FORBIDDEN:
        found += [f"{match.group()!r}: {remedy}" for match in pattern.finditer(joined)]
    return found


def docstrings(path: Path) -> Iterator[tuple[str, str]]:
    """Yield every docstring in a file with its place: modules, classes, functions and attributes."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield f"{path.name}:{getattr(node, 'lineno', 1)} {getattr(node, 'name', 'module')}", text
        for before, after in _neighbours(node):
            if isinstance(before, ast.Assign | ast.AnnAssign) and _is_text(after):
                yield f"{path.name}:{after.lineno} attribute", after.value.value  # type: ignore[attr-defined]


def comments(path: Path) -> Iterator[tuple[str, str]]:
    """Yield every comment in a file with its place; neighbouring lines form one comment."""
    with path.open("rb") as file:
        tokens = [t for t in tokenize.tokenize(file.readline) if t.type == tokenize.COMMENT]
    block: list[tokenize.TokenInfo] = []
    for token in tokens:
        if block and (token.start[0] != block[-1].start[0] + 1 or token.start[1] != block[-1].start[1]):
            yield _joined(path, block)
            block = []
        block.append(token)
    if block:
        yield _joined(path, block)


def pages() -> Iterator[tuple[str, str]]:
    """Yield every paragraph of README and documentation with its page, without code; the changelog is history."""
    for path in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]):
        if path.name != "CHANGELOG.md" and "_build" not in path.parts:
            text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
            yield from ((path.name, paragraph) for paragraph in text.split("\n\n"))


def help_texts(command: Any, name: str = "spectronorm") -> Iterator[tuple[str, str]]:
    """Yield the help of a command, of its options and arguments, and of its subcommands."""
    if command.help:
        yield f"{name} --help", command.help
    for parameter in command.params:
        text = getattr(parameter, "help", None)
        if text:
            yield f"{name} {parameter.opts[0]}", text
    for child_name, child in getattr(command, "commands", {}).items():
        yield from help_texts(child, f"{name} {child_name}")


def command_line() -> Any:
    """Return the whole command line as one click command."""
    from spectronorm.cli.app import app  # noqa: PLC0415  (other rules need no command line)

    return typer.main.get_command(app)


def ends_in_full_stop(text: str) -> bool:
    """Return true if the first paragraph of a docstring ends a sentence."""
    return text.split("\n\n", maxsplit=1)[0].rstrip().endswith(_ENDS)


def _neighbours(node: ast.AST) -> Iterator[tuple[ast.stmt, ast.stmt]]:
    body = getattr(node, "body", [])
    return pairwise(body) if isinstance(body, list) else iter(())


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _joined(path: Path, block: list[tokenize.TokenInfo]) -> tuple[str, str]:
    return f"{path.name}:{block[0].start[0]}", " ".join(token.string.lstrip("#: ") for token in block)
