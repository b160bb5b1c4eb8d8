"""Tables and buffers of the kernel of pieces in one array: each array costs a call a tenth of a microsecond."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.front_end.bands.runs import BandRuns
from spectronorm.front_end.compress.compression import Logarithm
from spectronorm.front_end.fast import few_in_lanes as lanes
from spectronorm.front_end.fast.blocks import LevelKernels
from spectronorm.front_end.fast.logarithm import logarithm_numbers
from spectronorm.front_end.fast.many_in_lanes import add_long_piece
from spectronorm.front_end.fast.runs_in_lanes import grouped
from spectronorm.front_end.fast.sample_queue import State
from spectronorm.full_scale import MAX_PEAK
from spectronorm.kernels.buffers import Workspace
from spectronorm.kernels.fft import plan_of
from spectronorm.kernels.fft.few_frames import frames_at_once, last_roots
from spectronorm.kernels.fft.frame_sums import runs_of
from spectronorm.kernels.fft.lanes import DOUBLES
from spectronorm.kernels.fft.power_in_lanes import NO_RUNS, STACK, places
from spectronorm.kernels.jit import entry_of
from spectronorm.kernels.packed import HEAD, PARTS

if TYPE_CHECKING:
    from spectronorm.front_end.fast.frame_writer import AddPiece, FrameWriter

_GROUPS = lanes.GROUP_WEIGHTS, lanes.GROUP_BINS, lanes.NARROW_WEIGHTS, lanes.NARROW_BINS
_LINE = 8
"""Number of float64 in a cache line."""


def write_in_lanes(writer: FrameWriter, samples: NDArray[np.float64], begin: int, end: int, into: NDArray[Any]) -> None:
    """Write the levels of the frames of `samples[begin:end]`, the number of which `into` `(band, frame)` says."""
    if writer.table is None:
        writer.table = PieceTable(packed_table(writer))
    writer.table.hold(samples, State(begin, end, 0, 0))
    few = writer.table.has_few and into.shape[1] < DOUBLES
    kernel = lanes.add_piece if few else add_long_piece
    kernel(into[0, :0], writer.table.numbers, into)


class PieceTable:
    """The table of one channel, and the functions that take pieces.

    Attributes:
        numbers: The table.
        has_few: True if few frames can be transformed at once.
    """

    def __init__(self, numbers: NDArray[np.float64]) -> None:
        self.numbers = numbers
        self._head = numbers[:HEAD].view(np.int64)
        self._queue: NDArray[np.float64] | None = None
        self.has_few = bool(self._head[lanes.FEW])

    def hold(self, queue: NDArray[np.float64], state: State) -> None:
        """Let the kernels work on this queue in this state."""
        if queue is not self._queue:
            start = (queue.ctypes.data - self.numbers.ctypes.data) // queue.itemsize
            self._head[lanes.QUEUE], self._head[lanes.QUEUE + PARTS] = start, start + len(queue)
            self._queue = queue
        self._head[lanes.BEGIN : lanes.WRITTEN + 1] = state

    @property
    def state(self) -> State:
        """The state after the pieces so far."""
        return State(*self._head[lanes.BEGIN : lanes.WRITTEN + 1].tolist())

    def kernel(self, dtype: np.dtype[Any], *, many: bool) -> AddPiece:
        """Return the compiled function for pieces of one dtype, which does not look at the types of its arguments."""
        return _compiled_for(dtype, many=many or not self.has_few)


@lru_cache(maxsize=4)
def _compiled_for(dtype: np.dtype[Any], *, many: bool) -> AddPiece:
    arguments = np.empty(0, dtype), np.empty(0), np.empty((1, 0), dtype)
    return entry_of(add_long_piece if many else lanes.add_piece, arguments)


def packed_table(writer: FrameWriter) -> NDArray[np.float64]:
    """Return settings, tables and buffers for the kernel: a head, then the parts, each from a cache line on.

    Whole numbers have the bits of int64.
    """
    if writer.logarithm is None:
        raise ValueError("frames are written in lanes only if their compression is a logarithm")
    common = _common_table(writer.blocks, writer.logarithm, writer.change, writer.history)
    table = Workspace().array("table", common.shape)
    table[:] = common
    head = table[:HEAD].view(np.int64)
    for place, values in ((lanes.SHIFT, writer.shift), (lanes.SCALE, writer.scale)):
        table[head[place] : head[place + PARTS]] = values
    head[lanes.MAPPED] = bool(np.any(writer.shift != 0.0) or np.any(writer.scale != 1.0))
    return table


@lru_cache(maxsize=16)
def _common_table(
    blocks: LevelKernels, log: Logarithm, change: tuple[float, float], history: int
) -> NDArray[np.float64]:
    """Return the table of all streams of a front end, without the map, which takes a millisecond to make."""
    stft, bands = blocks.stft, blocks.bands
    plan, size = plan_of(stft.n_fft), stft.frame_samples
    if plan is None:
        raise ValueError("frames are written in lanes only if there is a plan for them")
    few, changes = frames_at_once(plan), not stft.windowed_only
    window = np.zeros(plan.n)
    window[:size] = stft.window_values()
    rows, shifts = places(size, plan.n, size)
    parts: dict[int, NDArray[Any] | int] = {
        lanes.NUMBERS: np.array([*logarithm_numbers(log), stft.preemphasis, *change, MAX_PEAK], np.float64),
        lanes.WINDOW: window,
        lanes.ROWS: rows,
        lanes.SHIFTS: shifts,
        lanes.RADICES: plan.radices,
        lanes.STARTS: plan.starts,
        lanes.ROOTS: plan.roots,
        lanes.LAST_ROOTS: last_roots(plan, few) if few else 0,
        lanes.NARROW_ROOTS: last_roots(plan, few // 2) if few else 0,
        lanes.MEAN_RUNS: (runs_of(size) if stft.remove_dc_offset else NO_RUNS).reshape(-1),
        **_band_parts(blocks.runs, few),
        lanes.SHIFT: bands,
        lanes.SCALE: bands,
        lanes.FRAMES: size * DOUBLES,
        lanes.CHANGED: size * DOUBLES if changes else 0,
        lanes.SIGNALS: (size + STACK) * DOUBLES if changes else 0,
        lanes.STAGE: plan.n * DOUBLES,
        lanes.OTHER_STAGE: plan.n * DOUBLES,
        lanes.POWERS: (stft.bins + 1) * DOUBLES,
        lanes.LEVEL: (bands + 1) * DOUBLES,
    }
    settings = stft.hop, few, bands, stft.bins, blocks.runs.identity, stft.power == 1.0, changes, False, history
    return _packed(settings, parts)


def _band_parts(runs: BandRuns, few: int) -> dict[int, NDArray[Any] | int]:
    """Return the weights of the bands' runs one after the other, and the runs; nothing for bins as they are.

    For `few` frames and for half of them, they are grouped.
    """
    if runs.identity:
        return dict.fromkeys((lanes.WEIGHTS, lanes.FIRST, lanes.STOP, *_GROUPS), 0)
    groups: list[NDArray[Any] | int] = [*grouped(runs, few), *grouped(runs, few // 2)] if few else [0] * len(_GROUPS)
    weights = [row[first:stop] for row, first, stop in zip(runs.matrix, runs.first, runs.stop, strict=True)]
    return {
        lanes.WEIGHTS: np.concatenate(weights),
        lanes.FIRST: runs.first.astype(np.int64),
        lanes.STOP: runs.stop.astype(np.int64),
        **dict(zip(_GROUPS, groups, strict=True)),
    }


def _packed(settings: tuple[int, ...], parts: dict[int, NDArray[Any] | int]) -> NDArray[np.float64]:
    """Return one array: the head with settings and the start and end of each part, and the parts; rooms are zero."""
    head = np.zeros(HEAD, np.int64)
    head[: len(settings)] = settings
    at = HEAD
    for place, part in parts.items():
        length = part if isinstance(part, int) else len(part)
        head[place], head[place + PARTS] = at, at + length
        at += math.ceil(length / _LINE) * _LINE
    table = Workspace().array("table", (at,))
    table[:] = 0.0
    table[:HEAD] = head.view(np.float64)
    for place, part in parts.items():
        if not isinstance(part, int):
            numbers = part.view(np.float64) if part.dtype == np.int64 else part
            table[head[place] : head[place + PARTS]] = numbers
    return table
