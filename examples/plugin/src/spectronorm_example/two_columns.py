"""Statistics as a text file with two columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from spectronorm.interop.statistics import ShiftAndScale, StatisticsFormat


class TwoColumns(StatisticsFormat):
    """One line a band: its mean and its standard deviation."""

    def recognizes(self, path: Path) -> bool:
        """True for files that end in `.cmvn.txt`."""
        return path.name.endswith(".cmvn.txt")

    def read(self, path: Path) -> ShiftAndScale:
        """The two columns."""
        rows = [[float(word) for word in line.split()] for line in path.read_text(encoding="utf-8").splitlines()]
        mean, std = zip(*rows, strict=True)
        return ShiftAndScale(np.array(mean), np.array(std))

    def write(self, path: Path, numbers: ShiftAndScale) -> None:
        """The two columns, with all digits."""
        rows = zip(numbers.shift.tolist(), numbers.scale.tolist(), strict=True)
        path.write_text("".join(f"{mean!r} {std!r}\n" for mean, std in rows), encoding="utf-8")
