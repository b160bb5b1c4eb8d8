"""Numba's cache of compiled kernels, with checksums; it is skipped if it does not work."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

from spectronorm.version import __version__

_DIGEST = hashlib.sha256().digest_size


class CheckedCache:
    """Cache of one kernel: a failure of the cache is never a failure of the kernel.

    Damaged files are replaced. A cache that cannot be read or written is abandoned, and `say` is told the reason.
    """

    def __init__(self, cache: Any, say: Callable[[str], None], failure: str = "") -> None:
        self._cache, self._say, self._failure = cache, say, failure

    @classmethod
    def give(cls, dispatcher: Any, say: Callable[[str], None]) -> None:
        """Make a dispatcher cache its machine code."""
        try:
            dispatcher.enable_caching()
        except Exception as error:  # numba says RuntimeError; a home that is not a folder, more
            dispatcher._cache = cls(dispatcher._cache, say, str(error) or type(error).__name__)
            return
        _check_files(dispatcher._cache)
        dispatcher._cache = cls(dispatcher._cache, say)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cache, name)

    def load_overload(self, signature: Any, context: Any) -> Any:
        """Return the machine code for a signature, or None."""
        if self._failure:
            self._say(self._failure)
            return None
        try:
            return self._cache.load_overload(signature, context)
        except Exception:  # whatever a damaged pickle raises
            self._begin_anew()
            return None

    def save_overload(self, signature: Any, data: Any) -> None:
        """Store the machine code for a signature."""
        if self._failure:
            return
        try:
            self._cache.save_overload(signature, data)
        except Exception as error:  # a full disk, a folder that is gone
            self._give_up(error)

    def _begin_anew(self) -> None:
        try:
            self._cache.flush()
        except Exception as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self._failure = str(error) or type(error).__name__
        self._say(self._failure)


def _check_files(cache: Any) -> None:
    """Append a SHA-256 to each file of a cache, and reject files without a valid one.

    A flipped bit in machine code would otherwise be executed. Unpickling ignores bytes after the pickle. If numba's
    cache is built in another way, its files are left as numba writes them.
    """
    file = getattr(cache, "_cache_file", None)
    dump, load_data, load_index = (getattr(file, name, None) for name in ("_dump", "_load_data", "_load_index"))
    path_of, index_path = getattr(file, "_data_path", None), getattr(file, "_index_path", None)
    if dump is None or load_data is None or load_index is None or path_of is None or index_path is None:
        return

    def dump_with_digest(data: Any) -> bytes:
        pickled: bytes = dump(data)
        return pickled + hashlib.sha256(pickled).digest()

    def load_checked_data(name: str) -> Any:
        _check(Path(path_of(name)).read_bytes())
        return load_data(name)

    def load_checked_index() -> Any:
        path = Path(index_path)
        if path.exists():
            with path.open("rb") as opened:
                pickle.load(opened)  # numba's version stands before the index  # noqa: S301
                _check(opened.read())
        return load_index()

    # A kernel contains what its module imports from others, whose changes numba does not see.
    file._source_stamp = (getattr(file, "_source_stamp", None), __version__)  # type: ignore[union-attr]
    file._dump, file._load_data, file._load_index = dump_with_digest, load_checked_data, load_checked_index  # type: ignore[union-attr]


def _check(data: bytes) -> None:
    if hashlib.sha256(data[:-_DIGEST]).digest() != data[-_DIGEST:]:
        raise ValueError("the cache of a kernel is damaged")
