"""Names and digests of the measured files, as a profile that lists them holds them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from spectronorm.profile.groups import GroupKey
from spectronorm.short_repr import with_bounded_repr
from spectronorm.storage.canonical_json import canonical_json
from spectronorm.storage.strict_json import strict_json
from spectronorm.suggestion import known_settings

FILE_DIGEST_BYTES = 16


@known_settings
@with_bounded_repr
@dataclass(frozen=True, order=True)
class ListedFile:
    """A measured file, its group, and the XXH3-128 of its bytes as 32 hexadecimal digits.

    The digest of a section or channel of a recording is that of the file's digest with the section and the channel; an
    array in a store has that of its values.

    >>> import numpy as np, spectronorm as sn
    >>> profile = sn.fit([(0.1 * np.random.default_rng(0).standard_normal(16_000), 16_000)], list_files=True)
    >>> len(profile.files)
    1
    """

    group: GroupKey
    path: str
    digest: str


def files_as_arrays(files: Iterable[ListedFile]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the names of files, as the bytes of a JSON list, and their digests `(file, 16)`."""
    listed = list(files)
    names = canonical_json([one.path for one in listed]).encode()
    digests = b"".join(bytes.fromhex(one.digest) for one in listed)
    return (
        np.frombuffer(names, dtype=np.uint8),
        np.frombuffer(digests, dtype=np.uint8).reshape(len(listed), FILE_DIGEST_BYTES),
    )


def files_of_arrays(
    names: NDArray[np.uint8], digests: NDArray[np.uint8], groups: Sequence[tuple[GroupKey, int]]
) -> tuple[ListedFile, ...]:
    """Return the files of groups that have a number of files each, in order.

    Raises:
        ValueError: if names, digests and numbers of files contradict each other.
    """
    total = sum(number for _, number in groups)
    if names.dtype != np.uint8 or names.ndim != 1 or digests.dtype != np.uint8:
        raise ValueError("the list of files is not bytes")
    if digests.shape != (total, FILE_DIGEST_BYTES):
        raise ValueError("the list of files has another length than its digests")
    paths = strict_json(names.tobytes())
    if not isinstance(paths, list) or len(paths) != total or not all(isinstance(one, str) for one in paths):
        raise ValueError("the list of files has another number of names")
    keys = (key for key, number in groups for _ in range(number))
    digits = (row.tobytes().hex() for row in digests)
    found = tuple(ListedFile(*one) for one in zip(keys, paths, digits, strict=True))
    if any(a > b for a, b in pairwise(found)):
        raise ValueError("the list of files is not in order")
    return found
