"""Statistics measured by another program: one shift and scale for all bands, or for each band."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from typing_extensions import override

from spectronorm.errors import ArgumentError
from spectronorm.normalize.normalizer import NORMALIZERS, FittedNormalizer, Normalizer
from spectronorm.profile import Profile


@NORMALIZERS.register("imported")
@dataclass(frozen=True)
class Imported(Normalizer):
    """Map `(level - shift) / scale` with numbers from a file of this format; built by `read_statistics`."""

    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    needs_data: ClassVar[bool] = False

    format: str = field(default="json", metadata={"help": "format of the file that provides the numbers"})

    @override
    def fit(self, profile: Profile) -> FittedNormalizer:
        """Raise `ArgumentError`, because the numbers are not measured."""
        raise ArgumentError(
            f"{self} holds numbers from another program's file, so it is not fitted to a profile: "
            "read the file with read_statistics, or fit a normalizer such as Standardize"
        )
