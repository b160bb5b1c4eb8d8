"""Shares and differences of accuracy as text, in percentage points."""

from __future__ import annotations


def points(share: float, *, sign: bool = True) -> str:
    """Format a share as percentage points, with a true minus sign.

    >>> points(-0.0172), points(-0.0001), points(0.5, sign=False)
    ('−1.7', '+0.0', '50.0')
    """
    rounded = round(100 * share, 1) + 0.0  # Adding zero avoids a minus sign before zero.
    return f"{rounded:{'+' if sign else ''}.1f}".replace("-", "−")
