"""The integers of one group of clips, and the counter that makes them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from specnorm.errors import ArgumentError, AudioError, BadAudioReason
from specnorm.front_end import FrontEnd, Workspace
from specnorm.profile import clip_levels, wide
from specnorm.profile.counting import PRODUCTS, count_clip, put_on_grid, waveform_figures

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
    histogram: NDArray[np.signedinteger[Any]]
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
            histogram=self.histogram.sum(axis=0, keepdims=True, dtype=np.int64),
        )

    @classmethod
    def sum(cls, measurements: Iterable[Measurement]) -> Measurement:
        """All measurements together; at least one is needed."""
        running = RunningSum()
        for measurement in measurements:
            running.add(measurement)
        return running.total()


_PER_CLIP = ("clips", "population", "samples", "flat", "rms", "peak", "length", "digests")
_COUNTS = ("clips", "population", "samples", "flat")
_ADDED = ("count", "total", "on_floor", "rms", "peak", "length")


class RunningSum:
    """Adds measurements one by one, in place: a pass adds hundreds, and most of each is its histogram."""

    def __init__(self) -> None:
        self._counts = dict.fromkeys(_COUNTS, 0)
        self._arrays: dict[str, Integers] = {}
        self._histogram = np.zeros((0, 0), dtype=np.int64)
        self._first_cell = 0
        self._digests: list[NDArray[np.uint8]] = []

    def add(self, part: Measurement) -> None:
        """Add one measurement."""
        self._digests.append(part.digests)
        for name in _COUNTS:
            self._counts[name] += getattr(part, name)
        self._make_room(part)
        start = part.first_cell - self._first_cell
        self._histogram[:, start : start + part.histogram.shape[1]] += part.histogram
        mine = self._arrays
        if not mine:
            for name in (*_ADDED, "lowest", "highest", "squares", "products"):
                mine[name] = getattr(part, name).copy()
            return
        for name in _ADDED:
            mine[name] += getattr(part, name)
        np.minimum(mine["lowest"], part.lowest, out=mine["lowest"])
        np.maximum(mine["highest"], part.highest, out=mine["highest"])
        for name in ("squares", "products"):
            mine[name] = wide.normalized(mine[name] + getattr(part, name))

    def total(self) -> Measurement:
        """Everything added, at least one measurement; the sum is used up by it, since its arrays are handed over."""
        counted: dict[str, Any] = self._counts | self._arrays
        return Measurement(
            **counted,
            first_cell=self._first_cell,
            histogram=self._histogram,
            digests=sorted_digests(np.concatenate(self._digests)),
        )

    def _make_room(self, part: Measurement) -> None:
        """Widen the histogram to the cells that the part uses."""
        cells = self._histogram.shape[1]
        first, stop = part.first_cell, part.first_cell + part.histogram.shape[1]
        if cells:
            first, stop = min(first, self._first_cell), max(stop, self._first_cell + cells)
        if stop - first == cells:
            return
        wider = np.zeros((part.bands, stop - first), dtype=np.int64)
        if cells:
            wider[:, self._first_cell - first : self._first_cell - first + cells] = self._histogram
        self._histogram, self._first_cell = wider, first


def sorted_digests(digests: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Digests in their one canonical order."""
    return digests[np.lexsort(digests.T[::-1])]


class Counter:
    """Counts clips, one after the other, into the integers of a `Measurement`."""

    def __init__(self, front_end: FrontEnd) -> None:
        bands, grid = front_end.n_bands, front_end.grid
        self._front_end = front_end
        self._grid = grid
        self._workspace = Workspace()
        self._moments = np.zeros((bands, 5), dtype=np.int64)
        self._moments[:, 2] = np.iinfo(np.int64).max
        self._moments[:, 3] = np.iinfo(np.int64).min
        self._squares = wide.zeros(bands)
        self._products = wide.zeros(bands + 1, PRODUCTS)
        # Half the width of int64 keeps twice as much of it in the cache; `add` sees to it that no cell overflows.
        self._histogram = np.zeros((bands, grid.cells), dtype=np.int32)
        self._rms = np.zeros(clip_levels.DBFS_CELLS, dtype=np.int64)
        self._peak = np.zeros(clip_levels.DBFS_CELLS, dtype=np.int64)
        self._length = np.zeros(clip_levels.LENGTH_CELLS, dtype=np.int64)
        self._digests: list[bytes] = []
        self._samples = 0
        self._frames = 0
        self._flat = 0

    def add(self, samples: NDArray[np.float32]) -> None:
        """Count one clip, given its samples without padding.

        Raises:
            AudioError: when the clip is too short or its level leaves the grid; nothing is counted then.
        """
        gridded, lowest, highest = self._gridded(samples)
        low, high = lowest / self._grid.steps, highest / self._grid.steps
        if not self._grid.low <= low <= high <= self._grid.high:
            raise AudioError(
                BadAudioReason.OUT_OF_RANGE,
                f"its level reaches {low:.6g} … {high:.6g} {self._front_end.compress.unit}, outside "
                f"{self._grid.low:g} … {self._grid.high:g}; check the scale of its samples",
            )
        if self._frames + gridded.shape[1] >= 2**31:
            raise ArgumentError("a counter holds fewer than 2^31 frames; measure in parts and add them up")
        floor = self._front_end.compress.clip_floor(high, self._front_end.stft.power)
        count_clip(
            gridded,
            self._grid.cell_bits,
            self._grid.first_cell,
            self._grid.integer(floor),
            self._moments,
            self._squares,
            self._histogram,
            self._products,
        )
        self._frames += gridded.shape[1]
        self._count_waveform(samples)

    def _gridded(self, samples: NDArray[np.float32]) -> tuple[NDArray[np.int32], int, int]:
        """The clip's level on the grid `(band, frame)`, and the lowest and highest of it."""
        shape = (self._front_end.n_bands, self._front_end.frames(len(samples)))
        gridded = self._workspace.array("gridded", shape, np.int32)
        lowest, highest = np.iinfo(np.int32).max, np.iinfo(np.int32).min
        for start, block in self._front_end.clip_blocks(samples, self._workspace):
            low, high = put_on_grid(block, float(self._grid.steps), gridded[:, start : start + len(block)])
            lowest, highest = min(lowest, low), max(highest, high)
        return gridded, lowest, highest

    def _count_waveform(self, samples: NDArray[np.float32]) -> None:
        low, high, mean_square = waveform_figures(samples)
        rms = float(np.sqrt(mean_square))
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
        low, high = int(self._moments[:, 2].min()), int(self._moments[:, 3].max())
        first, last = low >> self._grid.cell_bits, high >> self._grid.cell_bits
        used = slice(first - self._grid.first_cell, last - self._grid.first_cell + 1)
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
            first_cell=first,
            histogram=self._histogram[:, used].copy(),
            rms=self._rms.copy(),
            peak=self._peak.copy(),
            length=self._length.copy(),
            digests=sorted_digests(digests),
        )


def digest(samples: NDArray[np.float32]) -> bytes:
    """The 128-bit XXH3 of a clip's samples: equal sound, equal digest, whatever the file is called."""
    return xxhash.xxh3_128_digest(np.ascontiguousarray(samples, dtype="<f4").data)
