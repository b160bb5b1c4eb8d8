"""Which files of a folder were read: a clock that is set back hides no new one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Mark = tuple[int, str]
"""A file of a folder: its change time (ns), and its name below the folder."""
_SPARE = 1000


class SeenFiles:
    """Files by 8 bytes of a digest of change time and name: one that was changed is another file."""

    def __init__(self, keys: Iterable[int] = ()) -> None:
        self._keys = set(keys)

    def __contains__(self, file: Mark) -> bool:
        return _key(file) in self._keys

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, *files: Mark) -> None:
        """Remember that these were read."""
        self._keys.update(map(_key, files))

    def forget_others(self, files: Iterable[Mark]) -> None:
        """Keep only these, if far more are remembered: the memory stays as small as the folder.

        Nothing is forgotten if there are no files, as when the folder is not mounted.
        """
        here = set(map(_key, files))
        if here and len(self._keys) > 2 * len(here) + _SPARE:
            self._keys &= here

    def to_array(self) -> NDArray[np.uint64]:
        """All digests, in order."""
        return np.array(sorted(self._keys), dtype=np.uint64)

    @classmethod
    def from_array(cls, digests: NDArray[np.uint64] | None) -> SeenFiles:
        """The files of a `to_array`; without an array, no file is remembered.

        Raises:
            ValueError: if these are no digests.
        """
        if digests is None:
            return cls()
        if digests.dtype != np.uint64 or digests.ndim != 1:
            raise ValueError("the files that were seen are not a list of digests")
        return cls(digests.tolist())


def _key(file: Mark) -> int:
    text = f"{file[0]}/{file[1]}".encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")
