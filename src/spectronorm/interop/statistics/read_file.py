"""Reading of statistics in any registered format as a fitted normalizer."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from spectronorm.errors import ArgumentError, FileFormatError, FrontEndMismatch, MissingExtra, SpectronormError
from spectronorm.front_end import AnyFrontEnd, FrontEnd
from spectronorm.interop.statistics.statistics_format import STATISTICS_FORMATS, ShiftAndScale
from spectronorm.normalize import FittedNormalizer, FittedOn, Imported
from spectronorm.storage import DAMAGE

_UNREADABLE: tuple[type[Exception], ...] = (OSError, *DAMAGE)


def read_statistics(
    path: str | Path, front_end: AnyFrontEnd, format_name: str | None = None, *, key: str | None = None
) -> FittedNormalizer:
    """Build a normalizer from the statistics in another program's file; it applies them exactly as that program does.

    Args:
        path: The file.
        front_end: The front end of the levels that were measured, or the levels; most formats do not say.
        format_name: A name in `STATISTICS_FORMATS`; by default the only format that recognizes the file.
        key: The speaker or other part of the file, for a format with several; `*` adds up all of them.

    Raises:
        ArgumentError: if there is no such format or key, or the number of values is not the number of bands.
        FileFormatError: if no format or several formats recognize the file, or it is damaged.
        FrontEndMismatch: if the file names another front end.

    >>> import pathlib, tempfile, spectronorm as sn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "preprocessor_config.json"
    ...     _ = path.write_text('{"feature_extractor_type": "ASTFeatureExtractor", "mean": -4.27, "std": 4.57}')
    ...     fitted = read_statistics(path, sn.preset("ast"))
    >>> fitted.affine.shift.tolist(), fitted.affine.scale.round(2).tolist()
    ([[-4.27]], [[9.14]])
    """
    name, numbers = read_numbers(path, format_name, key=key)
    require_fit(Path(path), numbers, front_end)
    return fitted_to(name, numbers, front_end)


def read_numbers(
    path: str | Path, format_name: str | None = None, *, key: str | None = None
) -> tuple[str, ShiftAndScale]:
    """Return the format of a file and the numbers in it.

    Raises:
        ArgumentError: if there is no such format or key.
        FileFormatError: if no format or several formats recognize the file, or it is damaged.

    >>> import pathlib, tempfile, spectronorm as sn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "preprocessor_config.json"
    ...     _ = path.write_text('{"feature_extractor_type": "ASTFeatureExtractor", "mean": -4.27, "std": 4.57}')
    ...     name, numbers = read_numbers(path)
    >>> name, numbers.factor
    ('hf', 2.0)
    """
    path = Path(path)
    name = recognized_format(path) if format_name is None else format_name
    reader = STATISTICS_FORMATS.find(name)()
    try:
        with np.errstate(all="ignore"):  # numbers that overflow are infinite, and refused as such
            return name, reader.read(path) if key is None else reader.read_entry(path, key)
    except (FileFormatError, MissingExtra):
        raise
    except SpectronormError as error:
        if isinstance(error, KeyNeeded) or key is not None:
            raise
        raise FileFormatError(f"{path}: its statistics of the format {name} cannot be applied: {error}") from None
    except _UNREADABLE as error:
        told = str(error) if type(error) is ValueError else f"{type(error).__name__}: {error}"
        raise FileFormatError(
            f"{path}: cannot be read as statistics of the format {name} ({told:.300}); write it again, or name "
            "another format"
        ) from None


class KeyNeeded(ArgumentError):
    """A file holds the numbers of several speakers, and none was named."""


def recognized_format(path: Path) -> str:
    """Return the only format that recognizes a file.

    Raises:
        FileFormatError: if none or several do.
    """
    try:
        with path.open("rb") as file:
            file.read(1)
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be read ({error.strerror or error})") from None
    names, reasons = [], []
    for name, cls in STATISTICS_FORMATS.classes().items():
        try:
            if cls().recognizes(path):
                names.append(name)
        except _UNREADABLE as error:  # it begins as files of this format do, and is damaged behind
            reasons.append(str(error) if isinstance(error, ValueError) else "it is damaged")
    if len(names) != 1:
        known = ", ".join(STATISTICS_FORMATS)
        why = f" ({reasons[0]:.200})" if reasons else ""
        found = f"several formats ({', '.join(names)}) recognize it" if names else f"no format recognizes it{why}"
        raise FileFormatError(f"{path}: {found}; name one of {known}")
    return names[0]


def require_fit(path: Path, numbers: ShiftAndScale, front_end: AnyFrontEnd) -> None:
    """Raise unless the numbers can be of this front end.

    Raises:
        ArgumentError: if the number of values, bands or hertz differs.
        FrontEndMismatch: if the file names another front end.
    """
    size, bands = numbers.shift.size, front_end.n_bands
    if size != 1 and size % bands == 0 and size != bands:
        raise ArgumentError(
            f"{path}: has {size} numbers, which are of {size // bands} stacked frames of {bands} bands (low frame "
            "rate), which a pipeline of frames cannot apply; stack them with sn.front_end.stack_frames, or measure the "
            "frames themselves with spectronorm fit"
        )
    if size not in (1, bands):
        raise ArgumentError(
            f"{path}: has {size} numbers, but the front end has {bands} bands; use the front end that the numbers "
            "were measured with"
        )
    if numbers.fingerprint and numbers.fingerprint != front_end.fingerprint:
        raise FrontEndMismatch(
            f"{path}: names the front end {numbers.fingerprint!r:.40}, but this one is {front_end.fingerprint}; use "
            "the front end that the numbers were measured with"
        )
    rate = front_end.sample_rate if isinstance(front_end, FrontEnd) else None
    for what, there, here in (("sample rate", numbers.sample_rate, rate), ("number of bands", numbers.bands, bands)):
        if there is not None and here is not None and there != here:
            raise ArgumentError(
                f"{path}: its {what} is {there}, but the front end's is {here}; use the front end that the numbers "
                "were measured with"
            )


def fitted_to(name: str, numbers: ShiftAndScale, front_end: AnyFrontEnd) -> FittedNormalizer:
    """Build the normalizer of these numbers for this front end."""
    settings = Imported(
        name,
        factor=numbers.factor,
        count=0.0 if numbers.count is None else float(np.float64(numbers.count)),
        padding=numbers.padding,
    )
    return FittedNormalizer.with_map(settings, front_end, FittedOn(0, 0, ()), numbers.shift, numbers.scale)
