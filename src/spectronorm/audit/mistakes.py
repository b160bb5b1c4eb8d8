"""Common mistakes in the statistics of a data set, each with the numbers that it would give."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from spectronorm.audit.batches import averages_in_file_order, averages_in_random_order
from spectronorm.audit.level_sums import LevelSums, Moments
from spectronorm.audit.mistake import Mistake
from spectronorm.front_end import AnyFrontEnd, FrontEnd

_LENGTHS = (128, 256, 400, 500, 512, 600, 998, 1000, 1001, 1024, 1056, 1200, 1500, 2048, 3000, 3072)
_FIRST = (0.01, 0.05, 0.1, 0.2, 0.25, 0.5)

EXACT = "exact"
PUBLISHED = "numbers of"
"""Beginning of the names of published numbers, which are constants and so may lie beside anything by chance."""
_PUBLISHED = {
    "AudioSet, published with AST": (-4.2677393, 4.5689974),
    "ESC-50, published with AST": (-6.6268077, 5.358466),
    "Speech Commands, published with AST": (-6.845978, 5.5654526),
    "AudioSet, published with BEATs": (15.41663, 6.55582),
    "AudioSet, published with PaSST": (-4.5, 5.0),
}


def known_mistakes(sums: LevelSums, front_end: AnyFrontEnd, *, per_band: bool) -> Iterator[Mistake]:
    """Yield everything that is tried on one pass, the right numbers first.

    Args:
        sums: Sums of each clip and band.
        front_end: The front end of the levels.
        per_band: True for one number for each band; otherwise the bands are pooled.
    """

    def view(some: LevelSums) -> LevelSums:
        return some if per_band else some.pooled()

    def right(some: LevelSums) -> Moments:
        return view(some).moments()

    yield Mistake(EXACT, "the numbers are those of these data", right)
    yield from _of_the_std(right)
    yield from _of_padding(sums, view)
    yield from _of_averages(sums, view)
    yield from averages_in_file_order(sums, view)
    yield from averages_in_random_order(sums, view)
    yield from _of_units(front_end, view)
    yield from _of_other_data(sums, view)
    yield from _of_bands(per_band=per_band)


def _of_the_std(right: Callable[[LevelSums], Moments]) -> Iterator[Mistake]:
    changes: dict[str, tuple[str, Callable[[Moments], Moments]]] = {
        "2·std": ("the std is doubled, as AST's divisor is, so it would be doubled again", lambda x: (x[0], 2 * x[1])),
        "half the std": ("the std is half of what it should be", lambda x: (x[0], x[1] / 2)),
        "variance taken for std": ("the variance is given as the std", lambda x: (x[0], x[1] ** 2)),
        "std taken for variance": ("the root of the std is given as the std", lambda x: (x[0], np.sqrt(x[1]))),
        "inverse std": (
            "the inverse of the std is given as the std",
            lambda x: (x[0], 1 / np.maximum(x[1], 1e-10)),
        ),
        "mean not subtracted": (
            "the std is the root of the mean square: the mean was not subtracted",
            lambda x: (x[0], np.hypot(x[0], x[1])),
        ),
        "negative mean": ("the mean has the wrong sign", lambda x: (-x[0], x[1])),
        "mean and std swapped": ("mean and std are swapped", lambda x: (x[1], np.abs(x[0]))),
    }
    for name, (sentence, change) in changes.items():
        yield Mistake(name, sentence, lambda some, change=change: change(right(some)))  # type: ignore[misc]


def _of_padding(sums: LevelSums, view: Callable[[LevelSums], LevelSums]) -> Iterator[Mistake]:
    longest = int(sums.frames.max())
    lengths = [longest, *(n for n in _LENGTHS if longest < n <= 10 * longest)]
    kinds = {
        "zero padding was counted": (0.0, "zeros"),
        "padding with the floor was counted": (sums.floor, "the floor"),
    }
    for name, (value, what) in kinds.items():
        for length in lengths if sums.frames.min() < longest else lengths[1:]:
            to = f"clips were padded with {what} to {length} frames, and the padding was counted"

            def padded(some: LevelSums, length: int = length, value: float = value) -> LevelSums:
                return view(some.padded(np.full(len(some.frames), float(length)), value))

            yield Mistake(name, to, lambda some, padded=padded: padded(some).moments())  # type: ignore[misc]
            both = f"{to}; and the std is the mean of the stds of clips"
            yield Mistake(
                f"{name}, mean of clip stds",
                both,
                lambda some, padded=padded: _averaged(padded(some)),  # type: ignore[misc]
            )
    if sums.floor and sums.on_floor.any():
        yield Mistake("floor left out", "cells on the floor, such as digital silence, were left out", _above(view))


def _above(view: Callable[[LevelSums], LevelSums]) -> Callable[[LevelSums], Moments]:
    def moments(some: LevelSums) -> Moments:
        seen = view(some)
        return seen.without_floor().moments(np.broadcast_to(seen.count, seen.total.shape) - seen.on_floor)

    return moments


def _averaged(some: LevelSums) -> Moments:
    mean, std = some.clip_moments()
    return mean.mean(axis=0), std.mean(axis=0)


def _of_averages(sums: LevelSums, view: Callable[[LevelSums], LevelSums]) -> Iterator[Mistake]:
    yield Mistake("mean of clip stds", "the std is the mean of the stds of clips", lambda s: _averaged(view(s)))
    yield Mistake(
        "std of clip means",
        "the std is the std of the clips' means",
        lambda s: (view(s).moments()[0], view(s).clip_moments()[0].std(axis=0)),
    )
    if np.ptp(sums.frames) > 0:
        yield Mistake(
            "mean of clip means",
            "the mean is the mean of the clips' means, so short clips count as much as long ones",
            lambda s: (_averaged(view(s))[0], view(s).moments()[1]),
        )


def _of_units(front_end: AnyFrontEnd, view: Callable[[LevelSums], LevelSums]) -> Iterator[Mistake]:
    if not isinstance(front_end, FrontEnd):
        return
    power, unit = front_end.stft.power, front_end.unit
    per_neper = {"ln": 1.0, "dB": 20.0 / (power * math.log(10.0))}.get(unit)
    if per_neper is None:
        return
    for other, factor in {"dB": 20.0 / (power * math.log(10)), "ln": 1.0, "log10": 1.0 / math.log(10)}.items():
        if other != unit:
            change = factor / per_neper
            yield Mistake(
                f"{other} for {unit}",
                f"the numbers are of levels in {other}, but the front end gives {unit}",
                lambda s, change=change: tuple(change * one for one in view(s).moments()),  # type: ignore[misc]
            )
    for factor, name in ((2.0, "power for magnitude"), (0.5, "magnitude for power")):
        yield Mistake(
            name,
            f"the numbers are of {name.replace(' for ', ', not of ')}: mean and std are {factor:g} times too large",
            lambda s, factor=factor: tuple(factor * one for one in view(s).moments()),  # type: ignore[misc]
            1e-2,
        )


def _of_other_data(sums: LevelSums, view: Callable[[LevelSums], LevelSums]) -> Iterator[Mistake]:
    for share in _FIRST:
        count = round(share * len(sums.names))
        if count >= 2:
            sentence = f"only the first {share:.0%} of the files, sorted by name, were measured"
            yield Mistake(
                "first files only",
                sentence,
                lambda s, share=share: view(s.of(slice(0, max(1, round(share * len(s.names)))))).moments(),  # type: ignore[misc]
            )
    yield Mistake(
        "normalized already",
        "the numbers are of features that are normalized already: about 0 and 1",
        lambda s: (np.zeros(view(s).total.shape[1]), np.ones(view(s).total.shape[1])),
        0.02,
    )
    for name, (mean, std) in _PUBLISHED.items():
        yield Mistake(
            f"{PUBLISHED} {name}",
            f"the numbers are of another data set: {name}",
            lambda s, m=mean, d=std: (np.full(view(s).total.shape[1], m), np.full(view(s).total.shape[1], d)),  # type: ignore[misc]
        )


def _of_bands(*, per_band: bool) -> Iterator[Mistake]:
    if not per_band:
        yield Mistake(
            "mean of band stds",
            "the std is the mean of the stds of bands, so differences between bands are left out",
            lambda s: (s.pooled().moments()[0], s.moments()[1].mean(keepdims=True)),
        )
        return
    yield Mistake(
        "pooled",
        "every band has the numbers of all bands together",
        lambda s: tuple(np.repeat(one, s.total.shape[1]) for one in s.pooled().moments()),  # type: ignore[arg-type, return-value]
    )
    yield Mistake("bands reversed", "the bands are in reverse order", lambda s: tuple(x[::-1] for x in s.moments()))  # type: ignore[arg-type, return-value]
