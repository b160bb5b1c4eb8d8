"""The public names: few at the top, the others in namespaces, all on the page of the API, and none for two ideas."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import defaultdict
from functools import reduce
from importlib import import_module
from pathlib import Path

import pytest

import spectronorm as sn

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "src" / "spectronorm"
PAGE = (ROOT / "docs" / "api.md").read_text()
IMPORTED_AT_ONCE = [
    "audio",
    "bands",
    "compress",
    "engines",
    "errors",
    "features",
    "front_end",
    "images",
    "normalize",
    "passes",
    "profile",
    "sounds",
    "waveform",
]
LIGHT = ("augment", "datasets", "explain", "monitor", "testing")
"""Imported when they are first named, and no extra is needed for them."""
NEEDS_TORCH = ("experiment", "gan", "nn")
NAMESPACES = (*IMPORTED_AT_ONCE, *(name for name in sn.ON_FIRST_USE if name != "interop"))

IN_SEVERAL_FILES = {
    "register": "every command of the command line has one",
    "load": "a lane of numbers in a kernel, and a saved file",
    "fill": "a lane of numbers in a kernel, and a file in memory",
    "main": "the command, and a decoding process",
    "Floats": "of any precision below the layer of arrays",
    "Integers": "lanes in a kernel, and arrays",
    "Layout": "of a kernel's tables, and of an image",
    "INDEX_NAME": "of features, and of images",
    "look": "every container has one, and the module that asks them in order",
}
"""Public names that stand in several files, and why; the list may only become shorter."""


def documented() -> dict[str, object]:
    """Every object that the page of the API has an entry for, by its path."""
    paths = re.findall(r"^\.\. auto(?:class|function|data):: spectronorm\.(\S+)$", PAGE, flags=re.MULTILINE)
    found = {}
    for path in paths:
        parts = path.split(".")
        if parts[0] == "interop":
            import_module(f"spectronorm.{'.'.join(parts[:-1])}")
        found[path] = reduce(getattr, parts, sn)
    return found


def test_the_top_level_holds_what_the_first_steps_need() -> None:
    """At most 28 names stand at the top, and every one of them is there."""
    assert len(sn.__all__) <= 28
    assert all(hasattr(sn, name) for name in sn.__all__)
    assert set(NAMESPACES) <= set(dir(sn))


@pytest.mark.parametrize("namespace", ["", *NAMESPACES])
def test_every_public_name_stands_in_the_api_page(namespace: str) -> None:
    """Each name of a namespace has an entry, there or where the same object was described before."""
    if namespace in NEEDS_TORCH:
        pytest.importorskip("torch")
    module = getattr(sn, namespace) if namespace else sn
    described = list(documented().values())
    missing = [
        name
        for name in module.__all__
        if name != "__version__" and not any(getattr(module, name) is one for one in described)
    ]
    assert not missing, f"docs/api.md has no entry for {', '.join(missing)} of {namespace or 'the top level'}"


def test_every_entry_of_the_api_page_is_public() -> None:
    """An entry names a public name of the top level or of a namespace by its public path, and names it once."""
    paths = list(documented())
    assert len(paths) == len(set(paths))
    for path in paths:
        *namespace, name = path.split(".")
        if namespace[:1] != ["interop"]:
            assert name in reduce(getattr, namespace, sn).__all__, path


def test_namespaces_are_there_without_torch_and_matplotlib() -> None:
    """`import spectronorm` alone gives every namespace, and imports neither torch nor matplotlib."""
    code = (
        "import sys; import spectronorm as sn; "
        f"[getattr(sn, name).__all__ for name in {[*IMPORTED_AT_ONCE, *LIGHT]}]; "
        "print([name for name in ('torch', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_an_unknown_name_is_an_attribute_error() -> None:
    """A name that is not there is refused as Python does it."""
    with pytest.raises(AttributeError, match="module 'spectronorm' has no attribute 'normalise'"):
        _ = sn.normalise


def public_definitions(path: Path) -> set[str]:
    """The public names that a module defines at its top."""
    names: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return {name for name in names if not name.startswith("_")}


def test_a_public_name_stands_in_one_file() -> None:
    """No two files define the same public name, so that a name says what it is wherever it is read."""
    files: dict[str, list[str]] = defaultdict(list)
    for path in sorted(SOURCES.rglob("*.py")):
        for name in public_definitions(path):
            files[name].append(path.relative_to(SOURCES).as_posix())
    several = {name: found for name, found in files.items() if len(found) > 1 and name not in IN_SEVERAL_FILES}
    assert not several
