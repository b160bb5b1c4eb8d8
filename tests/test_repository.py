"""What stands in two files of the repository is equal in both."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import spectronorm as sn

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def pins(name: str) -> dict[str, str]:
    """The exact versions that a file of requirements names."""
    return dict(re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)$", text(name), flags=re.MULTILINE))


def test_the_repository_is_named_in_one_place() -> None:
    """README's line of installation has the address of pyproject.toml, and no other page has one."""
    address = PROJECT["urls"]["Repository"]
    assert f'pip install "spectronorm[report,torch] @ git+{address}"' in text("README.md")
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "src").rglob("*.py"), ROOT / "CITATION.cff"]
    naming = [page.name for page in pages if address in page.read_text(encoding="utf-8")]
    assert naming == ["README.md"]


def test_no_page_installs_the_bare_name() -> None:
    """Until it is on an index, `pip install spectronorm` would install whatever has that name there."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "src").rglob("*.py")]
    bare = re.compile(r"pip install ['\"]?spectronorm(?!\[report,torch\] @ git)")
    assert [page.name for page in pages if bare.search(page.read_text(encoding="utf-8"))] == []


def test_readme_names_every_extra() -> None:
    """The table of the section Install has each extra of pyproject.toml."""
    section = text("README.md").split("## Install")[1].split("\n## ")[0]
    for extra in PROJECT["optional-dependencies"]:
        assert f"`{extra}`" in section, extra


def test_tools_have_one_version() -> None:
    """`make check`, the lock and the hooks run one version of ruff, mypy and import-linter, and one torch is tested."""
    tools, lock = pins("requirements/check.txt"), pins("requirements/lock.txt")
    assert set(tools) == {"import-linter", "mypy", "ruff"}
    assert {name: lock[name] for name in tools} == tools
    assert set(re.findall(r"ruff==([0-9.]+)", text(".pre-commit-config.yaml"))) == {tools["ruff"]}
    assert pins("requirements/test.txt")["torch"] == lock["torch"]


def test_the_version_is_released_in_the_changelog() -> None:
    """The section of the version stands below Unreleased, and the citation names that version and date."""
    released = re.findall(r"^## \[(.+?)\](?: - (\S+))?$", text("CHANGELOG.md"), flags=re.MULTILINE)
    assert released[0] == ("Unreleased", "")
    assert released[1][0] == sn.__version__
    assert f"version: {sn.__version__}\ndate-released: {released[1][1]}\n" in text("CITATION.cff")


def test_make_has_one_recipe_for_each_target() -> None:
    """A target that stands twice would silently lose its first recipe."""
    targets = re.findall(r"^([a-z-]+|[$]\(VENV\)/[a-z.-]+):", text("Makefile"), flags=re.MULTILINE)
    assert "check" in targets
    assert sorted(targets) == sorted(set(targets))


def test_workflows_call_what_make_has() -> None:
    """Every `make TARGET` of the workflows and of CONTRIBUTING is a target, and every Python is in the classifiers."""
    targets = set(re.findall(r"^([a-z-]+):", text("Makefile"), flags=re.MULTILINE))
    workflows = "".join(path.read_text(encoding="utf-8") for path in (ROOT / ".github/workflows").glob("*.yml"))
    asked = set(re.findall(r"^(?:.*run: )?make ([a-z-]+)", workflows + text("CONTRIBUTING.md"), flags=re.MULTILINE))
    assert "check" in asked
    assert asked <= targets, asked - targets
    (pythons,) = re.findall(r"python: \[(.+?)\]", workflows)
    known = [name.rsplit(" ", 1)[1] for name in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", name)]
    assert re.findall(r"3\.\d+", pythons) == known
