"""The modules that hold compiled kernels: numba cannot compile instrumented code, so the fuzzer leaves them alone."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

_KERNEL = re.compile(r"^from spectronorm\.kernels\b|^\s*@(?:\w+\.)?(?:njit|jit|kernel|compiled)\b", re.MULTILINE)


def compiled_modules() -> list[str]:
    """Every module of the package that uses kernels, found by its source: nobody has to keep a list."""
    spec = importlib.util.find_spec("spectronorm")
    assert spec is not None
    assert spec.origin is not None
    root = Path(spec.origin).parent
    found = []
    for path in sorted(root.rglob("*.py")):
        parts = ("spectronorm", *path.relative_to(root).with_suffix("").parts)
        name = ".".join(parts).removesuffix(".__init__")
        if name.startswith("spectronorm.kernels") or _KERNEL.search(path.read_text(encoding="utf-8")):
            found.append(name)
    return found
