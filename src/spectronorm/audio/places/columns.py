"""Columns of clips from the values of manifests: text and numbers, as text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

MOST_TEXT = 256
"""Longest text that becomes a column: longer ones are transcripts, not groups."""


def text_columns(values: Mapping[str, Any]) -> dict[str, str]:
    """The values that are text, numbers or true and false, as text; everything else is left out.

    >>> text_columns({"label": "dog", "fold": 1, "gain": 0.5, "mel": [1, 2], "note": None})
    {'label': 'dog', 'fold': '1', 'gain': '0.5'}
    """
    found = {}
    for key, value in values.items():
        text = column_text(value)
        if key and text:
            found[key] = text
    return found


def column_text(value: object) -> str:
    """A value as the text of a column; empty for a missing one and for one that is not a column."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(value)
    if isinstance(value, bool | int):
        return str(value)
    return value if isinstance(value, str) and len(value) <= MOST_TEXT else ""
