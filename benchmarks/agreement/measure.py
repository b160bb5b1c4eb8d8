"""Preset against origin, cell by cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import spectronorm as sn
from benchmarks.agreement.origins import STORED, Level, running
from benchmarks.agreement.sounds import Wave, real, synthetic
from spectronorm.front_end import PRESETS

FLOAT32_RANGE_DB = 60.0
"""How far below its clip's peak a cell of float32 arithmetic still holds 1e-3 dB: an FFT's rounding is spread evenly
over all bins of a frame, some 1e-7 of the largest magnitude in it, which is 1e-4 of a magnitude 60 dB below."""


@dataclass(frozen=True)
class Agreement:
    """How far a preset is from its origin, in the origin's own unit.

    Attributes:
        preset: The preset's name.
        origin: What it was compared with.
        arithmetic: The precision that the origin computes in.
        unit: The unit of the figures.
        worst: The largest difference above the floor.
        mean: The mean difference above the floor.
        anywhere: The largest difference in any cell.
        cells: How many cells were above the floor.
        real: How many real recordings took part, beside the synthetic sound.
    """

    preset: str
    origin: str
    arithmetic: str
    unit: str
    worst: float
    mean: float
    anywhere: float
    cells: int
    real: int


def ours(name: str, wave: Wave, *, published: bool) -> Any:
    """What the preset gives: its level, or its published normalization of it."""
    front_end = sn.preset(name)
    exact = wave.astype(np.float64)
    if name == "ast":
        return sn.published(name).normalizer(sn.front_end.fix_frames(front_end(exact), 1024))
    if name == "whisper":
        return sn.published(name)(np.pad(exact, (0, 30 * 16_000 - len(wave))))
    return sn.published(name)(exact) if published else front_end(exact)


def above_floor(name: str, level: NDArray[np.float64], *, published: bool) -> Any:
    """The cells of a result that lie above the front end's floor and within the float32 range of the clip's peak."""
    front_end = sn.preset(name)
    fitted = sn.published(name).normalizer if published else None
    raw = level if fitted is None else fitted.inverse(level)
    values = front_end.inverse_compress(raw)
    db = (20.0 / front_end.stft.power) * np.log10(np.maximum(values, 1e-300))
    floor = front_end.compress.clip_floor(float(raw.max()), front_end.stft.power)
    return (raw > floor + 1e-9) & (db > db.max() - FLOAT32_RANGE_DB)


def comparisons(name: str) -> Iterator[tuple[str, NDArray[np.float64], Level]]:
    """For each sound that is there its name, the preset's result and the origin's."""
    rate, origins = sn.preset(name).sample_rate, running()
    sounds: Mapping[str, Wave] = {"synthetic": synthetic(rate), **real(rate)}
    published = is_published(name)
    if name in origins:
        for sound, wave in sounds.items():
            yield sound, ours(name, wave, published=published), origins[name].run(wave)
        return
    with np.load(STORED / f"{name}.npz") as stored:
        for sound, wave in sounds.items():
            if sound in stored:
                yield sound, ours(name, wave, published=published), stored[sound]


def is_published(name: str) -> bool:
    """Whether the origin's result is normalized by fixed numbers."""
    return PRESETS[name].fixed is not None


def described(name: str) -> tuple[str, str]:
    """What the preset is compared with, and in which precision that computes."""
    origins = running()
    if name in origins:
        return origins[name].package, origins[name].arithmetic
    with np.load(STORED / f"{name}.npz") as stored:
        return f"stored output of {stored['made_with']}", "float32"


def agreement(name: str) -> Agreement:
    """The figures of one preset over all sounds that are there."""
    published = is_published(name)
    differences, everywhere, real_sounds = [], 0.0, 0
    for sound, mine, theirs in comparisons(name):
        if mine.shape != theirs.shape:
            raise AssertionError(f"{name}: {mine.shape} here, {theirs.shape} there")
        if not (np.isfinite(mine).all() and np.isfinite(theirs).all()):
            raise AssertionError(f"{name}: {sound} gives a value that is not finite")
        difference = np.abs(mine - theirs)
        heard = above_floor(name, mine, published=published)
        heard[:, _frames(name) :] = False  # what was padded holds no sound
        differences.append(difference[heard])
        everywhere = max(everywhere, float(difference.max()))
        real_sounds += sound != "synthetic"
    cells = np.concatenate(differences)
    origin, arithmetic = described(name)
    unit = "1 (normalized)" if published else sn.preset(name).compress.unit
    return Agreement(
        name, origin, arithmetic, unit, float(cells.max()), float(cells.mean()), everywhere, len(cells), real_sounds
    )


def _frames(name: str) -> int:
    """How many frames the sounds have, without padding."""
    front_end = sn.preset(name)
    return front_end.frames(len(synthetic(front_end.sample_rate)))
