"""A preset: the front end of a published system, with its source."""

from __future__ import annotations

from dataclasses import dataclass

from spectronorm.front_end.front_end import FrontEnd

FLOAT32_EPSILON = 2.0**-23
"""Smallest value under Kaldi's and BYOL-A's logarithm."""


@dataclass(frozen=True)
class Preset:
    """A named front end and the system that it comes from.

    Attributes:
        front_end: The front end.
        source: The system that it comes from, in one sentence.
        fixed: Shift and scale of the system's fixed normalization, `(level - shift) / scale`; None if the system
            measures or learns its normalization, or has none.
        padding: Value of padded frames where the normalization is fixed: `zero`, `silence` or `zero-level`.
        note: Further steps of the system, and their counterparts here.
    """

    front_end: FrontEnd
    source: str
    fixed: tuple[float, ...] | None = None
    padding: str = "silence"
    note: str = ""
