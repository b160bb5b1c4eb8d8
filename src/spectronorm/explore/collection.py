"""Everything that one page shows: clips by number, front end, profiles, and the measurement in the background."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from spectronorm.arrays.rounding import CONSTANT_VARIANCE
from spectronorm.audio import ClipReference, Source, Windows
from spectronorm.errors import ArgumentError, AudioError
from spectronorm.explore.clip_view import ClipView, TimeAxis, view_clip
from spectronorm.explore.listener import Heard, Listener
from spectronorm.explore.raised_floor import LevelCounts
from spectronorm.explore.settings import Exported, Options, Places, Settings, export
from spectronorm.front_end import AnyFrontEnd, Levels
from spectronorm.kernels.jit import without_loading
from spectronorm.normalize import NORMALIZERS, PerClip, normalizer, normalizer_names
from spectronorm.printable import printable
from spectronorm.profile import Profile
from spectronorm.version import __version__

if TYPE_CHECKING:
    from spectronorm.explore.round_trip import TurnedBack

_CLIPS_AT_ONCE, _NEWS_AT_ONCE = 20_000, 5_000
_LABELS = ("label", "category")
_KEPT = 8
"""Clips that are kept for the requests that belong together."""
THIS_SOURCE = "this source"


@dataclass(frozen=True, eq=False)
class Explored:
    """The source, the front end that makes its levels, and named profiles of that front end, the first as reference.

    Attributes:
        title: Source as it was given.
        source: The clips.
        front_end: Front end of everything shown.
        profiles: Profiles by the names of their files.
        options: Gives the command-line options of a front end.
        windows: Windows that recordings were cut into; None if they were not.
    """

    title: str
    source: Source
    front_end: AnyFrontEnd
    profiles: Mapping[str, Profile]
    options: Options
    windows: Windows | None = None

    def __post_init__(self) -> None:
        for name, profile in self.profiles.items():
            self.front_end.require_same(profile.front_end, name)


class Collection:
    """Answers to the page's questions, as plain JSON values and bytes; any number of threads may ask."""

    def __init__(self, explored: Explored, workers: int = 1) -> None:
        self._of, self.clips = explored, explored.source.clips
        first = next(iter(explored.profiles.values()), None)
        self.listener = Listener(explored.source, explored.front_end, first, workers)
        self._views: Callable[[int], ClipView] = lru_cache(maxsize=_KEPT)(self._read)
        self._backs: Callable[[int, float, float], TurnedBack] = lru_cache(maxsize=_KEPT)(self._turn_back)
        # Requests that belong together come at once: one of them does the work, and the others wait for it.
        self._reading, self._turning = ([Lock() for _ in range(_KEPT)] for _ in range(2))

    @property
    def count(self) -> int:
        """Number of clips."""
        return len(self.clips)

    def about(self) -> dict[str, Any]:
        """Return what does not change while the page is open."""
        front_end, axis = self._of.front_end, TimeAxis.of(self._of.front_end)
        hz = front_end.band_hz()
        return {
            "version": __version__,
            "title": printable(self._of.title),
            "clips": self.count,
            "sound": not isinstance(front_end, Levels),
            "unit": printable(front_end.unit),
            "floor": front_end.floor,
            "rows": front_end.n_bands,
            "hz": hz.tolist() if np.isfinite(hz).all() else None,
            "frameStep": axis.step,
            "firstFrame": axis.first,
            "fingerprint": front_end.fingerprint,
            "constantVariance": CONSTANT_VARIANCE,
            "normalizations": _normalizations(),
            "given": [printable(name) for name in self._of.profiles],
        }

    def names(self, first: int) -> dict[str, Any]:
        """Return names, labels and other columns of some clips from number `first` on."""
        some = self.clips[first : first + _CLIPS_AT_ONCE]
        return {"first": first, "total": self.count, "rows": [[printable(c.name), *_columns(c)] for c in some]}

    def heard(self, since: int) -> dict[str, Any]:
        """Return news of the measurement from number `since` on."""
        progress = self.listener.progress()
        news = self.listener.since(since, _NEWS_AT_ONCE)
        return {
            "heard": progress.heard,
            "inspected": progress.inspected,
            "total": progress.total,
            "done": progress.done,
            "problem": progress.problem,
            "next": since + len(news),
            "news": [_news(one) for one in news],
            "profiles": list(self.profiles()),
        }

    def clip(self, number: int) -> dict[str, Any]:
        """Return facts about a clip.

        Raises:
            AudioError: if it cannot be read.
        """
        clip, view = self.clips[number], self._view(number)
        return {
            "name": printable(clip.name),
            "columns": {printable(name): printable(value) for name, value in clip.columns.items()},
            "frames": view.level.shape[1],
            "seconds": view.seconds,
            "remarks": [printable(remark) for remark in view.remarks],
        }

    def level(self, number: int) -> bytes:
        """Return a clip's level as float32, little-endian, row by row; the measurement waits for the first one."""
        try:
            return _bytes(self._view(number).level)
        finally:
            self.listener.begin()

    def prepare(self) -> None:
        """Compute the first clip while a browser opens the page."""
        with suppress(AudioError, IndexError):  # the page says why
            self._view(0)

    def wav(self, number: int) -> bytes:
        """Return a clip's sound.

        Raises:
            ArgumentError: if the source holds levels.
        """
        found = self._view(number).wav
        if found is None:
            raise ArgumentError("this source holds levels that were made elsewhere: there is no sound to play")
        return found

    def turned_back(self, number: int, low: float, high: float) -> TurnedBack:
        """Return the clip's image with this range, and the sound made of it; see `turn_back` for the errors."""
        with self._turning[number % _KEPT]:
            return self._backs(number, low, high)

    def back(self, number: int, low: float, high: float) -> dict[str, Any]:
        """Return facts about the image and its sound; the difference is that of the levels within the image's range."""
        found = self.turned_back(number, low, high)
        shown = (np.clip(one.astype(np.float64), low, high) for one in (found.level, self._view(number).level))
        difference = np.abs(np.subtract(*shown))
        return {
            "bytes": len(found.png),
            "clipped": found.clipped,
            "frames": found.level.shape[1],
            "difference": float(difference.mean()),
        }

    def profiles(self) -> dict[str, Profile]:
        """Profiles by name: those given, and that of the source once it is measured."""
        found = dict(self._of.profiles)
        own = self.listener.profile
        if own is not None:
            found[THIS_SOURCE] = own
        return {printable(name): profile for name, profile in found.items()}

    def profile(self, name: str) -> dict[str, Any]:
        """Return figures of a profile, by band and pooled, and the maps of normalizers that were fitted to it.

        Raises:
            ArgumentError: if there is no such profile.
        """
        profile = self._profile(name)
        return {
            "name": name,
            "clips": profile.clips,
            "frames": profile.frames,
            "seconds": profile.seconds if math.isfinite(profile.seconds) else None,
            "excludeFloor": profile.exclude_floor,
            "band": _counts(LevelCounts.of(profile)),
            "pooled": _counts(LevelCounts.of(profile, pooled=True)),
            "maps": _maps(profile),
        }

    def histogram(self, name: str) -> bytes:
        """Return the counts above the floor as float64, little-endian, band by band."""
        return _bytes(LevelCounts.of(self._profile(name)).histogram)

    def settings(self, number: int, settings: Settings, profile: str | None) -> Exported:
        """Return the settings as a program and as commands; see `export` for the errors."""
        given = {printable(name): name for name in self._of.profiles}
        places = Places(self._of.title, given.get(profile or ""), self.clips[number], self._of.windows)
        return export(self._of.front_end, settings, places, self._of.options)

    def _profile(self, name: str) -> Profile:
        known = self.profiles()
        if name not in known:
            raise ArgumentError(
                f"profile={name!r} is none of {', '.join(known) or 'the profiles, for there is none yet'}"
            )
        return known[name]

    def _view(self, number: int) -> ClipView:
        with self._reading[number % _KEPT]:
            return self._views(number)

    def _read(self, number: int) -> ClipView:
        # The first picture does not wait for numba, which the listener loads.
        with nullcontext() if self.listener.has_begun else without_loading():
            return view_clip(self.clips[number], self._of.front_end, self._of.source.reader)

    def _turn_back(self, number: int, low: float, high: float) -> TurnedBack:
        from spectronorm.explore.round_trip import turn_back  # images and inversion take long to import

        return turn_back(self._view(number), self._of.front_end, low, high, self.clips[number].name)


def _normalizations() -> list[dict[str, Any]]:
    """Names and settings of the normalizers with one map for all clips or for each, which the page can apply."""
    known = {name: normalizer(name) for name in normalizer_names()}
    shown = {name: one for name, one in known.items() if not one.maps_clips or isinstance(one, PerClip)}
    return [{"name": name, "kind": NORMALIZERS.to_plain(one)} for name, one in shown.items()]


def _columns(clip: ClipReference) -> tuple[str, str]:
    """The label, and the other columns in one text."""
    label = next((name for name in _LABELS if name in clip.columns), None)
    rest = (f"{name}={value}" for name, value in clip.columns.items() if name != label)
    return printable(clip.columns[label]) if label else "", printable(" ".join(rest))


def _news(heard: Heard) -> list[Any]:
    found = heard.oddness
    numbers = [None, None, None] if found is None else [found.distance, found.band, found.deviation]
    return [heard.clip, *numbers, [printable(remark) for remark in heard.remarks], heard.bad]


def _counts(counts: LevelCounts) -> dict[str, Any]:
    names = ("count", "mean", "std", "min", "max", "on_floor")
    lists = {name: getattr(counts, name).tolist() for name in names}
    return {**lists, "floor": counts.floor, "firstCell": counts.first_cell, "cellWidth": counts.cell_width}


def _maps(profile: Profile) -> dict[str, Any]:
    """Shift and scale of every normalizer with one map of the data set, one number or one for each row."""
    found = {}
    for name in normalizer_names():
        kind = normalizer(name)
        if kind.maps_clips or not kind.needs_data:
            continue
        affine = kind.fit(profile).affine
        if affine is not None:
            found[name] = {"shift": affine.shift.ravel().tolist(), "scale": affine.scale.ravel().tolist()}
    return found


def _bytes(values: np.ndarray[Any, Any]) -> bytes:
    return values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()
