"""Numba does without SciPy's linear algebra until a kernel asks for it."""

from __future__ import annotations

import subprocess
import sys

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
