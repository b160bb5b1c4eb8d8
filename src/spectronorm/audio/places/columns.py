"""Columns of clips from the values of manifests: text and numbers, as text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

MOST_TEXT = 256
"""Longest text that becomes a column: longer ones are transcripts, not groups."""
BETWEEN = ";"
"""Text between the items of a list of texts, such as several labels of a clip."""
_MOST_ITEMS = 1000


def text_columns(values: Mapping[str, Any]) -> dict[str, str]:
    """The values that are text, lists of texts, numbers or true and false, as text; everything else is left out.

    >>> text_columns({"label": "dog", "fold": 1, "gain": 0.5, "mel": [1, 2], "note": None, "heard": ["dog", "rain"]})
    {'label': 'dog', 'fold': '1', 'gain': '0.5', 'heard': 'dog;rain'}
    """
    found = {}
    for key, value in values.items():
        text = column_text(value)
        if key and text:
            found[key] = text
    return found


def column_text(value: object) -> str:
    """A value as the text of a column; empty for a missing one and for one that is not a column.

    The items of a list of texts, such as several labels of a clip, are joined by `;`.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(value)
    if isinstance(value, bool | int):
        return str(value)
    if isinstance(value, list | tuple | np.ndarray):
        return list_text(list(value))
    return value if isinstance(value, str) and len(value) <= MOST_TEXT else ""


def list_text(items: list[object]) -> str:
    """The items of a list of texts with `;` between them; empty for other lists, and if an item holds a `;`."""
    texts = [item for item in items if isinstance(item, str) and 0 < len(item) <= MOST_TEXT and BETWEEN not in item]
    return BETWEEN.join(texts) if len(texts) == len(items) <= _MOST_ITEMS else ""
