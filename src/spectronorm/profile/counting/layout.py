"""The layout of what clips are counted into, and how far sums are rounded."""

from __future__ import annotations

import numpy as np

PRODUCTS = 10
"""SS, SQ, QQ, Sn, Qn, nn, Sc, Qc, nc, cc: the order of the clip products."""
NONE_ABOVE = np.iinfo(np.int64).max
"""The lowest q above the floor of a band that never leaves it."""
S_SHIFT = 8
Q_SHIFT = 24
FRAMES_BETWEEN_CARRIES = 1 << 12
"""Squares are below 2^50: their sum stays below 2^62."""
