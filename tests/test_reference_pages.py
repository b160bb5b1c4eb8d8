"""docs/reference holds every public name as readable Markdown."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
API = (DOCS / "api.md").read_text(encoding="utf-8")
PATHS = re.findall(r"^\.\. auto(?:class|function|data):: spectronorm\.(\S+)$", API, flags=re.MULTILINE)


def test_every_public_name_has_an_entry() -> None:
    """Each entry of the API page has a heading in docs/reference; `make reference` writes them."""
    text = "".join(page.read_text(encoding="utf-8") for page in DOCS.joinpath("reference").glob("*.md"))
    headings = set(re.findall(r"^### `([\w.]+)", text, flags=re.MULTILINE))
    assert len(PATHS) > 200
    assert [path for path in PATHS if path not in headings] == [], "run `make reference`"


def test_a_docstring_becomes_markdown() -> None:
    """Sections become lists with their lines joined, examples become code, and the rest stays."""
    pytest.importorskip("torch")
    location = DOCS / "make_reference.py"
    spec = importlib.util.spec_from_file_location("make_reference", location)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = module.markdown("Do it.\n\nArgs:\n    x: A number\n        of Hz.\n    y: Another.\n\n>>> 1 + 1\n2")
    assert made == "Do it.\n\n**Args**\n\n- `x`: A number\n  of Hz.\n- `y`: Another.\n\n```python\n>>> 1 + 1\n2\n```"
