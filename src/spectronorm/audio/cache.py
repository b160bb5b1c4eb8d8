"""Cache of decoded, resampled audio on disk, so that audio read twice is decoded once."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xxhash
from numpy.typing import NDArray

from spectronorm.audio.places.reference import ClipReference
from spectronorm.audio.read import Reader
from spectronorm.errors import ArgumentError, OutputRefused
from spectronorm.storage import DAMAGE
from spectronorm.storage.atomic import atomic_write
from spectronorm.storage.canonical_json import canonical_json
from spectronorm.suggestion import known_settings

_FORMAT = 2
"""Increased when decoding changes its result, so that old entries are no longer found."""


@known_settings
@dataclass(frozen=True)
class AudioCache:
    """A folder of `.npy` files, float32 at one rate each, under a name made of what the samples depend on.

    That is the file's path, size and time of change, the section and channel of a piece, the rate, the resampler and
    the channels: a changed file is
    decoded again. An entry is written whole or not at all, so that many processes may share a folder, and one that is
    damaged is made again. Entries that nothing needs any more stay until the folder is deleted.

    >>> import pathlib, tempfile, numpy as np, soundfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "a.wav"
    ...     soundfile.write(path, np.full(8000, 0.1), 8000)
    ...     cache = AudioCache(pathlib.Path(folder) / "cache")
    ...     print(cache.read(path, 8000).shape, len(list(cache.folder.rglob("*.npy"))))
    (8000,) 1
    """

    folder: Path

    def read(
        self,
        clip: ClipReference | str | Path,
        sample_rate: int,
        resampler: str = "soxr_hq",
        *,
        reader: Reader | None = None,
    ) -> NDArray[np.float32]:
        """Return the samples that `read_clip` (or `reader`) gives, read-only, mapped from disk if already decoded.

        Raises:
            AudioError: if the file cannot be used.
            ArgumentError: if the cache's folder cannot be written.
        """
        reader = Reader() if reader is None else reader
        decode = reader.read
        reference = clip if isinstance(clip, ClipReference) else ClipReference(Path(clip).name, Path(clip))
        entry = self._entry(reference, sample_rate, resampler, reader.channels)
        if entry is None:  # A member of an archive, or a file whose fault the decoder reports.
            return decode(reference, sample_rate, resampler=resampler).samples
        samples = _mapped(entry)
        if samples is not None:
            return samples
        samples = decode(reference, sample_rate, resampler=resampler).samples
        try:
            with atomic_write(entry, None) as file:
                np.save(file, samples)
        except (OSError, OutputRefused) as error:
            why = getattr(error, "strerror", None) or error
            raise ArgumentError(f"{self.folder}: the cache cannot be written ({why}); choose another folder") from None
        return samples

    def _entry(self, clip: ClipReference, sample_rate: int, resampler: str, channels: str) -> Path | None:
        if clip.part is not None:
            return None
        path = clip.path
        try:
            status = path.stat()
        except (OSError, ValueError):
            return None
        if clip.is_piece:
            channels = f"{channels} {clip.span!r} {clip.channel}"
        depends_on = [_FORMAT, os.fsencode(path.absolute()).hex(), status.st_size, status.st_mtime_ns]
        name = xxhash.xxh3_128_hexdigest(canonical_json([*depends_on, sample_rate, resampler, channels]).encode())
        return self.folder / name[:2] / f"{name}.npy"


_ODD: tuple[type[Exception], ...] = (OSError, *DAMAGE)


def _mapped(entry: Path) -> NDArray[np.float32] | None:
    """Return an entry's samples, or None if there is no entry or it is damaged."""
    try:
        with entry.open("rb") as file:
            if file.read(6) != b"\x93NUMPY":  # NumPy takes zip files and pickles too
                return None
        samples = np.load(entry, mmap_mode="r", allow_pickle=False)
    except _ODD:
        return None
    sound = (
        isinstance(samples, np.ndarray) and samples.dtype == np.float32 and samples.ndim in (1, 2) and samples.size > 0
    )
    return samples if sound else None
