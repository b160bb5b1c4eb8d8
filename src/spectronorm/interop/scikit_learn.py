"""A scikit-learn transformer that measures levels and normalizes them: an unfitted step of a pipeline."""

from __future__ import annotations

from typing import Any

from spectronorm.errors import MissingExtra
from spectronorm.front_end import AnyFrontEnd
from spectronorm.normalize import FittedNormalizer, Normalizer, Standardize
from spectronorm.profile import Meter

try:
    from sklearn.base import BaseEstimator, TransformerMixin
except (ImportError, OSError):
    raise MissingExtra("The scikit-learn transformer", "scikit-learn") from None


class SpectrogramScaler(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """`fit` measures levels exactly, `transform` normalizes them; `partial_fit` takes batches that do not fit memory.

    Args:
        levels: A description of the levels, or the front end that made them.
        normalizer: The normalizer to fit; by default `Standardize()`.
        layout: Axes of the batches, of which normalizing needs `(..., band, frame)` last.

    Attributes:
        meter_: What was measured; its `profile()` can be saved.
        fitted_: The fitted normalizer.
    """

    meter_: Meter
    fitted_: FittedNormalizer

    def __init__(self, levels: AnyFrontEnd, normalizer: Normalizer | None = None, layout: str = "bft") -> None:
        self.levels = levels
        self.normalizer = normalizer
        self.layout = layout

    def fit(self, X: Any, y: object = None) -> SpectrogramScaler:
        """Measure this batch alone, and fit the normalizer to it."""
        self.meter_ = Meter(self.levels, self.layout)
        return self.partial_fit(X, y)

    def partial_fit(self, X: Any, y: object = None) -> SpectrogramScaler:  # noqa: ARG002  (scikit-learn passes labels)
        """Measure one more batch, and fit the normalizer to all of them."""
        if not hasattr(self, "meter_"):
            self.meter_ = Meter(self.levels, self.layout)
        self.meter_.add(X)
        self.fitted_ = (Standardize() if self.normalizer is None else self.normalizer).fit(self.meter_.profile())
        return self

    def transform(self, X: Any) -> Any:
        """The normalized levels."""
        return self._own().transform(X)

    def inverse_transform(self, X: Any) -> Any:
        """The levels again."""
        return self._own().inverse_transform(X)

    def _own(self) -> FittedNormalizer:
        from sklearn.utils.validation import check_is_fitted  # noqa: PLC0415

        check_is_fitted(self, "fitted_")
        return self.fitted_
