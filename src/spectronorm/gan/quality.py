"""Quality measures for generated spectrograms: four figures, each sensitive to faults that the others miss."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from spectronorm.arrays import Floats
from spectronorm.errors import ShapeError


def inception_score(probabilities: Floats, splits: int = 1) -> tuple[float, float]:
    """Mean and standard deviation over splits of `exp(E KL(p(class | image) ‖ p(class)))` (Salimans et al. 2016).

    The score is 1 if the classifier sees no difference between images, and the number of classes if every image is
    classified with certainty and all classes are equally frequent. The score does not detect memorization, and it grows
    as splits get smaller.

    Args:
        probabilities: Class probabilities `(image, class)`, each row summing to 1.
        splits: Number of splits of equal size; left-over images are not used.

    Raises:
        ShapeError: if there are fewer images than splits.
    """
    size = len(probabilities) // max(splits, 1)
    if splits < 1 or size < 1:
        raise ShapeError(f"{len(probabilities)} images cannot be scored in {splits} splits; use fewer splits")
    scores = []
    for part in probabilities[: size * splits].reshape(splits, size, -1):
        marginal = part.mean(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            divergence = np.where(part > 0, part * (np.log(part) - np.log(marginal)), 0.0).sum(axis=1)
        scores.append(float(np.exp(divergence.mean())))
    return float(np.mean(scores)), float(np.std(scores))


def frechet_distance(a: Floats, b: Floats) -> float:
    """Squared Fréchet distance between two Gaussians fitted to features `(image, feature)` (Heusel et al. 2017).

    `|μa - μb|² + tr(Σa + Σb - 2 (Σa Σb)^½)`, with covariances of ddof = 1. The distance is biased upwards, more so for
    fewer images: compare only at equal numbers. The trace of the root is computed from the symmetric `Σa^½ Σb Σa^½`,
    whose eigenvalues stay real if a covariance is singular.

    Raises:
        ShapeError: if a set has fewer than two images, or if the numbers of features differ.
    """
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise ShapeError(f"features of shapes {a.shape} and {b.shape} must be (image, feature) with at least 2 images")
    covariances = [np.atleast_2d(np.cov(x, rowvar=False)) for x in (a, b)]
    values, vectors = scipy.linalg.eigh(covariances[0])
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    shared = scipy.linalg.eigvalsh(root @ covariances[1] @ root)
    apart = a.mean(axis=0) - b.mean(axis=0)
    spread = float(np.trace(covariances[0]) + np.trace(covariances[1]) - 2.0 * np.sqrt(np.maximum(shared, 0.0)).sum())
    return max(0.0, float(apart @ apart) + spread)


def nearest_distance(a: NDArray[np.floating], b: NDArray[np.floating]) -> Floats:
    """Root mean square difference `(image,)` of each image of `a` to the nearest image of `b`, both `(image, ...)`.

    For levels in dB, the distance is in dB. Copies of training images have distances near 0.
    """
    x, y = (np.asarray(part, dtype=np.float64).reshape(len(part), -1) for part in (a, b))
    squares = (y * y).sum(axis=1)
    nearest = np.empty(len(x))
    for start in range(0, len(x), 256):
        part = x[start : start + 256]
        distance = (part * part).sum(axis=1)[:, None] + squares - 2.0 * (part @ y.T)
        nearest[start : start + 256] = distance.min(axis=1)
    return np.asarray(np.sqrt(np.maximum(nearest, 0.0) / x.shape[1]))


@dataclass(frozen=True)
class ClassBalance:
    """Balance of the classes that a classifier finds.

    Attributes:
        shares: Share of the images assigned to each class.
        effective: `exp` of the entropy of the shares: the number of classes if all are equally frequent, 1 for a single
            one.
    """

    shares: tuple[float, ...]
    effective: float

    @classmethod
    def of(cls, probabilities: Floats) -> ClassBalance:
        """Compute the balance from probabilities `(image, class)`."""
        counts = np.bincount(probabilities.argmax(axis=1), minlength=probabilities.shape[1])
        shares = counts / counts.sum()
        entropy = -float(sum(share * np.log(share) for share in shares if share > 0))
        return cls(tuple(float(share) for share in shares), float(np.exp(entropy)))
