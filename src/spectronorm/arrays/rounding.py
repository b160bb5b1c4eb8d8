"""The one rule of what counts as constant: a deviation that rounding alone could give."""

from __future__ import annotations

CONSTANT = 1e-6
"""A standard deviation below this share of the mean is rounding; of a level, in units such as dB, of at least 1."""

CONSTANT_VARIANCE = CONSTANT**2
"""The rule for variances and squared means."""
