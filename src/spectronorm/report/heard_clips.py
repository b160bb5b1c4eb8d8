"""Excerpts of watched and of training clips, so that a page about drift can be listened to."""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.audio import Source
from spectronorm.errors import AudioError
from spectronorm.front_end import FrontEnd
from spectronorm.monitor import Event, Incoming, Monitor
from spectronorm.monitor.clips.baseline import UNIT_SCORE
from spectronorm.printable import printable
from spectronorm.profile import Profile
from spectronorm.report.clip_excerpt import ClipExcerpt, excerpt_of
from spectronorm.report.html import embedded

_NEWEST = 32
_SHOWN = 4


@dataclass(frozen=True, eq=False)
class HeardClip:
    """A clip for a page: its name, its first seconds, and its distance from the training clips if it was watched."""

    name: str
    excerpt: ClipExcerpt
    distance: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return what a page's template shows."""
        return {
            "name": printable(self.name),
            "distance": self.distance,
            "picture": embedded(self.excerpt.picture()),
            "sound": base64.b64encode(self.excerpt.flac()).decode(),
        }


class WatchedClips:
    """Keeps the newest clips of a watch, of which a page plays those that are least like the training clips.

    The distance of a clip is the root mean square of its features' normal scores among the training clips: about 1 for
    a training clip.
    """

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor
        self._next: Incoming | None = None
        self._kept: deque[HeardClip] = deque(maxlen=_NEWEST)

    def passing(self, incoming: Iterable[Incoming | None]) -> Iterator[Incoming | None]:
        """Yield the incoming clips, and remember the last one for `take`."""
        for self._next in incoming:
            yield self._next

    def take(self, event: Event) -> None:
        """Keep the last clip if the monitor has counted it."""
        clip, features, front_end = self._next, self._monitor.features, self._monitor.profile.front_end
        if event.verdict is None or features is None or not isinstance(front_end, FrontEnd):
            return
        if clip is None or clip.samples is None:
            return
        scores = self._monitor.baseline.scores(features) / UNIT_SCORE
        distance = float(np.sqrt(np.mean(scores**2)))
        self._kept.append(HeardClip(clip.name, _excerpt(clip.samples, front_end.sample_rate), distance))

    def farthest(self) -> list[HeardClip]:
        """Return the clips that are least like the training clips, the farthest first."""
        return sorted(self._kept, key=lambda clip: -(clip.distance or 0.0))[:_SHOWN]

    @property
    def kept(self) -> int:
        """Number of clips that `farthest` chooses from."""
        return len(self._kept)


def heard_training_clips(source: Source, profile: Profile) -> list[HeardClip]:
    """Read a few clips of a training set, evenly spaced over its list, as a monitor hears them; unreadable ones not."""
    front_end, found = profile.front_end, list[HeardClip]()
    if not isinstance(front_end, FrontEnd):
        return found
    for index in np.unique(np.linspace(0, len(source) - 1, _SHOWN + 1).astype(int))[:_SHOWN]:
        clip = source.clips[index]
        try:
            read = source.reader.read(
                clip, front_end.sample_rate, duration=profile.duration, resampler=front_end.resampler
            )
        except AudioError:
            continue
        found.append(HeardClip(clip.name, _excerpt(read.valid, front_end.sample_rate)))
    return found


def _excerpt(samples: NDArray[np.floating[Any]], sample_rate: int) -> ClipExcerpt:
    return excerpt_of(sample_rate, [np.asarray(samples, dtype=np.float32)[:, None]])
