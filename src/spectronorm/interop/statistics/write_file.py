"""Writing of a fitted normalizer or a profile as statistics in any registered format."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from spectronorm.counted import counted
from spectronorm.errors import ArgumentError
from spectronorm.front_end import AnyFrontEnd, FrontEnd
from spectronorm.interop.statistics.statistics_format import STATISTICS_FORMATS, ShiftAndScale, StatisticsFormat
from spectronorm.normalize import FittedNormalizer, Imported, Standardize
from spectronorm.pipeline import Pipeline
from spectronorm.profile import Profile
from spectronorm.storage import overwriting
from spectronorm.storage.content import Content
from spectronorm.storage.replacement import require_replaceable

_Exportable = FittedNormalizer | Pipeline | Profile


def write_statistics(
    path: str | Path, what: _Exportable, format_name: str, *, overwrite: bool = False
) -> tuple[str, ...]:
    """Write shift and scale for another program.

    Args:
        path: The file; one that spectronorm wrote is replaced.
        what: A fitted normalizer or a pipeline; or a profile, for a format that holds sums.
        format_name: A name in `STATISTICS_FORMATS`.
        overwrite: Replace any file.

    Returns:
        Remarks on what the format cannot carry, in one sentence each.

    Raises:
        ArgumentError: if there is no such format, each clip has its own map, or the format needs a pipeline.
        OutputRefused: if another file already exists.

    >>> import pathlib, tempfile, spectronorm as sn
    >>> fitted = sn.Fixed(-4.0, 2.0).for_front_end(sn.preset("kaldi"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "cmvn.npz"
    ...     _ = write_statistics(path, fitted, "npz")
    ...     sn.interop.statistics.read(path, sn.preset("kaldi")).affine.scale.max().item()
    2.0
    """
    path, writer = Path(path), STATISTICS_FORMATS.find(format_name)()
    numbers, front_end = _numbers_of(what, writer, format_name)
    if writer.per_band and numbers.shift.size == 1:
        shift, scale = (np.repeat(array, front_end.n_bands) for array in (numbers.shift, numbers.scale))
        numbers = replace(numbers, shift=shift, scale=scale)
    if writer.marks:
        numbers = replace(numbers, fingerprint=front_end.fingerprint)
    with overwriting(overwrite):
        require_replaceable(path, Content.STATISTICS)
        writer.write(path, numbers)
    return (*_lost(what, writer, numbers), *writer.lacks)


def _numbers_of(what: _Exportable, writer: StatisticsFormat, name: str) -> tuple[ShiftAndScale, AnyFrontEnd]:
    if isinstance(what, Profile):
        if not writer.additive:
            raise ArgumentError(
                f"{name} holds the numbers that are applied, not sums, so it needs a pipeline: choose a normalizer, "
                "such as Standardize().fit(profile) or --normalize band"
            )
        return _measured(what), what.front_end
    fitted = what.normalizer if isinstance(what, Pipeline) else what
    if fitted.affine is None or fitted.normalizer.maps_clips:
        raise ArgumentError(f"{fitted.normalizer} finds a map in each clip, so there are no numbers to write")
    if np.broadcast(fitted.affine.shift, fitted.affine.scale).size not in (1, fitted.front_end.n_bands):
        raise ArgumentError(f"{fitted.normalizer} has one map for each channel, which {name} cannot hold")
    return _applied(fitted), fitted.front_end


def _applied(fitted: FittedNormalizer) -> ShiftAndScale:
    affine, settings = fitted.affine, fitted.normalizer
    assert affine is not None  # noqa: S101  (the caller has looked)
    shift, scale = (array.reshape(-1) for array in np.broadcast_arrays(affine.shift, affine.scale))
    frames = settings.count if isinstance(settings, Imported) else float(fitted.fitted_on.frames)
    front_end = fitted.front_end
    rate = front_end.sample_rate if isinstance(front_end, FrontEnd) else None
    return ShiftAndScale(shift, scale, count=frames or None, sample_rate=rate, bands=front_end.n_bands)


def _measured(profile: Profile) -> ShiftAndScale:
    """Mean, deviation and count of each band; a band that never changes gets the deviation that `Standardize` gives it.

    Its own, zero, would make the origin multiply the rounding of its sums by 10^10.
    """
    fitted = Standardize("band").fit(profile).affine
    assert fitted is not None  # noqa: S101  (a standardization has numbers)
    std = np.where(profile.band.std == 0, fitted.scale.reshape(-1), profile.band.std)
    return ShiftAndScale(profile.band.mean, std, count=float(profile.frames), bands=profile.front_end.n_bands)


def _lost(what: _Exportable, writer: StatisticsFormat, numbers: ShiftAndScale) -> list[str]:
    lost = [] if writer.marks else ["The file cannot name the front end: keep the pipeline beside it."]
    fitted = what.normalizer if isinstance(what, Pipeline) else what
    if writer.additive and numbers.count is None:
        lost.append("The number of frames is unknown and written as 1, so sums of other data cannot be added.")
    still = int((what.band.std == 0).sum()) if isinstance(what, Profile) else 0
    if still:
        which = counted(still, "band never changes", "bands never change")
        lost.append(f"{which}: the sums of squares there have the deviation that Standardize gives, not zero.")
    low = numbers.std < writer.least_std
    if low.any():
        lost.append(
            f"The origin raises standard deviations to {writer.least_std:g}, so {int(low.sum())} of {low.size} "
            "differ there."
        )
    pads = fitted.normalizer.padding if isinstance(fitted, FittedNormalizer) else "zero"
    if pads not in ("zero", writer.padding):
        lost.append(f"The file cannot say that padding is {pads}: mask it.")
    return lost
