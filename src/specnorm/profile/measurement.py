"""The integers of one group of clips, and the counter that makes them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
import xxhash
from numpy.typing import NDArray

from specnorm.errors import AudioError, BadAudioReason
from specnorm.front_end import FrontEnd
from specnorm.profile import clip_levels, wide
from specnorm.profile.counting import PRODUCTS, count_clip

Integers = NDArray[np.int64]
DIGEST_BYTES = 16


@dataclass(frozen=True, eq=False)
class Measurement:
    """Everything that was counted about a group of clips; adding two is exact and free of order.

    Attributes:
        clips: How many clips were counted.
        population: How many clips they stand for: as many, unless a random sample was measured.
        samples: Length of all clips together, in samples at the front end's rate.
        flat: How many clips were silent or constant.
        count: Cells (frames) per band.
        total: Σq per band.
        lowest: The smallest q per band.
        highest: The largest q per band.
        on_floor: Cells on the floor, per band.
        squares: Σq² per band, as wide integers.
        products: Clip products for standard errors `(band + 1, 6, limb)`, the pooled row last.
        first_cell: The number of the histogram's first cell.
        histogram: Cells per band and histogram cell, trimmed to those in use.
        rms: Clips per cell of their RMS level (see `clip_levels`).
        peak: Clips per cell of their peak level.
        length: Clips per cell of their length.
        digests: XXH3-128 of each clip's samples, sorted, `(clip, 16)` bytes.
    """

    clips: int
    population: int
    samples: int
    flat: int
    count: Integers
    total: Integers
    lowest: Integers
    highest: Integers
    on_floor: Integers
    squares: Integers
    products: Integers
    first_cell: int
    histogram: Integers
    rms: Integers
    peak: Integers
    length: Integers
    digests: NDArray[np.uint8]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Measurement):
            return NotImplemented
        return all(np.array_equal(getattr(self, f.name), getattr(other, f.name)) for f in fields(self))

    __hash__ = None  # type: ignore[assignment]

    @property
    def bands(self) -> int:
        """How many bands there are."""
        return len(self.count)

    @property
    def frames(self) -> int:
        """How many frames were counted."""
        return int(self.count.max())

    def pooled(self) -> Measurement:
        """All bands counted as one."""
        return Measurement(
            **{name: getattr(self, name) for name in _PER_CLIP},
            count=self.count.sum(keepdims=True),
            total=self.total.sum(keepdims=True),
            lowest=self.lowest.min(keepdims=True),
            highest=self.highest.max(keepdims=True),
            on_floor=self.on_floor.sum(keepdims=True),
            squares=wide.normalized(self.squares.sum(axis=0, keepdims=True)),
            products=self.products[[-1, -1]],
            first_cell=self.first_cell,
            histogram=self.histogram.sum(axis=0, keepdims=True),
        )

    @classmethod
    def sum(cls, measurements: Iterable[Measurement]) -> Measurement:
        """All measurements together; at least one is needed."""
        parts = list(measurements)
        first = min(part.first_cell for part in parts)
        stop = max(part.first_cell + part.histogram.shape[1] for part in parts)
        histogram = np.zeros((parts[0].bands, stop - first), dtype=np.int64)
        for part in parts:
            start = part.first_cell - first
            histogram[:, start : start + part.histogram.shape[1]] += part.histogram
        digests = np.concatenate([part.digests for part in parts])
        return cls(
            **{name: sum(getattr(part, name) for part in parts) for name in _ADDED},
            lowest=np.minimum.reduce([part.lowest for part in parts]),
            highest=np.maximum.reduce([part.highest for part in parts]),
            squares=_wide_sum([part.squares for part in parts]),
            products=_wide_sum([part.products for part in parts]),
            first_cell=first,
            histogram=histogram,
            digests=sorted_digests(digests),
        )


_PER_CLIP = ("clips", "population", "samples", "flat", "rms", "peak", "length", "digests")
_ADDED = ("clips", "population", "samples", "flat", "count", "total", "on_floor", "rms", "peak", "length")


def _wide_sum(parts: list[Integers]) -> Integers:
    total = parts[0]
    for part in parts[1:]:
        total = wide.normalized(total + part)
    return total


def sorted_digests(digests: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Digests in their one canonical order."""
    as_records = np.ascontiguousarray(digests).view(f"V{DIGEST_BYTES}").ravel()
    order = sorted(range(len(digests)), key=lambda index: as_records[index].tobytes())
    return digests[order]


class Counter:
    """Counts clips, one after the other, into the integers of a `Measurement`."""

    def __init__(self, front_end: FrontEnd) -> None:
        bands, grid = front_end.n_bands, front_end.grid
        self._front_end = front_end
        self._grid = grid
        self._moments = np.zeros((bands, 5), dtype=np.int64)
        self._moments[:, 2] = np.iinfo(np.int64).max
        self._moments[:, 3] = np.iinfo(np.int64).min
        self._squares = wide.zeros(bands)
        self._products = wide.zeros(bands + 1, PRODUCTS)
        self._histogram = np.zeros((bands, grid.cells), dtype=np.int64)
        self._rms = np.zeros(clip_levels.DBFS_CELLS, dtype=np.int64)
        self._peak = np.zeros(clip_levels.DBFS_CELLS, dtype=np.int64)
        self._length = np.zeros(clip_levels.LENGTH_CELLS, dtype=np.int64)
        self._digests: list[bytes] = []
        self._samples = 0
        self._flat = 0

    def add(self, samples: NDArray[np.float32]) -> None:
        """Count one clip, given its samples without padding.

        Raises:
            AudioError: when the clip is too short or its level leaves the grid; nothing is counted then.
        """
        level = self._front_end.clip_level(samples)
        lowest, highest = float(level.min()), float(level.max())
        if not (self._grid.low <= lowest and highest <= self._grid.high):
            raise AudioError(
                BadAudioReason.OUT_OF_RANGE,
                f"its level reaches {lowest:.6g} … {highest:.6g} {self._front_end.compress.unit}, outside "
                f"{self._grid.low:g} … {self._grid.high:g}; check the scale of its samples",
            )
        floor = self._front_end.compress.clip_floor(highest, self._front_end.stft.power)
        count_clip(
            level,
            float(self._grid.steps),
            self._grid.cell_bits,
            self._grid.first_cell,
            self._grid.integer(floor),
            self._moments,
            self._squares,
            self._histogram,
            self._products,
        )
        self._count_waveform(samples)

    def _count_waveform(self, samples: NDArray[np.float32]) -> None:
        low, high = float(samples.min()), float(samples.max())
        rms = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
        self._rms[clip_levels.dbfs_cell(rms)] += 1
        self._peak[clip_levels.dbfs_cell(max(-low, high))] += 1
        self._length[clip_levels.length_cell(len(samples))] += 1
        self._digests.append(digest(samples))
        self._samples += len(samples)
        self._flat += low == high

    def measurement(self) -> Measurement | None:
        """What was counted so far, or None when that is nothing."""
        if not self._digests:
            return None
        used = np.flatnonzero(self._histogram.any(axis=0))
        digests = np.frombuffer(b"".join(self._digests), dtype=np.uint8).reshape(-1, DIGEST_BYTES)
        count, total, lowest, highest, on_floor = np.ascontiguousarray(self._moments.T)
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
            squares=self._squares.copy(),
            products=self._products.copy(),
            first_cell=self._grid.first_cell + int(used[0]),
            histogram=self._histogram[:, used[0] : used[-1] + 1].copy(),
            rms=self._rms.copy(),
            peak=self._peak.copy(),
            length=self._length.copy(),
            digests=sorted_digests(digests),
        )


def digest(samples: NDArray[np.float32]) -> bytes:
    """The 128-bit XXH3 of a clip's samples: equal sound, equal digest, whatever the file is called."""
    return xxhash.xxh3_128_digest(np.ascontiguousarray(samples, dtype="<f4").data)
