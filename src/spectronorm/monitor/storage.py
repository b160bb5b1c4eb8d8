"""Storage of a monitor's state: one safetensors file, written atomically and validated when it is read."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.errors import FileFormatError, FrontEndMismatch
from spectronorm.front_end import AnyFrontEnd, any_front_end
from spectronorm.monitor.clips.baseline import Baseline
from spectronorm.monitor.false_alarms import FalseAlarms
from spectronorm.monitor.history import History
from spectronorm.monitor.recent import Pane
from spectronorm.monitor.seen_files import SeenFiles
from spectronorm.monitor.window import Window
from spectronorm.profile import GroupKey, Measurement, Profile
from spectronorm.storage import container, refuse_damage
from spectronorm.version import __version__

_KIND = "monitor"
_FORMAT = 3
_PANE = "pane"
_MOST = (1 << 63) - 1


@dataclass(frozen=True)
class Saved:
    """Content of a state file."""

    state: Mapping[str, Any]
    window: Window
    baseline: Baseline
    panes: Sequence[tuple[int, Pane]]
    history: History
    seen: SeenFiles


def reference_of(profile: Profile) -> str:
    """16 hexadecimal digits that identify a profile's numbers."""
    total = profile.total
    digest = hashlib.sha256(profile.front_end.fingerprint.encode())
    for array in (total.count, total.total, total.squares, total.rms, total.digests):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def save_state(
    path: Path,
    front_end: AnyFrontEnd,
    state: Mapping[str, Any],
    baseline: Baseline,
    panes: Sequence[tuple[int, Pane]],
    history: History,
    seen: SeenFiles,
) -> None:
    """Write the monitor's state, without its profile."""
    tensors: container.Tensors = {f"baseline.{name}": value for name, value in baseline.to_tensors().items()}
    tensors |= {f"history.{name}": value for name, value in history.to_tensors().items()}
    tensors["seen"] = seen.to_array()
    header = {
        "kind": _KIND,
        "format": _FORMAT,
        "version": __version__,
        "front_end": front_end.to_dict(),
        "fingerprint": front_end.fingerprint,
        "state": dict(state),
        "panes": None,
    }
    if panes:
        # The window's panes are stored, and checked, as the groups of a profile.
        groups: dict[GroupKey, Measurement] = {((_PANE, f"{number:020d}"),): pane.measurement for number, pane in panes}
        header["panes"], counted = Profile(front_end, groups).to_container()
        tensors |= {f"panes.{name}": value for name, value in counted.items()}
        in_order = [pane for _, pane in sorted(panes, key=lambda item: item[0])]
        tensors["scores"] = np.stack([pane.scores for pane in in_order])
        tensors["moments"] = np.stack([pane.moments.sums for pane in in_order])
    container.save_tensors(path, header, tensors)


def load_state(path: Path, profile: Profile) -> Saved:
    """Read the state that `save` wrote.

    Raises:
        FileFormatError: if the file is not a valid monitor state.
        FrontEndMismatch: if the state belongs to another profile.
    """
    header, tensors = container.load_tensors(path)
    if header.get("kind") != _KIND or header.get("format") != _FORMAT:
        raise FileFormatError(
            f"{path}: holds a {header.get('kind')!r} of format {header.get('format')!r}, but the state of a monitor of "
            f"format {_FORMAT} is needed; write one with spectronorm watch --state"
        )
    with refuse_damage(path, "the monitor's state", "start a new one"):
        front_end = any_front_end(header["front_end"])
        profile.front_end.require_same(front_end, f"{path}")
        if header["state"]["reference"] != reference_of(profile):
            raise FrontEndMismatch(
                f"{path}: is the state of a monitor of another profile; start a new one, or give the profile that it "
                "was started with"
            )
        return _parse(header, tensors, front_end, path)


def _parse(header: Mapping[str, Any], tensors: container.Tensors, front_end: AnyFrontEnd, path: Path) -> Saved:
    state = header["state"]
    window = Window(**state["window"])
    _check_state(state)
    FalseAlarms(state["per_clip"])
    if not isinstance(state["measured"], bool):
        raise TypeError("measured is neither true nor false")
    baseline = Baseline.from_tensors(front_end, _part(tensors, "baseline"), measured=state["measured"])
    history = History.from_tensors(front_end.n_bands, _part(tensors, "history"))
    seen = SeenFiles.from_array(tensors.get("seen"))
    if header["panes"] is None:
        return Saved(state, window, baseline, (), history, seen)
    counted = Profile.from_container(header["panes"], _part(tensors, "panes"), path)
    scores, moments = tensors["scores"], tensors["moments"]
    if counted.front_end != front_end or not scores.dtype == moments.dtype == np.int64:
        raise ValueError("the panes are not of this front end")
    if scores.shape != (len(counted.groups), len(baseline.columns)):
        raise ValueError("the scores do not fit the panes")
    if moments.shape != (len(counted.groups), 2, baseline.rows.shape[1]):
        raise ValueError("the moments do not fit the panes")
    panes = [
        (int(dict(key)[_PANE]), Pane.of_measurement(front_end, measurement, row, sums))
        for (key, measurement), row, sums in zip(counted.groups.items(), scores, moments, strict=True)
    ]
    return Saved(state, window, baseline, panes, history, seen)


def _part(tensors: container.Tensors, name: str) -> dict[str, NDArray[Any]]:
    prefix = f"{name}."
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def _check_state(state: Mapping[str, Any]) -> None:
    for name in ("clips", "bad", "alarms", "newest", "seed"):
        if type(state[name]) is not int or not 0 <= state[name] <= _MOST:
            raise ValueError(f"{name} is not a whole number")
    for name in ("last_alarm", "alarm_pane"):
        if state[name] is not None and not (type(state[name]) is int and 0 <= state[name] <= _MOST):
            raise ValueError(f"{name} is not a whole number")
    mark = state["mark"]
    if mark is not None and not (
        isinstance(mark, list) and [type(part) for part in mark] == [int, str] and abs(mark[0]) <= _MOST
    ):
        raise ValueError("the mark is not a time and a name")
    for name in ("threshold", "per_clip"):
        if not isinstance(state[name], float) or not math.isfinite(state[name]):
            raise ValueError(f"{name} is not a number")
