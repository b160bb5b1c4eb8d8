"""The cores and the memory that this process may use, limits of its container included."""

from __future__ import annotations

import math
import os
from pathlib import Path

WORKER_BYTES = 200 << 20
"""The memory of a process that works: what it imports, and a few clips."""
_CGROUPS = Path("/sys/fs/cgroup")
_OWN_SCHEDULE = Path("/proc/thread-self/schedstat")
"""Of this thread on Linux: nanoseconds on a core, nanoseconds of waiting for one, and turns."""


def available_cores() -> int:
    """The cores that this process may use: by its affinity, and by the CPU quota of its control group (Linux)."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(cores, cpu_quota(_CGROUPS, own_group()))))


def seconds_without_core() -> float:
    """Time for which this thread could have run but had no core, as other programs held them; 0 where nothing tells.

    Waiting for a lock or a file is not part of it.
    """
    fields = _text(_OWN_SCHEDULE).split()
    return _number(fields[1]) / 1e9 if len(fields) == 3 and fields[1].isdecimal() else 0.0


def affordable_workers(wanted: int) -> int:
    """Number of processes, at most `wanted` and at least one, that fit into the control group's memory limit."""
    return max(1, int(min(wanted, memory_limit(_CGROUPS, own_group()) // WORKER_BYTES - 1)))


def own_group() -> str:
    """The path of this process's control group (version 2) below its root; empty where there is none to be seen."""
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return ""
    return next((line[3:].strip("/") for line in lines if line.startswith("0::")), "")


def cpu_quota(root: Path, group: str) -> float:
    """The least quota of the group and of those above it, in cores; infinite without one."""
    quota = min((_quota(_text(folder / "cpu.max")) for folder in _folders(root, group)), default=math.inf)
    period = _number(_text(root / "cpu" / "cpu.cfs_period_us"))
    old = _number(_text(root / "cpu" / "cpu.cfs_quota_us"))  # version 1, where -1 means no quota
    return min(quota, old / period) if 0 < old < math.inf and 0 < period < math.inf else quota


def memory_limit(root: Path, group: str) -> float:
    """The least memory limit of the group and of those above it, in bytes; infinite without one."""
    limits = [_number(_text(folder / "memory.max")) for folder in _folders(root, group)]
    return min([*limits, _number(_text(root / "memory" / "memory.limit_in_bytes"))])


def _folders(root: Path, group: str) -> list[Path]:
    folder = root / group if ".." not in Path(group).parts else root
    return [folder, *(parent for parent in folder.parents if parent.is_relative_to(root))]


def _quota(text: str) -> float:
    """`quota period` in microseconds, where `max` means no quota."""
    parts = text.split()
    if len(parts) != 2:
        return math.inf
    quota, period = map(_number, parts)
    return quota / period if 0 < quota < math.inf and 0 < period < math.inf else math.inf


def _number(text: str) -> float:
    try:
        return float(int(text))
    except ValueError:
        return math.inf


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
