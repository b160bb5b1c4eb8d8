"""The public names: few at the top, the others in namespaces, all on the page of the API, and none for two ideas."""

from __future__ import annotations

import ast
import inspect
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
WITHOUT_EXTRAS = [
    "audio",
    "augment",
    "bands",
    "compress",
    "datasets",
    "engines",
    "errors",
    "explain",
    "features",
    "front_end",
    "images",
    "monitor",
    "normalize",
    "passes",
    "profile",
    "sounds",
    "testing",
    "waveform",
]
NEEDS_TORCH = ("experiment", "gan", "nn")
NAMESPACES = sorted({*WITHOUT_EXTRAS, *sn.NAMESPACES} - {"interop"})

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


WITHOUT_EXAMPLE: dict[str, str] = {}
"""Public classes and functions without an example in their docstring, and why; the list may only become shorter."""


def public_objects() -> dict[str, object]:
    """Every public class and function by its path: those of the namespaces, and those of the page of the API."""
    found = documented()
    for namespace in ["", *NAMESPACES]:
        module = getattr(sn, namespace) if namespace else sn
        for name in module.__all__:
            if not any(getattr(module, name) is one for one in found.values()):
                found[f"{namespace}.{name}".lstrip(".")] = getattr(module, name)
    return {path: one for path, one in found.items() if inspect.isclass(one) or inspect.isroutine(one)}


def test_every_public_class_and_function_has_an_example() -> None:
    """The docstring shows at least one line of code, which `make check` runs."""
    pytest.importorskip("torch")
    objects = public_objects()
    assert len(objects) > 220
    missing = [path for path, one in objects.items() if ">>> " not in (one.__doc__ or "")]
    assert sorted(missing) == sorted(WITHOUT_EXAMPLE)


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
        f"[getattr(sn, name).__all__ for name in {WITHOUT_EXTRAS}]; "
        "print([name for name in ('torch', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("code", "more"),
    [
        ("import spectronorm", ("typer", "rich", "difflib")),
        ("from spectronorm.cli import main; sys.argv = ['spectronorm', '--help']; main()", ()),
    ],
)
def test_libraries_are_imported_on_first_use(code: str, more: tuple[str, ...]) -> None:
    """The package's import and the command's help load no library that computes, reads or draws."""
    libraries = ("numpy", "scipy", "soundfile", "soxr", "numba", "llvmlite", "torch", "matplotlib", "PIL", *more)
    report = f"print([name for name in {libraries} if name in sys.modules])"
    program = f"import sys\ntry:\n    {code}\nfinally:\n    {report}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")


def test_type_checkers_see_the_names_that_are_imported_on_first_use() -> None:
    """The table of homes says for each name what the imports for type checkers say."""
    path = SOURCES / "__init__.py"
    block = next(node for node in ast.parse(path.read_text()).body if isinstance(node, ast.If))
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    seen = {alias.name: node.module for node in imports for alias in node.names}
    assert seen == {**dict.fromkeys(sn.NAMESPACES, "spectronorm"), **sn.HOME}


@pytest.mark.parametrize("namespace", [*WITHOUT_EXTRAS, "inversion", "pipeline"])
def test_a_namespace_can_be_imported_first(namespace: str) -> None:
    """No room waits for another one to be imported before it."""
    room = {"bands": "front_end", "compress": "front_end", "waveform": "front_end"}.get(namespace)
    code = f"import spectronorm.{room}.{namespace}" if room else f"import spectronorm.{namespace}"
    subprocess.run([sys.executable, "-c", code], check=True)


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
