"""Full scale of samples, which is 1, and the highest peak of floating-point samples."""

from __future__ import annotations

MAX_PEAK = 8.0
"""Floating-point samples may exceed full scale, but samples that peak 18 dB above it were meant for another scale."""
