"""The guides teach by code that runs: how-tos as they stand, notebooks cell by cell, and links that lead somewhere."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from spectronorm.demo.dataset import make_dataset

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
GUIDES = DOCS / "guides"
HOW_TO = (GUIDES / "how-to.md").read_text(encoding="utf-8")
NOTEBOOKS = sorted(page for page in GUIDES.glob("*.md") if "file_format: mystnb" in page.read_text(encoding="utf-8"))
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
PAGES = [page for page in PAGES if "_build" not in page.parts]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sounds that `spectronorm demo` leaves."""
    folder = tmp_path_factory.mktemp("guides")
    make_dataset(folder / "spectronorm-demo" / "sounds")
    return folder


def test_the_how_tos_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each how-to runs as it stands after the lines at the top, in five to fifteen lines at most."""
    pytest.importorskip("torch")
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(folder)
    blocks = re.findall(r"```python\n(.*?)```", HOW_TO, flags=re.DOTALL)
    assert len(blocks) >= 15
    assert max(block.count("\n") for block in blocks) <= 15
    names: dict[str, Any] = {}
    for block in blocks:
        exec(block, names)  # noqa: S102  (the page is ours)


def test_the_how_tos_of_the_shell_run(folder: Path) -> None:
    """Each command line of the page succeeds, one after the other."""
    (block,) = re.findall(r"```sh\n(.*?)```", HOW_TO, flags=re.DOTALL)
    for line in block.splitlines():
        program, *arguments = shlex.split(line, comments=True)
        assert program == "spectronorm"
        run = [sys.executable, "-m", "spectronorm", *arguments]
        done = subprocess.run(run, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{line}\n{done.stderr}"


@pytest.mark.parametrize("page", NOTEBOOKS, ids=[page.stem for page in NOTEBOOKS])
def test_a_notebook_is_offered_and_compiles(page: Path) -> None:
    """Each executed page offers its download and holds cells of Python, which `make docs` runs."""
    text = page.read_text(encoding="utf-8")
    assert f"<_notebooks/{page.stem}.ipynb>" in text
    cells = re.findall(r"```\{code-cell\} python\n(?::[^\n]*\n)*(.*?)```", text, flags=re.DOTALL)
    assert len(cells) >= 8
    for cell in cells:
        compile(cell, page.name, "exec")


def test_the_basics_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The cells of the page for beginners run one after the other; the slower pages run in `make docs`."""
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    monkeypatch.chdir(tmp_path)
    text = (GUIDES / "basics.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    for cell in re.findall(r"```\{code-cell\} python\n(?::[^\n]*\n)*(.*?)```", text, flags=re.DOTALL):
        exec(cell, names)  # noqa: S102  (the page is ours)
    names["plt"].close("all")


def slug(title: str) -> str:
    """Return the anchor that Markdown gives a heading."""
    plain = re.sub(r"[`*]", "", title).strip().lower()
    return re.sub(r"\s", "-", re.sub(r"[^\w\- ]", "", plain))


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page: of its headings, and those set by hand."""
    text = page.read_text(encoding="utf-8")
    bare = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", bare, flags=re.MULTILINE)
    return {slug(title) for title in titles} | set(re.findall(r"^\(([\w-]+)\)=$", text, flags=re.MULTILINE))


def local_links(page: Path) -> list[str]:
    """Return the links and pictures of a page that lead into the repository."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    text = re.sub(r"`[^`\n]*`", "", text)
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if not re.match(r"[a-z]+:", link)]


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_links_lead_somewhere(page: Path) -> None:
    """Each local link names a file of the repository, and an anchor that is there."""
    broken = []
    for link in local_links(page):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        known = anchors(target) if target.suffix == ".md" and target.is_file() else set()
        folded = {re.sub(r"-+", "-", one) for one in known}
        if not target.exists() or (anchor and re.sub(r"-+", "-", anchor) not in folded):
            broken.append(link)
    assert not broken
