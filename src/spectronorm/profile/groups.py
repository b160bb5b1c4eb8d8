"""Groups of clips by the values of their columns."""

from __future__ import annotations

GroupKey = tuple[tuple[str, str], ...]
"""The columns and values that a group's clips share, such as `(("fold", "1"),)`."""

GROUP_COLUMNS = ("src_file", "recording", "source", "speaker")
"""Columns taken as the recording or speaker of a clip, unless another one is named."""
