"""Versions and settings that determine the bytes of a result."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import scipy
import soundfile
import soxr

from spectronorm.audio import Reader
from spectronorm.kernels.jit import numba_version
from spectronorm.version import __version__


def libraries() -> dict[str, str]:
    """Return the versions of the libraries that determine a file's samples and levels to the last bit."""
    return {
        "spectronorm": __version__,
        "libsndfile": soundfile.__libsndfile_version__,
        "av": _version_of("av"),
        "soxr": " ".join([soxr.__version__, *_soxr_switches()]),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "numba": numba_version(),
        "machine": platform.machine(),
    }


def deciding_libraries() -> tuple[tuple[str, str], ...]:
    """Names and versions of the libraries that decide a profile's integers, sorted; kernels decide nothing."""
    named = {name: version for name, version in libraries().items() if version}
    return tuple(sorted((name, named[name]) for name in named.keys() - {"spectronorm", "numba", "machine"}))


def _version_of(package: str) -> str:
    """The version of an optional package, without importing it; empty if it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _soxr_switches() -> list[str]:
    """The environment's switches of soxr, such as `SOXR_USE_SIMD=0`: they change the last bits of samples."""
    return sorted(f"{name}={value}" for name, value in os.environ.items() if name.startswith("SOXR_"))


def reading(reader: Reader, duration: float | None) -> dict[str, Any]:
    """Return the settings for reading clips, as plain JSON values."""
    return {"reader": asdict(reader), "duration": duration}
