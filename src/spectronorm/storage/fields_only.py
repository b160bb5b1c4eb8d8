"""Values whose pickles and copies hold their fields and nothing that was computed from them."""

from __future__ import annotations

from dataclasses import fields
from typing import Any


class FieldsOnly:
    """A base of frozen dataclasses with cached properties: use does not change their pickles and copies."""

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields alone."""
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
