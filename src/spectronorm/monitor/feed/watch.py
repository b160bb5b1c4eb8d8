"""Watch loop: add incoming clips to a monitor and report each event as it happens."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spectronorm.errors import AudioError, SourceError
from spectronorm.front_end import Levels
from spectronorm.monitor.feed.incoming import Incoming
from spectronorm.monitor.monitor import Monitor
from spectronorm.monitor.verdict import Verdict
from spectronorm.runs.lock import output_lock
from spectronorm.short_repr import with_short_repr
from spectronorm.storage.content import Content
from spectronorm.storage.replacement import require_replaceable
from spectronorm.suggestion import known_keywords, known_settings


@known_settings
@with_short_repr
@dataclass(frozen=True)
class Event:
    """One incoming clip: the verdict after it, or the reason why it was left out.

    >>> from spectronorm.errors import AudioError, BadAudioReason
    >>> event = Event("a.wav", None, AudioError(BadAudioReason.UNREADABLE, "no sound in it"))
    >>> event.to_dict()
    {'name': 'a.wav', 'bad': 'unreadable', 'detail': 'no sound in it'}
    """

    name: str
    verdict: Verdict | None
    problem: AudioError | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        if self.problem is not None:
            return {"name": self.name, "bad": self.problem.reason.value, "detail": self.problem.detail}
        return {"name": self.name, **vars(self.verdict)}


@known_keywords
def watch(
    monitor: Monitor,
    incoming: Iterable[Incoming | None],
    tell: Callable[[Event | None], None],
    state: str | Path | None = None,
    *,
    lock: bool = True,
) -> None:
    """Feed clips to a monitor until there are no more.

    The state is saved each time a pane is full, when nothing new comes, and at the end, even after an error. It is
    locked meanwhile: a second watch on one state is refused, as each would undo what the other one saves.

    Args:
        monitor: The monitor.
        incoming: The clips; None means that there is nothing new.
        tell: Called with the event of each clip, and with None when there is nothing new.
        state: File in which the monitor's state is saved.
        lock: Lock the state; false for a caller who holds its `output_lock` since before the monitor was loaded.

    Raises:
        SourceError: if no usable clip came.
        OutputBusy: if another watch holds the state.
        OutputRefused: if something else than a state stands in its place.

    >>> import numpy as np, spectronorm as sn
    >>> from spectronorm.monitor import Incoming, Monitor
    >>> rng = np.random.default_rng(0)
    >>> profile = sn.fit([(0.1 * rng.standard_normal(8000), 16_000) for _ in range(40)], sn.FrontEnd(bands=sn.Mel(24)))
    >>> clips = [Incoming(f"{n}.wav", 0.1 * rng.standard_normal(8000), None, at=float(n)) for n in range(3)]
    >>> events = []
    >>> watch(Monitor(profile), clips, events.append)
    >>> [event.verdict.alarm for event in events]
    [False, False, False]
    """
    path = None if state is None else Path(state)
    if path is not None:
        require_replaceable(path, Content.CONTAINER)
    with output_lock(path) if lock and path is not None else nullcontext():
        _watch(monitor, incoming, tell, path)


def _watch(
    monitor: Monitor,
    incoming: Iterable[Incoming | None],
    tell: Callable[[Event | None], None],
    state: Path | None,
) -> None:
    unsaved = 0
    try:
        for clip in incoming:
            if clip is None:
                unsaved = _save(monitor, state, unsaved)
                tell(None)
                continue
            tell(_take(monitor, clip))
            unsaved += 1
            if unsaved >= monitor.window.pane_clips:
                unsaved = _save(monitor, state, unsaved)
    finally:
        _save(monitor, state, unsaved)
    if not monitor.clips:
        raise SourceError(
            f"the stream is empty: no clip came that could be used ({monitor.bad} bad); check what is to be watched"
        )


def _take(monitor: Monitor, clip: Incoming) -> Event:
    if clip.mark is not None:
        monitor.mark = clip.mark
    problem = clip.problem
    if clip.samples is not None:
        try:
            if isinstance(monitor.profile.front_end, Levels):
                return Event(clip.name, monitor.add_level(clip.samples, at=clip.at), None)
            return Event(clip.name, monitor.add(clip.samples, at=clip.at), None)
        except AudioError as error:
            problem = error
    monitor.skip()
    return Event(clip.name, None, problem)


def _save(monitor: Monitor, state: Path | None, unsaved: int) -> int:
    if state is not None and unsaved:
        monitor.save(state)
        return 0
    return unsaved
