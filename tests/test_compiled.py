"""Numba is loaded by the first kernel, and does without SciPy's linear algebra until a kernel asks for it."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numba
import pytest

from spectronorm.kernels import cache

_PROGRAM = """
import sys
import numpy as np
import spectronorm as sn
from spectronorm.kernels.jit import njit

level = sn.FrontEnd().clip_level(np.zeros(16_000, np.float32))
assert level.shape == (201, 81)
print("scipy.linalg" in sys.modules)

@njit()
def product(a, b):
    return np.dot(a, b)

print(product(np.array([[1.0, 2.0], [3.0, 4.0]]), np.eye(2)).tolist(), "scipy.linalg" in sys.modules)
"""


def test_a_pass_leaves_scipy_linalg_alone_and_a_kernel_that_multiplies_matrices_still_gets_it() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], check=True, capture_output=True, text=True)

    assert done.stdout.split("\n")[:2] == ["False", "[[1.0, 2.0], [3.0, 4.0]] True"]


def test_importing_loads_no_compiler_and_warm_compiles_everything(tmp_path: Path) -> None:
    """`import spectronorm` leaves numba alone; after `spectronorm warm`, calls of the presets write no machine code."""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    program = "import sys, spectronorm; assert 'numba' not in sys.modules and 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)
    assert not list(tmp_path.rglob("*.nbc"))

    subprocess.run([sys.executable, "-m", "spectronorm", "warm"], check=True, env=environment, capture_output=True)

    kept = sorted(tmp_path.rglob("*.nbc"))
    assert kept
    program = """
import numpy as np
from spectronorm.front_end import PRESETS
for found in PRESETS.values():
    found.front_end(np.zeros((2, found.front_end.sample_rate), np.float32))
"""
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)
    assert sorted(tmp_path.rglob("*.nbc")) == kept


def test_machine_code_of_another_version_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel contains what its module imports, but numba compares only the text of the module."""
    (tmp_path / "doubled.py").write_text("def doubled(x):\n    return 2 * x\n")
    spec = spec_from_file_location("doubled", tmp_path / "doubled.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)

    def loaded(version: str) -> int:
        monkeypatch.setattr(cache, "__version__", version)
        dispatcher = numba.njit(module.doubled)
        cache.CheckedCache.give(dispatcher, pytest.fail)
        assert dispatcher(21) == 42
        return sum(dispatcher.stats.cache_hits.values())

    assert [loaded(version) for version in ("1", "1", "2", "2")] == [0, 1, 0, 1]
