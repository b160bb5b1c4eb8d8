"""A meter: levels that come in batches, added up to a profile."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from spectronorm.arrays import to_host
from spectronorm.errors import ArgumentError, AudioError, FileFormatError, LayoutWarning
from spectronorm.front_end import AnyFrontEnd
from spectronorm.front_end.axes import unconfirmed
from spectronorm.profile import gather
from spectronorm.profile.counting.counter import LevelCounter
from spectronorm.profile.counting.level_clip import LevelClip
from spectronorm.profile.counting.measurement import Measurement
from spectronorm.profile.groups import GroupKey
from spectronorm.profile.layout import check_layout, clips_of, frames_of_clips, group_values
from spectronorm.profile.profile import Profile
from spectronorm.storage import container
from spectronorm.suggestion import known_settings

KIND = "meter"
FORMAT = 1
Held = list[tuple[GroupKey, LevelClip]]


@known_settings
class Meter:
    """Measures levels computed elsewhere: batch by batch, exactly, in any order and on any number of machines.

    A clip is one entry of a batch, and the unit of standard errors. The profile is that of a pass over the same clips:
    batches of other sizes, padding, NumPy or torch, and meters that are added up do not change a byte of it.

    Args:
        front_end: A description of levels made elsewhere, or the front end that made them. Levels in float32 lie
            within 1e-5 of what a pass counts.
        layout: Axes of each batch, such as `bft` or `btf` (`b` batch, `c` channel, `f` band, `t` frame), unless each
            call says so. It is never guessed: a batch as long as it is high looks alike both ways.

    >>> import spectronorm as sn
    >>> meter = Meter(sn.Levels(bands=2, unit="dB", low=-100, high=50))
    >>> meter.add(np.full((3, 2, 5), -20.0), layout="bft").clips
    3
    """

    def __init__(self, front_end: AnyFrontEnd, layout: str | None = None) -> None:
        if not isinstance(front_end, AnyFrontEnd):
            raise ArgumentError(f"a meter takes Levels or a FrontEnd, not {type(front_end).__name__}")
        self.front_end = front_end
        self.layout = None if layout is None else check_layout(layout, front_end)
        self._counters: dict[GroupKey, LevelCounter] = {}
        self._before: dict[GroupKey, Measurement] = {}
        self._held: Held = []
        """The newest batch: in a distributed run it may repeat clips of other ranks."""
        self._clips = 0
        self._layout_told = False

    @property
    def clips(self) -> int:
        """Number of clips so far."""
        return self._clips

    def add(
        self,
        x: Any,
        *,
        lengths: Any = None,
        valid: Any = None,
        groups: Mapping[str, Any] | None = None,
        layout: str | None = None,
    ) -> Meter:
        """Take in a batch: all of it, or nothing when an error is raised.

        Args:
            x: Levels, a NumPy array or torch tensor of any floating-point type on any device.
            lengths: Number of real frames of each clip; those beyond are padding, and not counted.
            valid: Instead, a boolean mask `(batch, frame)` that is true up to each clip's end.
            groups: Columns such as `{"fold": fold}`, each with one value for the batch or one value a clip.
            layout: Axes of `x`, where the meter was made without. A `LayoutWarning` tells, once, if the first batch is
                square: its shape cannot confirm the layout then.

        Returns:
            This meter.

        Raises:
            ShapeError: if the axes, bands or channels are not the declared ones, or the type is not floating point.
            ArgumentError: if a value is not finite or out of range, a length does not fit, the batch is empty, or no
                layout is known.
        """
        axes = self.layout if layout is None else check_layout(layout, self.front_end)
        if axes is None:
            raise ArgumentError(
                'layout is not known: say layout="bft" (batch, band, frame) or another; it is never guessed'
            )
        clips = clips_of(x, axes, self.front_end)
        if not clips.size:
            raise ArgumentError(f"a batch of shape {tuple(x.shape)} holds no clips or no frames")
        frames = frames_of_clips(clips, lengths, valid)
        keys = _keys(groups or {}, len(clips))
        held: Held = []
        for index, (clip, count) in enumerate(zip(clips, frames, strict=True)):
            try:
                held.append((keys[index], LevelClip.of(clip[:, :count], self.front_end)))
            except AudioError as error:
                raise ArgumentError(f"clip {index} of the batch: {error.detail}; nothing of it was counted") from None
        self._check_layout(tuple(x.shape), axes)
        self._settle()
        self._held = held
        self._clips += len(held)
        return self

    def _check_layout(self, shape: tuple[int, ...], layout: str) -> None:
        """Warn once, unless the shape of some batch has confirmed the layout, or this one does."""
        if self._layout_told:
            return
        problem = unconfirmed(shape, layout)
        self._layout_told = True
        if problem is not None:
            warnings.warn(f"a batch of shape {shape} has {problem}", LayoutWarning, stacklevel=4)

    def profile(self) -> Profile:
        """The profile of everything so far; raises `ArgumentError` when that is nothing."""
        measured = self._measurements(self._held)
        if not measured:
            raise ArgumentError("the meter has seen no clip: add batches first")
        return Profile(self.front_end, measured, from_levels=True)

    def reset(self) -> None:
        """Forget everything so far."""
        self._counters, self._before, self._held, self._clips = {}, {}, [], 0

    def __add__(self, other: Meter) -> Meter:
        """A meter of what both have seen; raises `FrontEndMismatch` when their levels differ."""
        if not isinstance(other, Meter):
            return NotImplemented
        self.front_end.require_same(other.front_end, "the other meter")
        total = Meter(self.front_end, self.layout)
        total._before = self._measurements(self._held)
        for key, measurement in other._measurements(other._held).items():
            mine = total._before.get(key)
            total._before[key] = measurement if mine is None else Measurement.sum([mine, measurement])
        total._clips = self._clips + other._clips
        return total

    def __radd__(self, other: object) -> Meter:
        """So that `sum(meters)` works."""
        return self if other == 0 else NotImplemented

    def update(self, x: Any, **rest: Any) -> None:
        """`add`, by the name that torchmetrics uses."""
        self.add(x, **rest)

    def compute(self) -> Profile:
        """`profile`, by the name that torchmetrics uses."""
        return self.profile()

    def partial_fit(self, X: Any, y: object = None, **rest: Any) -> Meter:  # noqa: ARG002  (scikit-learn passes labels)
        """`add`, by the name that scikit-learn uses."""
        return self.add(X, **rest)

    def gathered(self, group: Any = None, *, clips: int | None = None) -> Meter:
        """Combine the clips of all ranks of a `torch.distributed` run, on every rank; nothing is pickled.

        A `DistributedSampler` repeats clips to give all ranks an equal number. With `clips`, the size of the data set,
        the surplus is found by digest in the last batch of each rank, and counted once: the profile is then identical,
        byte by byte, to the profile of a single process.

        Args:
            group: The process group; by default all ranks.
            clips: Number of clips of the data set; by default everything counts.

        Raises:
            ArgumentError: if there is no process group, or the surplus is not a repetition.
            FrontEndMismatch: if the ranks measure different levels.
        """
        ranks = gather.Ranks(group)
        kept = self._held
        digests = [digest for m in self._measurements([]).values() for digest in m.digests]
        if clips is not None:
            drop = gather.repeats(ranks, digests, [clip.digest for _, clip in kept], clips)
            kept = [one for index, one in enumerate(kept) if index not in drop]
        total = Meter(self.front_end, self.layout)
        own = self._measurements(kept)
        packed = container.pack(*Profile(self.front_end, own, from_levels=True).to_container()) if own else b""
        for data in ranks.exchange(packed):
            if not data:
                continue
            part = Profile.from_container(*container.unpack(data, "another rank"), Path("another rank"))
            self.front_end.require_same(part.front_end, "the meter of another rank")
            for key, measurement in part.groups.items():
                mine = total._before.get(key)
                total._before[key] = measurement if mine is None else Measurement.sum([mine, measurement])
            total._clips += part.clips
        return total

    def save(self, path: str | Path) -> None:
        """Write everything so far, whole or not at all, so that `load` continues from there."""
        container.save_tensors(Path(path), *self._contents())

    @classmethod
    def load(cls, path: str | Path, front_end: AnyFrontEnd, layout: str | None = None) -> Meter:
        """Load a saved meter, which continues where it stopped.

        Raises:
            FileFormatError: if the file is not a sound one.
            FrontEndMismatch: if it measured other levels.
        """
        meter = cls(front_end, layout)
        meter._take(*container.load_tensors(Path(path)), str(path))
        return meter

    def state_dict(self) -> dict[str, Any]:
        """Everything so far as one array of bytes, for a checkpoint: a torch tensor where torch is in use."""
        return {"meter": gather.as_tensor(container.pack(*self._contents()))}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Make a meter with this state; raises what `load` raises."""
        try:
            data = to_host(state["meter"]).astype(np.uint8, casting="safe").tobytes()
        except (KeyError, TypeError, AttributeError) as error:
            raise FileFormatError(f"the state of a meter is damaged ({error!r})") from None
        self._take(*container.unpack(data, "the state of a meter"), "the state of a meter")

    def __repr__(self) -> str:
        return f"Meter({self._clips} clips, {self.front_end.n_bands} bands, {self.front_end.unit})"

    def _settle(self) -> None:
        """Count the batch that was held."""
        for key, clip in self._held:
            if key not in self._counters:
                self._counters[key] = LevelCounter(self.front_end)
            clip.count_in(self._counters[key], self.front_end)
        self._held = []

    def _measurements(self, held: Held) -> dict[GroupKey, Measurement]:
        """Yield the final counts, and the counts of these clips."""
        parts: dict[GroupKey, list[Measurement]] = {key: [m] for key, m in self._before.items()}
        for key, counter in self._counters.items():
            counted = counter.measurement()
            if counted is not None:
                parts.setdefault(key, []).append(counted)
        newest: dict[GroupKey, LevelCounter] = {}
        for key, clip in held:
            clip.count_in(newest.setdefault(key, LevelCounter(self.front_end)), self.front_end)
        for key, counter in newest.items():
            counted = counter.measurement()
            if counted is not None:
                parts.setdefault(key, []).append(counted)
        return {key: Measurement.sum(several) for key, several in parts.items()}

    def _contents(self) -> tuple[dict[str, Any], container.Tensors]:
        counted = self._measurements([])
        header: dict[str, Any] = {"kind": KIND, "format": FORMAT, "profile": None}
        tensors: container.Tensors = {}
        if counted:
            header["profile"], own = Profile(self.front_end, counted, from_levels=True).to_container()
            tensors |= {f"profile.{name}": tensor for name, tensor in own.items()}
        header["front_end"] = self.front_end.to_dict()
        header["held"] = [[list(pair) for pair in key] for key, _ in self._held]
        tensors |= {f"held.{index}": clip.gridded for index, (_, clip) in enumerate(self._held)}
        return header, tensors

    def _take(self, header: Mapping[str, Any], tensors: container.Tensors, name: str) -> None:
        if header.get("kind") != KIND or header.get("format") != FORMAT:
            raise FileFormatError(f"{name}: is not the state of a meter; write one with Meter.save")
        try:
            before: dict[GroupKey, Measurement] = {}
            if header["profile"] is not None:
                own = {key[8:]: value for key, value in tensors.items() if key.startswith("profile.")}
                part = Profile.from_container(header["profile"], own, Path(name))
                self.front_end.require_same(part.front_end, name)
                before = dict(part.groups)
            steps = self.front_end.grid.steps
            held = [
                (tuple((str(a), str(b)) for a, b in key), LevelClip.of(tensors[f"held.{i}"] / steps, self.front_end))
                for i, key in enumerate(header["held"])
            ]
            _require_bands(held, self.front_end)
        except (KeyError, TypeError, ValueError, IndexError, AudioError) as error:
            raise FileFormatError(f"{name}: the state of the meter is damaged ({error})") from None
        self._counters, self._before, self._held = {}, before, held
        self._clips = sum(m.clips for m in before.values()) + len(held)


def _require_bands(held: Held, front_end: AnyFrontEnd) -> None:
    if any(clip.gridded.shape[0] != front_end.n_bands for _, clip in held):
        raise ValueError("a clip has other bands")


def _keys(groups: Mapping[str, Any], count: int) -> list[GroupKey]:
    """The group of each clip: the columns in the order of their names."""
    if not isinstance(groups, Mapping):
        raise ArgumentError(f"groups={groups!r:.200} must name columns, such as groups={{'fold': fold}}")
    columns = {str(name): group_values(values, count, str(name)) for name, values in groups.items()}
    return [tuple((name, columns[name][index]) for name in sorted(columns)) for index in range(count)]
