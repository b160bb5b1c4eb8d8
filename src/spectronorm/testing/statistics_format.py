"""Contract tests of a statistics format."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import ClassVar

import numpy as np

from spectronorm.errors import SpectronormError
from spectronorm.front_end import STFT, FrontEnd, Mel
from spectronorm.interop.statistics import (
    STATISTICS_FORMATS,
    ShiftAndScale,
    StatisticsFormat,
    read_statistics,
    write_statistics,
)
from spectronorm.pipeline import Pipeline
from spectronorm.testing.contract import RATE, Contract, require, waves


class StatisticsFormatContract(Contract):
    """Written files are recognized and read back, and a damaged file gives one clear error.

    >>> from spectronorm.interop.statistics import STATISTICS_FORMATS
    >>> StatisticsFormatContract.check(STATISTICS_FORMATS.find("npz")())
    """

    subject: ClassVar[StatisticsFormat]
    file_name: ClassVar[str] = ""
    """Name of a file; by default `statistics` with the format's suffix."""
    tolerance: ClassVar[float] = 1e-6
    front_end: ClassVar[FrontEnd] = FrontEnd(RATE, stft=STFT(400, hop_length=160), bands=Mel(20))

    @property
    def _name(self) -> str:
        return self.file_name or f"statistics{self.subject.suffix}"

    def test_numbers_come_back(self) -> None:
        """One number for all bands, or one for each band, is recognized and recovered, also from a saved pipeline."""
        rng = np.random.default_rng(0)
        name = STATISTICS_FORMATS.name_of(self.subject)
        numbers = ShiftAndScale(rng.normal(-40.0, 9.0, 20), rng.uniform(1.0, 20.0, 20))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / self._name
            self.subject.write(path, numbers)
            require(self.subject.recognizes(path), f"{self.subject} does not recognize what it wrote")
            fitted = read_statistics(path, self.front_end, name)
            for found, given in ((fitted.affine.shift, numbers.shift), (fitted.affine.scale, numbers.scale)):  # type: ignore[union-attr]
                np.testing.assert_allclose(found.ravel(), given, rtol=self.tolerance)
            again = Path(folder) / f"again-{self._name}"
            write_statistics(again, fitted, name)
            numbers = ShiftAndScale(fitted.affine.shift, fitted.affine.scale)  # type: ignore[union-attr]
            back = read_statistics(again, self.front_end, name).affine
            for found, given in ((back.shift, numbers.shift), (back.scale, numbers.scale)):  # type: ignore[union-attr]
                np.testing.assert_allclose(found.ravel(), given, rtol=1e-9)
            pipeline, saved = Pipeline(self.front_end, fitted), Path(folder) / "pipeline.safetensors"
            pipeline.save(saved)
            np.testing.assert_array_equal(Pipeline.load(saved)(waves()), pipeline(waves()))

    def test_a_damaged_file_is_one_clear_error(self) -> None:
        """Truncated files, and bytes of no format, are refused with an error of spectronorm, or read in full."""
        numbers = ShiftAndScale(np.linspace(-50.0, -20.0, 20), np.linspace(2.0, 9.0, 20))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / self._name
            self.subject.write(path, numbers)
            whole = path.read_bytes()
            for content in [whole[: len(whole) * part // 8] for part in range(8)] + [b"\x00\xff" * 64, b"{}", b"[[[["]:
                path.write_bytes(content)
                try:
                    fitted = read_statistics(path, self.front_end, STATISTICS_FORMATS.name_of(self.subject))
                except SpectronormError as error:
                    require(str(path) in str(error), f"the error does not name the file: {error}")
                else:
                    require(np.isfinite(fitted.affine.shift).all(), f"{content!r} gives NaN")  # type: ignore[union-attr]
