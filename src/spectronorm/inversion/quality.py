"""Quality measures of an inversion: of one stage, or from the original to the recovered sound."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from spectronorm.front_end import FrontEnd, level_db

_TOO_SHORT_FOR_STOI = 1e-5
DYNAMIC_RANGE_DB = 80.0
"""Cells further below the loudest cell are left out, since losses there are inaudible."""


def level_residual_db(level: NDArray[Any], reference: NDArray[Any], front_end: FrontEnd) -> tuple[float, float]:
    """Mean absolute and root mean square difference of two levels in dB, over the reference's upper 80 dB."""
    wanted = level_db(reference, front_end)
    heard = wanted >= wanted.max() - DYNAMIC_RANGE_DB
    difference = (level_db(level, front_end) - wanted)[heard]
    return float(np.abs(difference).mean()), float(np.sqrt((difference**2).mean()))


def spectral_convergence(magnitude: NDArray[Any], reference: NDArray[Any]) -> float:
    """Spectral convergence `20 log10(‖magnitude - reference‖ / ‖reference‖)` in dB; lower is better, -200 is equality.

    Values are comparable only between results with one STFT (Sturmel and Daudet 2011, Signal Reconstruction from STFT
    Magnitude: a State of the Art).
    """
    norm = float(np.linalg.norm(reference))
    if norm == 0.0:
        return -200.0 if not magnitude.any() else 0.0
    return float(20.0 * np.log10(max(float(np.linalg.norm(magnitude - reference)) / norm, 1e-10)))


def pesq_score(wave: NDArray[Any], reference: NDArray[Any], sample_rate: int) -> float | None:
    """PESQ (ITU-T P.862) of speech, narrow band at 8 kHz and wide band otherwise; None without the package `pesq`.

    Waveforms at rates other than 8 and 16 kHz are resampled to 16 kHz.
    """
    try:
        from pesq import NoUtterancesError, pesq
    except (ImportError, OSError):
        return None
    rate = sample_rate if sample_rate in (8_000, 16_000) else 16_000
    pair = [_at(rate, x, sample_rate) for x in (reference, wave)]
    try:
        return float(pesq(rate, *pair, "nb" if rate == 8_000 else "wb"))
    except NoUtterancesError:
        return None


def stoi_score(wave: NDArray[Any], reference: NDArray[Any], sample_rate: int) -> float | None:
    """STOI of speech (Taal, Hendriks, Heusdens and Jensen 2011); None without the package `pystoi`, or if too short.

    The measure needs about half a second of speech.
    """
    try:
        from pystoi import stoi
    except (ImportError, OSError):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        score = float(stoi(np.asarray(reference), np.asarray(wave), sample_rate))
    return None if score == _TOO_SHORT_FOR_STOI else score


def _at(rate: int, wave: NDArray[Any], sample_rate: int) -> NDArray[np.float32]:
    wave = np.asarray(wave, dtype=np.float32)
    return wave if rate == sample_rate else np.asarray(soxr.resample(wave, sample_rate, rate, quality="HQ"))
