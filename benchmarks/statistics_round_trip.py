"""Write statistics of ESC-10 in every format, read them back, and compare the features of its clips.

    python -m benchmarks.statistics_round_trip --quick --write

puts the table into docs/other-programs.md; without `--quick` it measures all of ESC-10 in place of a quarter.
`SPECTRONORM_DATA` is the folder that holds `esc10`.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import spectronorm as sn
from benchmarks.document import print_table
from spectronorm.audio import random_sample
from spectronorm.interop.statistics import STATISTICS_FORMATS, read_statistics, write_statistics
from spectronorm.normalize import FittedNormalizer

PAGE = Path(__file__).parents[1] / "docs" / "other-programs.md"
COMPARED = 40


def through(name: str, what: FittedNormalizer | sn.Profile) -> FittedNormalizer:
    """The normalizer that is read from the file of this format that we write."""
    front_end = what.front_end
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"x{STATISTICS_FORMATS.find(name).suffix}"
        write_statistics(path, what, name)
        return read_statistics(path, front_end)


def largest_difference(levels: Sequence[NDArray[np.float64]], one: FittedNormalizer, other: FittedNormalizer) -> float:
    """Largest difference of the normalized features of any cell."""
    return max(float(np.abs(one(level) - other(level)).max()) for level in levels)


def table(profile: sn.Profile, levels: Sequence[NDArray[np.float64]]) -> list[list[str]]:
    """A row for each format: numbers of each band, one number for all bands, and a profile's sums."""
    rows = [["format", "each band", "one number", "sums of the profile"]]
    for name, cls in STATISTICS_FORMATS.classes().items():
        row = [f"`{name}`"]
        for per in ("band", "global"):
            fitted = sn.Standardize(per).fit(profile)
            row.append(f"{largest_difference(levels, through(name, fitted), fitted):.1e}")
        by_sums = through(name, profile) if cls.additive else None
        fitted = sn.Standardize("band").fit(profile)
        row.append("-" if by_sums is None else f"{largest_difference(levels, by_sums, fitted):.1e}")
        rows.append(row)
    return rows


def main() -> None:
    """Print the table, and put it into the docs with `--write`."""
    front_end = sn.preset("ast")
    source = sn.open_source(Path(os.environ["SPECTRONORM_DATA"]) / "esc10")
    if "--quick" in sys.argv[1:]:
        source = random_sample(source, 0.25, 3)
    profile = sn.fit(source, front_end, group_by=[])
    clips = list(source)[:: max(1, len(source.clips) // COMPARED)][:COMPARED]
    levels = [front_end(source.reader.read(clip, front_end.sample_rate).valid.astype(np.float64)) for clip in clips]
    found = table(profile, levels)
    print(f"{len(source.clips)} clips measured, {len(levels)} compared")
    print_table(PAGE, "round trip", found, write="--write" in sys.argv[1:])


if __name__ == "__main__":
    main()
