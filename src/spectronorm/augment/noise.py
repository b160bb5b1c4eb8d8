"""Noise at a given signal-to-noise ratio."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Array, beside, constant, mean_of_valid, namespace, set_real_numbers, working
from spectronorm.augment.augmentation import AUGMENTATIONS, Augmentation
from spectronorm.augment.batch import Shape, a_clip, check_drawn, check_generator, clip_lengths, clip_shape, positions
from spectronorm.errors import ArgumentError, ShapeError


@dataclass(frozen=True, eq=False)
class DrawnNoise:
    """Signal-to-noise ratio of each clip in dB, and the seed of its white noise."""

    snr_db: NDArray[np.float64]
    seed: NDArray[np.int64]


@AUGMENTATIONS.register("noise")
@dataclass(frozen=True)
class Noise(Augmentation):
    """Adds noise at a signal-to-noise ratio uniform in `min_snr_db … max_snr_db` (dB of mean power).

    Both powers are taken over the clip's valid samples, so the ratio holds exactly, and padding is unchanged. The noise
    is white and Gaussian unless other noise is given. If the clip or the noise is silent, the ratio is undefined, and
    the clip is unchanged.

    Raises:
        ArgumentError: unless `min_snr_db <= max_snr_db` and both are finite.

    >>> import numpy as np
    >>> wave = np.sin(np.arange(16_000))[None]
    >>> noise = Noise(20.0, 20.0)(wave, np.random.default_rng(0)) - wave
    >>> round(float(10 * np.log10((wave**2).mean() / (noise**2).mean())), 6)
    20.0
    """

    on_waves: ClassVar[bool] = True

    min_snr_db: float = 10.0
    max_snr_db: float = 40.0

    def __post_init__(self) -> None:
        set_real_numbers(self, ("min_snr_db", "max_snr_db"), -300, 300, of="dB")
        if not self.min_snr_db <= self.max_snr_db:
            raise ArgumentError(
                f"min_snr_db={self.min_snr_db}, max_snr_db={self.max_snr_db} must be finite, with min <= max"
            )

    def draw(self, shape: Shape, generator: np.random.Generator) -> DrawnNoise:
        """Draw the ratio and the noise seed of each clip."""
        check_generator(generator)
        return DrawnNoise(
            np.asarray(generator.uniform(self.min_snr_db, self.max_snr_db, size=shape)),
            np.asarray(generator.integers(0, 2**63 - 1, size=shape)),
        )

    def apply(self, wave: Array, drawn: DrawnNoise, lengths: Array | None = None, noise: Array | None = None) -> Array:
        """Add the noise to waveforms.

        Args:
            wave: Waveforms `(..., sample)`.
            drawn: Result of `draw` for the leading axes.
            lengths: Valid length of each clip in samples.
            noise: Recorded noise that broadcasts against `wave`, in place of white noise.

        Raises:
            ShapeError: if the waveform is not floating point or the shapes do not fit.
        """
        xp, shape = namespace(wave), clip_shape(wave, 1, "a wave")
        check_drawn(drawn.snr_db, shape)
        ends = clip_lengths(lengths, shape, wave.shape[-1])
        # Of half precision neither a sum of squares nor a count of samples has room.
        exact = working(wave)
        if noise is None:
            noise = constant(_white(drawn.seed, ends, wave.shape[-1]), exact)
        elif noise.shape[-1] != wave.shape[-1]:
            raise ShapeError(f"noise has {noise.shape[-1]} samples, but the waves {wave.shape[-1]}; crop or repeat it")
        noise = beside(noise, exact)
        valid = positions(wave.shape[-1], wave) < a_clip(ends, wave, 1)
        signal_power = mean_of_valid(exact * exact, valid, -1)
        noise_power = mean_of_valid(xp.broadcast_to(noise * noise, wave.shape), valid, -1)
        heard = (signal_power > 0) & (noise_power > 0)
        ratio = signal_power / xp.where(heard, noise_power, xp.ones_like(noise_power))
        scale = xp.sqrt(xp.where(heard, ratio, xp.ones_like(ratio))) * a_clip(10.0 ** (-drawn.snr_db / 20.0), exact, 1)
        noisy = exact + xp.where(valid & heard, noise * scale, xp.zeros_like(exact))
        return xp.astype(noisy, wave.dtype, copy=False)

    def __call__(
        self,
        wave: Array,
        generator: np.random.Generator,
        lengths: Array | None = None,
        noise: Array | None = None,
    ) -> Array:
        """Draw and apply."""
        return self.apply(wave, self.draw(clip_shape(wave, 1, "a wave"), generator), lengths, noise)


def _white(seeds: NDArray[np.int64], ends: NDArray[np.int64], samples: int) -> NDArray[np.float64]:
    """Generate white noise for each clip from its seed, independent of other clips and of padding."""
    noise = np.zeros((seeds.size, samples))
    for row, seed, end in zip(noise, seeds.reshape(-1).tolist(), ends.reshape(-1).tolist(), strict=True):
        row[:end] = np.random.default_rng(seed).standard_normal(end)
    return noise.reshape(*seeds.shape, samples)
