"""Counter: adds clips, one after the other, to the integers of a measurement."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
import xxhash
from numpy.typing import NDArray

from spectronorm.arrays import as_single, readable_numbers
from spectronorm.audio.clip import flatness, highest_magnitude
from spectronorm.errors import ArgumentError, AudioError, BadAudioReason, ShapeError
from spectronorm.front_end import AnyFrontEnd, Levels
from spectronorm.kernels.buffers import Workspace
from spectronorm.kernels.sums import mean_square
from spectronorm.profile.counting import clip_histograms, int128
from spectronorm.profile.counting.histogram import Histogram
from spectronorm.profile.counting.kernel import count_clips, put_on_grid
from spectronorm.profile.counting.layout import NONE_ABOVE, PRODUCTS
from spectronorm.profile.counting.measurement import DIGEST_BYTES, Measurement, sorted_digests
from spectronorm.suggestion import known_settings

_WAITING_CELLS = 1 << 18
"""Number of gridded cells that wait to be counted together: 1 MB."""
_MOST = (1 << 31) - 1


@dataclass(frozen=True)
class Recorded:
    """Properties of a clip as recorded, independent of the front end.

    `flat` is true for a silent or constant clip; peak and RMS are amplitudes; `tops` is the share of the samples near
    the peak, which a monitor looks at.
    """

    samples: int
    peak: float
    rms: float
    flat: bool
    digest: bytes
    tops: float = 0.0

    @classmethod
    def of(cls, samples: NDArray[np.float32], flat: bool | None = None) -> Recorded:
        """Measure the samples without padding; `flat` overrides the measured value."""
        samples = np.ascontiguousarray(as_single(samples))
        every = samples.reshape(-1)  # of a stack, the samples of all channels
        peak, rms = highest_magnitude(every), math.sqrt(mean_square(every, 0.0))
        alike = flatness(every) is not None if flat is None else flat
        return cls(samples.shape[-1], peak, rms, alike, digest(samples))


@known_settings
class LevelCounter:
    """Counts clips, one after the other, into the integers of a `Measurement`.

    A given `workspace` must be used by this counter alone until its measurement is made.

    >>> import numpy as np, spectronorm as sn
    >>> counter = LevelCounter(sn.FrontEnd(bands=sn.Mel(40)))
    >>> counter.add((0.1 * np.random.default_rng(0).standard_normal(16_000)).astype(np.float32))
    >>> measured = counter.measurement()
    >>> measured.clips, measured.frames
    (1, 81)
    """

    def __init__(self, front_end: AnyFrontEnd, workspace: Workspace | None = None) -> None:
        bands, grid = front_end.n_bands, front_end.grid
        self._front_end = front_end
        self._grid = grid
        self._workspace = Workspace() if workspace is None else workspace
        self._waiting = self._room(0)
        self._bounds = [0]
        self._floor, self._floor_follows = grid.integer(front_end.floor), front_end.floor_follows_highest
        self._floors: list[int] = []
        self._moments = np.zeros((bands, 6), dtype=np.int64)
        self._moments[:, 2] = np.iinfo(np.int64).max
        self._moments[:, 3] = np.iinfo(np.int64).min
        self._moments[:, 5] = NONE_ABOVE
        self._flat_moments = np.zeros((bands, 2), dtype=np.int64)
        self._flat_squares = int128.zeros(bands)
        self._squares = int128.zeros(bands)
        self._products = int128.zeros(bands + 1, PRODUCTS)
        self._histogram = Histogram(bands, partial(self._workspace.array, "histogram"))
        self._rms = np.zeros(clip_histograms.DBFS_CELLS, dtype=np.int64)
        self._peak = np.zeros(clip_histograms.DBFS_CELLS, dtype=np.int64)
        self._length = np.zeros(clip_histograms.LENGTH_CELLS, dtype=np.int64)
        self._digests: list[bytes] = []
        self._samples = 0
        self._frames = 0
        self._flat = 0

    def add(self, samples: NDArray[np.float32], *, flat: bool | None = None) -> None:
        """Count one clip, given its samples without padding, `(sample,)`, or `(channel, sample)` of stacked channels.

        `flat` marks the clip as silent or constant; by default this is found from the samples.

        Raises:
            AudioError: if the clip is not finite, too short, or its level leaves the grid; nothing is counted then.
            ShapeError: if the samples are no array of floats with these axes.
        """
        front_end = self._front_end
        if isinstance(front_end, Levels):
            raise ArgumentError(f"measuring samples: {front_end.refusal}")
        channels = front_end.level_shape[:-1]
        is_floats = isinstance(samples, np.ndarray) and samples.dtype.kind == "f" and samples.ndim > 0
        if not is_floats or samples.shape[:-1] != channels:
            axes = f"({channels[0]} channels, sample)" if channels else "(sample,)"
            raise ShapeError(f"a clip must be a NumPy array {axes} of floats in [-1, 1], without padding")
        if channels:
            self.add_level(front_end.clip_level(samples), samples, flat=flat)
            return
        frames = front_end.frames(len(samples))
        start = self._make_room(frames)
        lowest, highest = _MOST, -_MOST
        for at, count, level in front_end.clip_blocks(samples, self._workspace):
            low, high = put_on_grid(level, count, float(self._grid.steps), self._waiting, start + at)
            lowest, highest = min(lowest, low), max(highest, high)
        self._count(frames, lowest, highest, Recorded.of(samples, flat))

    def add_level(self, level: NDArray[np.float64], samples: NDArray[np.float32], *, flat: bool | None = None) -> None:
        """Count one clip with a known level `(band, frame)` and the samples that the level was made from.

        Raises:
            AudioError: if the level leaves the grid; nothing is counted then.
        """
        frames = level.shape[1]
        start = self._make_room(frames)
        lowest, highest = put_on_grid(
            np.ascontiguousarray(readable_numbers(level)), frames, float(self._grid.steps), self._waiting, start
        )
        self._count(frames, lowest, highest, Recorded.of(samples, flat))

    def add_gridded(
        self, gridded: NDArray[np.int32], lowest: int, highest: int, recorded: Recorded, *, top: int | None = None
    ) -> None:
        """Count one clip whose level `(band, frame)` is on the grid already, with its lowest and highest value.

        `top` is the highest level of the whole clip if these are not all of its frames: a floor may depend on it.

        Raises:
            AudioError: if the level leaves the grid; nothing is counted then.
        """
        frames = gridded.shape[1]
        start = self._make_room(frames)
        self._waiting[:, start : start + frames] = gridded
        self._count(frames, lowest, highest, recorded, top)

    def _room(self, frames: int) -> NDArray[np.int32]:
        bands = self._front_end.n_bands
        return self._workspace.array("waiting", (bands, max(frames, _WAITING_CELLS // bands)), np.int32)

    def _make_room(self, frames: int) -> int:
        """Make room for the next clip, and return the position of its first frame."""
        if self._bounds[-1] + frames > self._waiting.shape[1]:
            self._count_waiting()
            self._waiting = self._room(frames)
        return self._bounds[-1]

    def _count(self, frames: int, lowest: int, highest: int, recorded: Recorded, top: int | None = None) -> None:
        if not recorded.peak < math.inf:
            raise AudioError(BadAudioReason.NOT_FINITE, "it holds NaN or infinite samples")
        require_on_grid(self._front_end, lowest, highest)
        if self._frames + frames >= 2**31:
            raise ArgumentError("a counter holds fewer than 2^31 frames; measure in parts and add them up")
        self._histogram.hold(self._frames + frames)
        self._histogram.cover(lowest >> self._grid.cell_bits, (highest >> self._grid.cell_bits) + 1)
        floor = self._floor
        if self._floor_follows:
            loudest = (highest if top is None else top) / self._grid.steps
            floor = self._grid.integer(self._front_end.clip_floor(loudest))
        if recorded.flat:
            self._count_flat(frames, floor)
        else:
            self._bounds.append(self._bounds[-1] + frames)
            self._floors.append(floor)
        self._frames += frames
        self._count_waveform(recorded)

    def _count_flat(self, frames: int, floor: int) -> None:
        """Count a clip at once, and add its share to the sums of flat clips."""
        self._count_waiting(self._bounds[-1])
        before = self._moments[:, :2].copy(), self._squares.copy()
        self._bounds.append(self._bounds[-1] + frames)
        self._floors.append(floor)
        self._count_waiting()
        self._flat += 1
        self._flat_moments += self._moments[:, :2] - before[0]
        self._flat_squares = int128.normalized(self._flat_squares + self._squares - before[1])

    def _count_waiting(self, first: int = 0) -> None:
        """Count the waiting clips; the next clips are placed from the frame `first` on."""
        if self._floors:
            count_clips(
                self._waiting,
                np.array(self._bounds),
                np.array(self._floors),
                self._grid.cell_bits,
                self._histogram.first_cell,
                self._moments,
                self._squares,
                self._histogram.counts,
                self._products,
            )
        self._bounds, self._floors = [first], []

    def _count_waveform(self, recorded: Recorded) -> None:
        self._rms[clip_histograms.dbfs_cell(recorded.rms)] += 1
        self._peak[clip_histograms.dbfs_cell(recorded.peak)] += 1
        self._length[clip_histograms.length_cell(recorded.samples)] += 1
        self._digests.append(recorded.digest)
        self._samples += recorded.samples

    def measurement(self) -> Measurement | None:
        """Return the measurement so far, or None if nothing was counted."""
        if not self._digests:
            return None
        self._count_waiting()
        first, histogram = self._histogram.covered()
        digests = np.frombuffer(b"".join(self._digests), dtype=np.uint8).reshape(-1, DIGEST_BYTES)
        count, total, lowest, highest, on_floor, lowest_above = np.ascontiguousarray(self._moments.T)
        flat_count, flat_total = np.ascontiguousarray(self._flat_moments.T)
        return Measurement(
            clips=len(digests),
            population=len(digests),
            samples=self._samples,
            flat=self._flat,
            count=count,
            total=total,
            lowest=lowest,
            highest=highest,
            on_floor=on_floor,
            lowest_above=lowest_above,
            flat_count=flat_count,
            flat_total=flat_total,
            flat_squares=self._flat_squares.copy(),
            squares=self._squares.copy(),
            products=self._products.copy(),
            first_cell=first,
            histogram=histogram.copy(),
            rms=self._rms.copy(),
            peak=self._peak.copy(),
            length=self._length.copy(),
            digests=sorted_digests(digests),
        )


def require_on_grid(front_end: AnyFrontEnd, lowest: int, highest: int) -> None:
    """Check that levels from `lowest` to `highest`, in steps of the grid, lie within the grid.

    Raises:
        AudioError: if they do not.
    """
    grid = front_end.grid
    low, high = lowest / grid.steps, highest / grid.steps
    if not grid.low <= low <= high <= grid.high:
        raise AudioError(
            BadAudioReason.OUT_OF_RANGE,
            f"its level reaches {low:.6g} … {high:.6g} {front_end.unit}, outside "
            f"{grid.low:g} … {grid.high:g}; check the scale of its samples",
        )


def digest(samples: NDArray[np.float32]) -> bytes:
    """Return the 128-bit XXH3 of a clip's samples: equal sounds have equal digests, whatever their file names.

    The digest of a stack `(channel, sample)` is that of its channels' digests.
    """
    if samples.ndim == 1:
        return xxhash.xxh3_128_digest(np.ascontiguousarray(samples, dtype="<f4").data)
    running = RunningDigest(samples.shape[:-1])
    running.add(samples)
    return running.result()


class RunningDigest:
    """The `digest` of samples `(sample,)` or `(channel, sample)`, which come in blocks."""

    def __init__(self, channels: tuple[int, ...]) -> None:
        self._each = [xxhash.xxh3_128() for _ in range(math.prod(channels))]
        self._stacked = bool(channels)

    def add(self, block: NDArray[np.float32]) -> None:
        """More samples."""
        for one, row in zip(self._each, np.atleast_2d(block), strict=True):
            one.update(np.ascontiguousarray(row, dtype="<f4").data)

    def result(self) -> bytes:
        """The digest of all samples so far."""
        if not self._stacked:
            return self._each[0].digest()
        return xxhash.xxh3_128_digest(b"".join(one.digest() for one in self._each))
