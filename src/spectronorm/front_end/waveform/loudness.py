"""Loudness by EBU R 128, that is, ITU-R BS.1770's K-weighted, gated mean power of 400 ms blocks."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import scipy  # its fft module is imported on first use
from numpy.typing import NDArray
from typing_extensions import override

from spectronorm.arrays import Array, frame, irfft, is_torch_array, namespace, rfft, set_real_numbers
from spectronorm.errors import ShapeError
from spectronorm.front_end.waveform.waveform_level import WAVEFORM_LEVELS, WaveformLevel
from spectronorm.suggestion import known_keywords

_OFFSET_DB = -0.691  # BS.1770: a 997 Hz sine of 0 dBFS in one channel measures -3.01
_ABSOLUTE_GATE = 10.0 ** ((-70.0 - _OFFSET_DB) / 10.0)
_RELATIVE_GATE = 0.1
_BLOCK_SECONDS = 0.4


@WAVEFORM_LEVELS.register("loudness")
@dataclass(frozen=True)
class LoudnessLevel(WaveformLevel):
    """Scales each clip to an integrated loudness of `lufs` (EBU R 128 asks for -23); peaks may exceed 1.0.

    A clip without a block above -70 LUFS has no loudness and is unchanged. The clip is taken as one channel.

    Raises:
        ArgumentError: if `lufs` is not in -70 … 0.

    >>> import numpy as np
    >>> wave = 0.01 * np.random.default_rng(0).standard_normal(32_000)
    >>> round(float(integrated_loudness(LoudnessLevel(-23.0)(wave, 16_000), 16_000)), 3)
    -23.0
    """

    lufs: float = field(default=-23.0, metadata={"help": "level in LUFS"})

    def __post_init__(self) -> None:
        set_real_numbers(self, ("lufs",), -70, 0, of="LUFS")

    @override
    def __call__(self, wave: Array, sample_rate: int, valid: Array | None = None) -> Array:
        """Scale the waveform to the loudness.

        Raises:
            ShapeError: if the waveform is shorter than one block of 0.4 s.
        """
        xp = namespace(wave)
        power = _gated_power(wave, sample_rate, valid)
        target = 10.0 ** ((self.lufs - _OFFSET_DB) / 10.0)
        return wave * xp.sqrt(target / xp.where(power > 0, power, xp.full_like(power, target)))

    @override
    def min_samples(self, sample_rate: int) -> int:
        """Return the length of one block of 0.4 s in samples."""
        return _block(sample_rate)


@known_keywords
def integrated_loudness(wave: Array, sample_rate: int) -> Array:
    """Integrated loudness in LUFS of mono waveforms `(..., sample)`, as `(...)`; minus infinity for silence.

    ITU-R BS.1770-4, with the K-weighting computed for any sample rate from its analogue prototype (De Man 2014), and
    only whole blocks of 400 ms, every 100 ms.

    Raises:
        ShapeError: if the waveform is shorter than one block.

    >>> import numpy as np
    >>> tone = np.sin(2 * np.pi * 997 * np.arange(96_000) / 48_000)
    >>> round(float(integrated_loudness(tone, 48_000)), 1)
    -3.0
    """
    xp = namespace(wave)
    power = _gated_power(wave, sample_rate)[..., 0]
    level = 10.0 * xp.log10(xp.where(power > 0, power, xp.ones_like(power))) + _OFFSET_DB
    return xp.where(power > 0, level, xp.full_like(level, -math.inf))


def _gated_power(wave: Array, sample_rate: int, valid: Array | None = None) -> Array:
    """Mean K-weighted power of the blocks that pass both gates, `(..., 1)`; 0 if no block passes."""
    xp, block = namespace(wave), _block(sample_rate)
    if wave.shape[-1] < block:
        raise ShapeError(
            f"a wave of {wave.shape[-1]} samples is shorter than one loudness block of {block} samples (0.4 s at "
            f"{sample_rate} Hz); pad it or choose another level"
        )
    weighted = _k_weighted(wave, sample_rate)
    power = xp.mean(frame(weighted * weighted, block, max(1, block // 4)), axis=-1)
    heard = power > _ABSOLUTE_GATE
    if valid is not None:  # A block is valid if its last sample is.
        heard = heard & frame(xp.broadcast_to(valid, wave.shape), block, max(1, block // 4))[..., -1]
    gate = _RELATIVE_GATE * _mean_where(xp, power, heard)
    return _mean_where(xp, power, heard & (power > gate))


def _mean_where(xp: object, power: Array, chosen: Array) -> Array:
    """Mean over the chosen blocks, `(..., 1)`; 0 if there are none."""
    kept = xp.where(chosen, power, xp.zeros_like(power))  # type: ignore[attr-defined]
    ones = xp.where(chosen, xp.ones_like(power), xp.zeros_like(power))  # type: ignore[attr-defined]
    count = xp.sum(ones, axis=-1, keepdims=True)  # type: ignore[attr-defined]
    return xp.sum(kept, axis=-1, keepdims=True) / (count + (count == 0))  # type: ignore[attr-defined]


def _block(sample_rate: int) -> int:
    return round(_BLOCK_SECONDS * sample_rate)


def _k_weighted(wave: Array, sample_rate: int) -> Array:
    """Filter the waveform with the K filter, by its frequency response.

    The filter rings for less than a quarter of a second (its slowest poles decay within 4 ms), so zero padding of this
    length keeps the end from leaking into the start.
    """
    samples = wave.shape[-1]
    if is_torch_array(wave):  # computed where it is needed, so that torch.compile and export need not know the length
        n_fft = samples + sample_rate // 4
        n_fft = n_fft + n_fft % 2
        response = _k_response(namespace(wave), sample_rate, n_fft, wave)
    else:
        n_fft = int(scipy.fft.next_fast_len(samples + sample_rate // 4, real=True))
        response = _numpy_response(sample_rate, n_fft)
    spectrum = rfft(wave * 1.0, n_fft) * response
    back = irfft(spectrum, n_fft) if is_torch_array(wave) else namespace(wave).fft.irfft(spectrum, n=n_fft)
    return back[..., :samples]


@lru_cache(maxsize=16)
def _numpy_response(sample_rate: int, n_fft: int) -> NDArray[np.complex128]:
    return np.asarray(_k_response(np, sample_rate, n_fft))


def _k_response(xp: Any, sample_rate: int, n_fft: int, like: Array | None = None) -> Array:
    """Frequency response of the K filter at the bins of an `n_fft`: a high shelf of 4 dB, then a high-pass."""
    device = {} if like is None else {"device": like.device}
    turn = xp.arange(n_fft // 2 + 1, dtype=xp.float64, **device) * (-2.0 * math.pi / n_fft)
    z = xp.cos(turn) + 1j * xp.sin(turn)
    gain, q, k = (
        10.0 ** (3.99984385397 / 20.0),
        0.7071752369554193,
        math.tan(math.pi * 1681.9744509555319 / sample_rate),
    )
    middle = gain**0.499666774155
    shelf = ((gain - middle * k / q + k * k) * z + 2 * (k * k - gain)) * z + (gain + middle * k / q + k * k)
    response = shelf / _poles(q, k, z)
    q, k = 0.5003270373253953, math.tan(math.pi * 38.13547087613982 / sample_rate)
    response = response * ((1 - z) * (1 - z) * (1 + k / q + k * k) / _poles(q, k, z))
    return response if like is None or like.dtype == xp.float64 else xp.astype(response, xp.complex64)


def _poles(q: float, k: float, z: Array) -> Array:
    return ((1 - k / q + k * k) * z + 2 * (k * k - 1)) * z + (1 + k / q + k * k)
