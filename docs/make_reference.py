"""Write the reference of the Python interface as Markdown, from docs/api.md and the docstrings: `make reference`."""

from __future__ import annotations

import inspect
import re
import sys
from functools import reduce
from importlib import import_module
from pathlib import Path
from typing import Any

import spectronorm

DOCS = Path(__file__).parent
FOLDER = DOCS / "reference"
_ENTRY = re.compile(r"^\.\. auto(\w+):: spectronorm\.([\w.]+)$(?:\n   :members:(.*)$)?", flags=re.MULTILINE)
_SECTION = re.compile(r"^(Args|Returns|Raises|Attributes|Yields):$")


def found(path: str) -> Any:
    """Return the object with this public path below `spectronorm`."""
    parts = path.split(".")
    if parts[0] == "interop":
        import_module(f"spectronorm.{'.'.join(parts[:-1])}")
    return reduce(getattr, parts, spectronorm)


def signature(value: Any) -> str:
    """Return the parameters of a function or class, with short defaults, or an empty text."""
    try:
        parameters = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):
        return ""
    shown, keyword_only = [], False
    for one in parameters:
        if one.kind is one.KEYWORD_ONLY and not keyword_only:
            shown.append("*")
            keyword_only = True
        keyword_only = keyword_only or one.kind is one.VAR_POSITIONAL
        name = {one.VAR_POSITIONAL: "*", one.VAR_KEYWORD: "**"}.get(one.kind, "") + one.name
        default = "" if one.default is one.empty else f"={_short(one.default)}"
        shown += [] if name == "self" else [f"{name}{default}"]
    return f"({', '.join(shown)})"


def _short(default: object) -> str:
    text = repr(default)
    return "…" if "<" in text or len(text) > 40 else text


def markdown(docstring: str) -> str:
    """Return a docstring as Markdown: its sections as lists, its examples as code."""
    lines: list[str] = []
    listing = code = False
    for line in inspect.cleandoc(docstring).splitlines():
        stripped = line.strip()
        if stripped.startswith(">>>") and not code:
            lines += ["```python"]
            code, listing = True, False
        elif code and not stripped:
            lines += ["```"]
            code = False
        heading = _SECTION.match(line)
        if heading and not code:
            lines += [f"**{heading.group(1)}**", ""]
            listing = True
        elif listing and re.match(r"^    \S", line):
            name, colon, text = stripped.partition(": ")
            lines += [f"- `{name}`: {text}" if colon else f"- {stripped}"]
        elif listing and stripped:
            lines += [f"  {stripped}"] if line.startswith(" ") else ["", stripped]
            listing = line.startswith(" ")
        else:
            lines += [line]
    return "\n".join(lines + ["```"] * code).strip()


def entry(path: str, members: str | None) -> str:
    """Return the entry of one name, with its public methods if the page lists them."""
    value = found(path)
    parts = [f"### `{path}{signature(value)}`", markdown(inspect.getdoc(value) or "")]
    if inspect.isclass(value) and members is not None:
        chosen = [name.strip() for name in members.split(",") if name.strip()]
        for name in chosen or [name for name in vars(value) if not name.startswith("_")]:
            member = inspect.getattr_static(value, name, None)
            plain = getattr(member, "__func__", getattr(member, "fget", getattr(member, "func", member)))
            if inspect.isfunction(plain) and plain.__doc__:
                called = signature(plain) if inspect.isfunction(member) or hasattr(member, "__func__") else ""
                parts += [
                    f"#### `.{name}{called.replace('(cls, ', '(').replace('(cls)', '()')}`",
                    markdown(plain.__doc__),
                ]
    return "\n\n".join(part for part in parts if part)


def pages() -> dict[str, str]:
    """Return each page of the reference by its file's name."""
    sections = re.split(r"^## (.+)$", (DOCS / "api.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    made, index = {}, ["# Reference", "", "Made from the docstrings by `make reference`.", ""]
    for title, text in zip(sections[1::2], sections[2::2], strict=True):
        entries = [entry(path, members) for _, path, members in _ENTRY.findall(text)] if _ENTRY.search(text) else []
        if not entries:
            continue
        name = f"{re.sub(r'[^a-z]+', '-', title.lower()).strip('-')}.md"
        head = text.split("```{eval-rst}")[0].strip()
        head = re.sub(r"\]\((?!https?:|#)", "](../", head)
        made[name] = "\n\n".join(part for part in (f"# {title}", head, *entries) if part) + "\n"
        names = ", ".join(f"`{path}`" for _, path, _ in _ENTRY.findall(text))
        index.append(f"- [{title}]({name}): {names}")
    return {"index.md": "\n".join(index) + "\n", **made}


def main() -> None:
    """Write the pages, and remove those that are no longer made."""
    FOLDER.mkdir(exist_ok=True)
    made = pages()
    for old in set(FOLDER.glob("*.md")) - {FOLDER / name for name in made}:
        old.unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    sys.stdout.write(f"{FOLDER}: {len(made)} pages\n")


if __name__ == "__main__":
    main()
