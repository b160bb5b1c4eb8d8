"""Statistics measured by another program: one shift and scale for all bands, or for each band."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from typing_extensions import override

from spectronorm.arrays import require_choice, set_real_numbers
from spectronorm.errors import ArgumentError
from spectronorm.normalize.normalizer import NORMALIZERS, PADDINGS, FittedNormalizer, Normalizer
from spectronorm.profile import Profile
from spectronorm.short_repr import with_bounded_repr


@NORMALIZERS.register("imported")
@with_bounded_repr
@dataclass(frozen=True)
class Imported(Normalizer):
    """Map `(level - shift) / scale` with numbers from a file of this format; built by `read_statistics`.

    Raises:
        ArgumentError: if a factor or count is out of range, or the padding is unknown.

    >>> import pathlib, tempfile, numpy as np, spectronorm as sn
    >>> front_end = sn.preset("kaldi")
    >>> wave = 0.1 * np.random.default_rng(0).standard_normal(16_000)
    >>> fitted = sn.Standardize().fit(sn.fit([(wave, 16_000)], front_end))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "cmvn.npz"
    ...     _ = sn.interop.statistics.write(path, fitted, "npz")
    ...     again = sn.interop.statistics.read(path, front_end)
    >>> again.normalizer.format
    'npz'
    """

    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    needs_data: ClassVar[bool] = False

    format: str = field(default="json", metadata={"help": "format of the file that provides the numbers"})
    factor: float = field(default=1.0, metadata={"help": "number of standard deviations in one scale"})
    count: float = field(default=0.0, metadata={"help": "number of frames that were measured; 0 if unknown"})
    padding: str = field(  # type: ignore[misc]
        default="zero", repr=False, metadata={"help": "value of padding: zero, silence or zero-level"}
    )

    def __post_init__(self) -> None:
        require_choice(self.padding, "padding", PADDINGS)
        set_real_numbers(self, ("factor",), 1e-12, 1e12)
        set_real_numbers(self, ("count",), 0, 1e30)

    @override
    def fit(self, profile: Profile) -> FittedNormalizer:
        """Raise `ArgumentError`, because the numbers are not measured."""
        raise ArgumentError(
            f"{self} holds numbers from another program's file, so it is not fitted to a profile: "
            "read the file with read_statistics, or fit a normalizer such as Standardize"
        )
