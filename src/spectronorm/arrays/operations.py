"""Operations that NumPy and torch spell differently: framing, transforms, masked means, a recursive filter."""

from __future__ import annotations

import sys

import numpy as np
import scipy  # its modules fft and signal are imported on first use, since most runs need neither

from spectronorm.arrays.host import is_traced
from spectronorm.arrays.namespace import Array, is_torch_array, namespace


def take_along_last(x: Array, index: Array) -> Array:
    """Return `x[..., index]` with a separate index for each row: `(..., n)` of `x` `(..., sample)`."""
    return x.gather(-1, index) if is_torch_array(x) else np.take_along_axis(x, index, axis=-1)


def frame(x: Array, frame_length: int, hop_length: int) -> Array:
    """Overlapping frames of the last axis, as a view: `(..., sample)` to `(..., frame, sample)`."""
    if is_torch_array(x):
        return x.unfold(-1, frame_length, hop_length)
    return np.lib.stride_tricks.sliding_window_view(x, frame_length, axis=-1)[..., ::hop_length, :]


def rfft(x: Array, n: int | None = None) -> Array:
    """One-sided DFT of the last axis, zero-padded to `n` samples."""
    if is_torch_array(x):
        if _is_empty(x):
            return x.sum(-1, keepdim=True).to(x.dtype.to_complex()).expand(*x.shape[:-1], (n or x.shape[-1]) // 2 + 1)
        return namespace(x).fft.rfft(x, n=n)
    return scipy.fft.rfft(x, n=n, overwrite_x=True)


def irfft(z: Array, n: int) -> Array:
    """Real signal of `n` samples whose one-sided DFT is `z`, over the last axis."""
    if is_torch_array(z):
        if _is_empty(z):
            return z.real.sum(-1, keepdim=True).expand(*z.shape[:-1], n)
        return namespace(z).fft.irfft(z, n=n)
    return scipy.fft.irfft(z, n=n)


def _is_empty(x: Array) -> bool:
    """True for a tensor without signals, of whose transform torch has no gradient; a sum of nothing has one."""
    return not is_traced() and x.numel() == 0


def overlap_add(frames: Array, hop_length: int) -> Array:
    """Sum frames `(..., frame, sample)`, placed `hop_length` samples apart: `(..., sample)`."""
    count, length = frames.shape[-2:]
    parts = -(-length // hop_length)
    xp = namespace(frames)
    total = xp.zeros((*frames.shape[:-2], count + parts - 1, hop_length), dtype=frames.dtype, device=frames.device)
    for part in range(parts):
        piece = frames[..., part * hop_length : (part + 1) * hop_length]
        total[..., part : part + count, : piece.shape[-1]] += piece
    return total.reshape(*frames.shape[:-2], -1)[..., : (count - 1) * hop_length + length]


def squared_magnitude(z: Array) -> Array:
    """`|z|²`, without a square root in between."""
    return z.real * z.real + z.imag * z.imag


def at_least(x: Array, low: float) -> Array:
    """Element-wise `max(x, low)`."""
    return x.clamp(min=low) if is_torch_array(x) else np.maximum(x, low)


def plus(x: Array, constant: float) -> Array:
    """`x + constant`, exact to the last bit.

    For torch, the sum is written as the larger plus the smaller of both operands: torch's ONNX exporter replaces an
    added 1e-9 by an added 0 and drops it, and the logarithm of silence becomes infinite.
    """
    return x.clamp(min=constant) + x.clamp(max=constant) if is_torch_array(x) else x + constant


def positive_power(x: Array, exponent: float) -> Array:
    """`x ** exponent` of non-negative values; where `x` is 0, the gradient is 0 instead of infinite."""
    if not is_torch_array(x):
        return x**exponent
    zero = x == 0
    return (x.masked_fill(zero, 1.0) ** exponent).masked_fill(zero, 0.0)


def mean_of_valid(x: Array, valid: Array | None, axis: int | tuple[int, ...]) -> Array:
    """Mean of `x` over `axis` (kept) where `valid` (boolean, broadcast against `x`) is true.

    The mean over no values is 0.
    """
    xp = namespace(x)
    if valid is None:
        return xp.mean(x, axis=axis, keepdims=True)
    inside = xp.broadcast_to(valid, x.shape)
    count = xp.sum(xp.astype(inside, x.dtype), axis=axis, keepdims=True)
    return xp.sum(xp.where(inside, x, xp.zeros_like(x)), axis=axis, keepdims=True) / at_least(count, 1.0)


def smooth(x: Array, b: float, state: Array) -> Array:
    """Recursive filter `y[t] = (1 - b) y[t-1] + b x[t]` over the last axis, with `y[-1] = state` `(..., 1)`.

    Torch has no recursive filter; for torch, the sum over the past is doubled in length log2(frames) times, which is
    exact, differentiable and never grows.
    """
    if not is_torch_array(x):
        start = np.broadcast_to((1.0 - b) * state, (*x.shape[:-1], 1))
        return np.asarray(scipy.signal.lfilter([b], [1.0, b - 1.0], x, axis=-1, zi=start)[0])
    xp = namespace(x)
    y = xp.concat([b * x[..., :1] + (1.0 - b) * state, b * x[..., 1:]], axis=-1)
    if _exporting():  # A number of doublings would fix the number of frames; one matrix of all weights does not.
        frame = xp.arange(x.shape[-1], device=x.device)
        past = frame - frame[:, None]
        return y @ xp.where(past >= 0, (1.0 - b) ** xp.astype(at_least(past, 0), x.dtype), 0.0)
    step = 1
    while step < x.shape[-1]:
        y = y + (1.0 - b) ** step * xp.concat([xp.zeros_like(y[..., :step]), y[..., :-step]], axis=-1)
        step *= 2
    return y


def _exporting() -> bool:
    """True while torch converts the running code into a graph for inputs of any size."""
    compiler = sys.modules["torch"].compiler
    return bool(compiler.is_exporting() if hasattr(compiler, "is_exporting") else compiler.is_compiling())
