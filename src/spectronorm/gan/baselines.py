"""Baselines that a GAN must beat to be worth its training, and a trap that must not deceive its score."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

COMPONENTS = 40


def pca_gaussian(
    images: NDArray[np.float32], count: int, seed: int, components: int = COMPONENTS
) -> NDArray[np.float32]:
    """Draw images `(count, band, frame)` from a Gaussian in the images' principal components, clipped to [-1, 1].

    Args:
        images: Images `(clip, band, frame)` in [-1, 1].
        count: Number of images to draw.
        seed: Seed of the draws.
        components: Number of principal components, limited by the number of images.
    """
    flat = images.reshape(len(images), -1).astype(np.float64)
    mean = flat.mean(axis=0)
    _, values, vectors = np.linalg.svd(flat - mean, full_matrices=False)
    kept = min(components, len(values), len(images) - 1)
    deviations = values[:kept] / np.sqrt(max(1, len(images) - 1))
    draws = np.random.default_rng([seed, 20]).standard_normal((count, kept)) * deviations
    drawn = mean + draws @ vectors[:kept]
    inside: NDArray[np.float32] = np.clip(drawn, -1.0, 1.0).astype(np.float32)
    return inside.reshape(count, *images.shape[1:])


def pca_gaussian_by_class(
    images: NDArray[np.float32], labels: NDArray[np.int64], count: int, seed: int
) -> NDArray[np.float32]:
    """Draw images from one Gaussian for each class, cycling through the classes; see `pca_gaussian`."""
    known = np.unique(labels)
    each = -(-count // len(known))
    parts = [pca_gaussian(images[labels == label], each, seed * 1000 + int(label)) for label in known]
    return np.stack(parts, axis=1).reshape(-1, *images.shape[1:])[:count]


DELAY = 2
"""Frames by which the delayed copies are late."""


def delayed(images: NDArray[np.float32], labels: NDArray[np.int64], count: int, seed: int) -> NDArray[np.float32]:
    """Repeat one training image of each class, `DELAY` frames later; the first frame is held.

    Compared cell by cell such images look new: a second trap, for tests of copies.
    """
    copies = memorized(images, labels, count, seed)
    return np.concatenate([np.repeat(copies[..., :1], DELAY, axis=-1), copies[..., :-DELAY]], axis=-1)


def memorized(images: NDArray[np.float32], labels: NDArray[np.int64], count: int, seed: int) -> NDArray[np.float32]:
    """Repeat one training image of each class: a generator that has learned nothing else."""
    rng = np.random.default_rng([seed, 21])
    chosen = [rng.choice(np.flatnonzero(labels == label)) for label in np.unique(labels)]
    return images[np.resize(chosen, count)]
