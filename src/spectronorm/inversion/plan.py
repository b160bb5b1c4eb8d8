"""Choice of the inversion method and the number of iterations from `method` and `quality`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from spectronorm.errors import ArgumentError
from spectronorm.front_end import FrontEnd
from spectronorm.short_repr import with_bounded_repr
from spectronorm.suggestion import known_settings

METHODS = ("auto", "pghi", "griffin_lim", "admm", "band_consistent", "band_sharpened")
"""Values of `method`."""
QUALITIES = ("fast", "good", "best")
"""Values of `quality`."""
_ITERATIONS: Mapping[str, Mapping[str, int]] = {
    "pghi": {"fast": 0, "good": 0, "best": 0},
    "griffin_lim": {"fast": 8, "good": 32, "best": 200},
    "admm": {"fast": 24, "good": 48, "best": 150},
    "band_consistent": {"fast": 16, "good": 76, "best": 240},
    "band_sharpened": {"fast": 16, "good": 76, "best": 240},
}


@known_settings
@with_bounded_repr
@dataclass(frozen=True)
class InversionPlan:
    """A method and its number of iterations.

    Every method starts from the phase of the phase gradient (see `phase_gradient`). `pghi` stops there; `griffin_lim`
    and `admm` keep each bin's magnitude; `band_consistent` keeps each band's value, for bands wider than a bin; and
    `band_sharpened` does so with sharper peaks within a band: better for speech, worse for noise.

    >>> import spectronorm as sn
    >>> InversionPlan.of(sn.FrontEnd(bands=sn.Mel(40)), "auto", "good")
    InversionPlan(method='band_consistent', iterations=76)
    """

    method: str
    iterations: int

    @classmethod
    def of(cls, front_end: FrontEnd, method: str, quality: str) -> InversionPlan:
        """Choose the plan for this front end.

        `auto` takes `band_consistent` for bands wider than a bin; for bins, `griffin_lim` if windows overlap by three
        quarters or more, and `admm` for less overlap.

        Raises:
            ArgumentError: if the method or quality is unknown, or if the method does not fit the bands.
        """
        if method not in METHODS:
            raise ArgumentError(f"method={method!r} must be one of {', '.join(METHODS)}")
        if quality not in QUALITIES:
            raise ArgumentError(f"quality={quality!r} must be one of {', '.join(QUALITIES)}")
        identity = front_end.band_runs().identity
        if method == "auto":
            overlapping = front_end.stft.hop * 4 <= front_end.stft.frame_length
            linear = "griffin_lim" if overlapping and quality != "best" else "admm"
            method = linear if identity else "band_consistent"
        plan = cls(method, _ITERATIONS[method][quality])
        if plan.for_bands and identity:
            raise ArgumentError(f"method={method!r} is for bands wider than a bin; use griffin_lim, admm or auto")
        return plan

    @property
    def for_bands(self) -> bool:
        """True if the method keeps band values instead of magnitudes."""
        return self.method.startswith("band_")

    @property
    def sharpened(self) -> bool:
        """True if the method sharpens peaks within a band."""
        return self.method == "band_sharpened"
