"""Plant every known mistake in the statistics of ESC-10 and of the spoken digits, and list what an audit calls it.

    python -m benchmarks.planted_statistics --quick --write

puts the table into docs/other-programs.md; without `--quick` it takes all of ESC-10 in place of a quarter.
`SPECTRONORM_DATA` is the folder that holds `esc10` and `fsdd`.
"""

from __future__ import annotations

import math
import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import spectronorm as sn
from benchmarks.document import print_table
from spectronorm.audio import random_sample
from spectronorm.audit.audit import audit_sums
from spectronorm.audit.measure_sums import measure_sums

PAGE = Path(__file__).parents[1] / "docs" / "other-programs.md"
HALVES = 40
SIZES = (8, 16, 32, 64)
ORDERS = 10
Levels = list[np.ndarray]
Numbers = tuple[Any, Any]
LN_TO_DB = 10.0 / math.log(10.0)


class Data:
    """Levels of every clip, kept whole, so that a mistake can be made on them as a script would make it."""

    def __init__(self, source: sn.audio.Source, front_end: sn.FrontEnd) -> None:
        self.source, self.front_end = source, front_end
        self.waves = [
            source.reader.read(one, front_end.sample_rate).valid for one in sorted(source, key=lambda c: c.name)
        ]
        self.levels = [front_end(wave.astype(np.float64)) for wave in self.waves]
        self.sums, _ = measure_sums(source, front_end)

    @property
    def longest(self) -> int:
        return max(int(level.shape[1]) for level in self.levels)


def moments(levels: Levels, axis: int | None) -> Numbers:
    whole = np.concatenate(levels, axis=1)
    return whole.mean(axis=axis), whole.std(axis=axis)


def averaged(levels: Levels, size: int, axis: int | None, order: np.ndarray | None = None) -> Numbers:
    """Mean of the means and mean of the stds of batches, in this order or in a random one."""
    if order is None:
        order = np.random.default_rng(77).permutation(len(levels))
    batches = [[levels[i] for i in order[k : k + size]] for k in range(0, len(levels), size)]
    found = [moments(batch, axis) for batch in batches]
    return np.mean([mean for mean, _ in found], axis=0), np.mean([std for _, std in found], axis=0)


def padded(data: Data, frames: int, value: float) -> Levels:
    return [np.pad(one, ((0, 0), (0, frames - one.shape[1])), constant_values=value) for one in data.levels]


def _length(data: Data) -> int:
    return 1024 if data.longest > 200 else data.longest


def _of_right(change: Callable[[Any, Any], Numbers]) -> Callable[[Data, int | None], Numbers]:
    return lambda data, axis: change(*moments(data.levels, axis))


def _above_floor(data: Data, axis: int | None) -> Numbers:
    whole = np.concatenate(data.levels, axis=1)
    masked = np.ma.masked_less_equal(whole, data.front_end.floor + 1e-6)
    return np.asarray(masked.mean(axis=axis)), np.asarray(masked.std(axis=axis))


BOTH: Mapping[str, Callable[[Data, int | None], Numbers]] = {
    "zero padding was counted": lambda d, axis: moments(padded(d, _length(d), 0.0), axis),
    "padding with the floor was counted": lambda d, axis: moments(padded(d, _length(d), d.front_end.floor), axis),
    "mean of clip stds": lambda d, axis: averaged(d.levels, 1, axis),
    "zero padding was counted, mean of clip stds": lambda d, axis: averaged(padded(d, _length(d), 0.0), 1, axis),
    "mean of batch stds": lambda d, axis: averaged(d.levels, 16, axis, np.arange(len(d.levels))),
    "2·std": _of_right(lambda m, s: (m, 2 * s)),
    "half the std": _of_right(lambda m, s: (m, s / 2)),
    "variance taken for std": _of_right(lambda m, s: (m, s**2)),
    "inverse std": _of_right(lambda m, s: (m, 1 / np.maximum(s, 1e-6))),
    "mean not subtracted": _of_right(lambda m, s: (m, np.sqrt(m**2 + s**2))),
    "negative mean": _of_right(lambda m, s: (-m, s)),
    "dB for ln": _of_right(lambda m, s: (LN_TO_DB * m, LN_TO_DB * s)),
    "log10 for ln": _of_right(lambda m, s: (m / math.log(10), s / math.log(10))),
    "first files only": lambda d, axis: moments(d.levels[: len(d.levels) // 10], axis),
    "normalized already": _of_right(lambda m, s: (0 * m + 1e-3, 0 * s + 0.999)),
    "numbers of AudioSet, published with AST": _of_right(lambda m, s: (0 * m - 4.27, 0 * s + 4.57)),
}
POOLED: Mapping[str, Callable[[Data, int | None], Numbers]] = {
    "mean and std swapped": _of_right(lambda m, s: (s, abs(m))),
    "mean of band stds": lambda d, _: (moments(d.levels, None)[0], moments(d.levels, 1)[1].mean()),
}
UNKNOWN: Mapping[str, Callable[[Any, Any], Numbers]] = {
    "mean too high, std too small": lambda m, s: (m + s, 0.8 * s),
    "mean too low, std too large": lambda m, s: (m - 0.3 * s, 1.3 * s),
    "both too large": lambda m, s: (1.7 * m, 1.2 * s),
    "far away": lambda m, s: (m + 7 * s, 3.3 * s),
}


def data_of(name: str, folder: Path, share: float = 1.0) -> Data:
    """A share of ESC-10 with AST's front end, or a tenth of the spoken digits with 40 mel bands."""
    if name == "esc10":
        source = sn.open_source(folder / "esc10")
        return Data(source if share == 1.0 else random_sample(source, share, 3), sn.preset("ast"))
    mel = sn.FrontEnd(8000, stft=sn.STFT(256, hop_length=80), bands=sn.Mel(40), compress=sn.Ln(0.0, amin=1e-8))
    return Data(random_sample(sn.open_source(folder / "fsdd"), 0.1, 3), mel)


def planted_in(data: Data, axis: int | None) -> Mapping[str, Numbers]:
    """The numbers of each mistake, pooled or for each band."""
    planted = {**BOTH, **(POOLED if axis is None else {})}
    if (data.sums.on_floor.sum() / (data.sums.frames.sum() * data.front_end.n_bands)) > 0.01:
        planted["floor left out"] = _above_floor
    made = {name: make(data, axis) for name, make in planted.items()}
    return {name: (mean, np.maximum(std, 1e-8)) for name, (mean, std) in made.items()}


def halves(data: Data, axis: int | None, count: int, seed: int = 5) -> list[tuple[str, str, str]]:
    """Verdicts on numbers of random halves: right ones beside all clips and beside the other half, and averages.

    The averages are of the stds of batches of 32 clips, and stand beside the other half.
    """
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        order = rng.permutation(len(data.levels))
        half, other = order[: len(order) // 2], data.sums.of(np.sort(order[len(order) // 2 :]))
        chosen = [data.levels[i] for i in half]
        right, batched = moments(chosen, axis), averaged(chosen, 32, axis)
        numbers = [(mean, np.maximum(std, 1e-8)) for mean, std in (right, right, batched)]
        beside = (data.sums, other, other)
        verdicts = (audit_sums(one, sums, data.front_end).verdict for one, sums in zip(numbers, beside, strict=True))
        found.append(tuple(verdicts))
    return found  # type: ignore[return-value]


def in_file_order(data: Data, axis: int | None) -> dict[int, str]:
    """Verdicts on averages over batches of each size in the order of the files, by size."""
    order = np.arange(len(data.levels))
    sizes = [size for size in SIZES if 2 * size <= len(order)]
    numbers = {size: averaged(data.levels, size, axis, order) for size in sizes}
    return {size: _verdict(data, one) for size, one in numbers.items()}


def in_random_orders(data: Data, size: int, axis: int | None, right_mean: bool) -> list[str]:
    """Verdicts on averages over batches in several random orders; the mean may be the right one."""
    rng, mean = np.random.default_rng(size), moments(data.levels, axis)[0]
    found = [averaged(data.levels, size, axis, rng.permutation(len(data.levels))) for _ in range(ORDERS)]
    return [_verdict(data, (mean if right_mean else one[0], one[1])) for one in found]


def _verdict(data: Data, numbers: Numbers) -> str:
    mean, std = numbers
    return audit_sums((mean, np.maximum(std, 1e-8)), data.sums, data.front_end).verdict


def columns_of(name: str, folder: Path, share: float) -> dict[str, dict[str, str]]:
    """The verdicts on one data set by what was planted, for pooled numbers and for numbers of each band."""
    columns: dict[str, dict[str, str]] = {}
    data = data_of(name, folder, share)
    for axis, kind in ((None, "pooled"), (1, "each band")):
        column = columns.setdefault(f"{'ESC-10' if name == 'esc10' else 'digits'}, {kind}", {})
        for planted, numbers in planted_in(data, axis).items():
            verdict = audit_sums(numbers, data.sums, data.front_end).verdict
            column[planted] = "named" if verdict == planted else verdict
        ordered = in_file_order(data, axis)
        column[f"stds averaged over batches of {_listed(ordered)}, in the order of the files"] = _counted(
            [_named(one) for one in ordered.values()]
        )
        for size in ordered:
            for right_mean, what in ((False, ""), (True, ", beside the right mean")):
                said = [_named(one) for one in in_random_orders(data, size, axis, right_mean)]
                column[f"stds averaged over batches of {size} in a random order{what}"] = _counted(said)
        mean, std = moments(data.levels, axis)
        right = np.float32(mean), np.float32(np.maximum(std, 1e-8))
        column["none: the right numbers, in float32"] = audit_sums(right, data.sums, data.front_end).verdict
        wheres = (
            "beside all clips",
            "beside the other half",
            "of stds averaged over batches of 32, beside the other",
        )
        for where, verdicts in zip(wheres, zip(*halves(data, axis, HALVES), strict=True), strict=True):
            column[f"none: a random half, {where}"] = _counted(verdicts)
        odd = [audit_sums(change(mean, right[1]), data.sums, data.front_end).verdict for change in UNKNOWN.values()]
        column["made-up numbers"] = _counted(odd)
    return columns


def table_of(columns: dict[str, dict[str, str]]) -> list[list[str]]:
    """The table: a row for each mistake, a column for each data set and kind of numbers."""
    names = list(dict.fromkeys(name for column in columns.values() for name in column))
    return [["planted", *columns], *([name, *(column.get(name, "-") for column in columns.values())] for name in names)]


def _named(verdict: str) -> str:
    return "named" if verdict == "mean of batch stds" else verdict


def _listed(sizes: Any) -> str:
    return ", ".join(str(size) for size in sizes)


def _counted(verdicts: Any) -> str:
    total = len(list(verdicts))
    return ", ".join(f"{verdict} {count} of {total}" for verdict, count in Counter(verdicts).most_common())


def main() -> None:
    """Print the table, and put it into the docs with `--write`."""
    folder, share = Path(os.environ["SPECTRONORM_DATA"]), 0.25 if "--quick" in sys.argv[1:] else 1.0
    found = table_of({**columns_of("esc10", folder, share), **columns_of("digits", folder, share)})
    print_table(PAGE, "planted", found, write="--write" in sys.argv[1:])


if __name__ == "__main__":
    main()
