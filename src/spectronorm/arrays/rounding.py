"""Rule for constant values: a deviation that rounding alone can produce counts as zero."""

from __future__ import annotations

CONSTANT = 1e-6
"""Smallest standard deviation relative to the mean (for levels, in units such as dB, to at least 1) that is not
rounding.
"""

CONSTANT_VARIANCE = CONSTANT**2
"""Rule `CONSTANT` for variances and squared means."""
