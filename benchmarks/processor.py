"""The processor that figures hold on: its name, kind and vector instructions, and the load of the machine."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

_CPUINFO = Path("/proc/cpuinfo")
_TELLING = ("sse4_2", "avx", "avx2", "fma", "avx512f", "avx512vl", "avx512_bf16", "amx_tile", "asimd", "sve")
"""Features that decide how wide the vectors of kernels, NumPy and torch are."""


def processor(cpuinfo: Path = _CPUINFO) -> dict[str, Any]:
    """The machine as far as figures depend on it."""
    told = _first(cpuinfo)
    flags = (told.get("flags") or told.get("Features") or "").split()
    kind = ", ".join(f"{key} {told[key]}" for key in ("cpu family", "model", "stepping") if key in told)
    return {
        "name": told.get("model name") or platform.processor() or platform.machine(),
        "kind": kind,
        "features": [feature for feature in _TELLING if feature in flags],
        "cache": told.get("cache size", ""),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "load": os.getloadavg()[0],
    }


def in_words(machine: dict[str, Any]) -> str:
    """The processor in a few words: `AMD EPYC (cpu family 25, model 17, stepping 1; AVX-512), 2 cores`."""
    inner = "; ".join(part for part in (machine.get("kind", ""), vectors(machine)) if part)
    return f"{machine['name']}{f' ({inner})' if inner else ''}, {machine['cores']} cores"


def vectors(machine: dict[str, Any]) -> str:
    """The widest vector instructions, such as `AVX2`."""
    features = machine.get("features", [])
    widest = {"avx512f": "AVX-512", "avx2": "AVX2", "avx": "AVX", "sve": "SVE", "asimd": "NEON"}
    return next((name for feature, name in widest.items() if feature in features), "")


def table_of(machine: dict[str, Any]) -> str:
    """The kind of processor that a table is of, such as `AVX2, cpu family 25, model 1`.

    Instructions alone do not tell: one family carries out AVX2 in halves, and another as a whole.
    """
    told = [part for part in machine.get("kind", "").split(", ") if not part.startswith("stepping")]
    return ", ".join(part for part in (vectors(machine), *told) if part)


def _first(cpuinfo: Path) -> dict[str, str]:
    """Facts of the first processor, where the system tells them."""
    try:
        text = cpuinfo.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    pairs = (line.partition(":")[::2] for line in text.split("\n\n")[0].splitlines())
    return {key.strip(): value.strip() for key, value in pairs}
