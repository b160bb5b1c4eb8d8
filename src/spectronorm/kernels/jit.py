"""Compilation of kernels with numba, which is loaded by the first kernel that runs.

Numba takes a third of a second to import, so a program that computes nothing does without it; it is also kept from
loading modules that no kernel needs.
"""

from __future__ import annotations

import multiprocessing
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, cached_property, update_wrapper
from importlib import import_module
from typing import Any, Generic, ParamSpec, TypeVar

from spectronorm.errors import KernelWarning
from spectronorm.kernels.cache import CheckedCache

P = ParamSpec("P")
R = TypeVar("R")
_said: set[str] = set()
_LOADING = threading.RLock()
_in_this_thread = threading.local()


@cache
def _numba() -> tuple[Any, str]:
    """Numba, or None and the reason why it cannot be used; the first call imports it."""
    try:
        numba: Any = import_module("numba")
        if numba.config.DISABLE_JIT:
            return None, "NUMBA_DISABLE_JIT is set"
        _define_array_functions()
    except Exception as error:  # a broken installation raises anything
        return None, described(error)
    return numba, ""


def _define_array_functions() -> None:
    """Let numba define its array functions without `scipy.linalg`, whose import takes 16 MB and up to a second.

    Before the first kernel, numba imports `scipy.linalg` to learn if there is a BLAS. There is one, since SciPy is
    required. Functions that use BLAS ask again when they are compiled, so `numpy.dot` works in kernels as before.
    """
    try:
        linalg: Any = import_module("numba.np.linalg")
        ensure_blas = linalg.ensure_blas
    except (ImportError, AttributeError):
        return
    linalg.ensure_blas = lambda: None
    try:
        arraymath: Any = import_module("numba.np.arraymath")  # This import asks.
        arraymath.ensure_blas = ensure_blas
    except ImportError:
        pass
    finally:
        linalg.ensure_blas = ensure_blas


def described(error: BaseException) -> str:
    """The kind and the first line of an error."""
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__


def say_once(topic: str, text: str) -> None:
    """Warn of `text` unless `topic` was warned of before; worker processes leave that to the process that works too."""
    if topic in _said or multiprocessing.current_process().name != "MainProcess":
        return
    _said.add(topic)
    warnings.warn(text, KernelWarning, stacklevel=3)


def _say_uncached(reason: str) -> None:
    say_once(
        "cache",
        f"compiled kernels cannot be kept for the next run ({reason}), so each run compiles them again, which takes "
        "seconds; set NUMBA_CACHE_DIR to a folder that can be written",
    )


def numba_version() -> str:
    """The version of the numba that compiles kernels, or `none`."""
    numba = _numba()[0]
    return "none" if numba is None else str(numba.__version__)


@contextmanager
def without_loading() -> Iterator[None]:
    """Kernels that are not loaded yet run as NumPy in this thread, with the same results.

    One short clip is computed sooner so than numba is imported.
    """
    before = getattr(_in_this_thread, "plain", False)
    _in_this_thread.plain = True
    try:
        yield
    finally:
        _in_this_thread.plain = before


class Helper(Generic[P, R]):
    """A function that other kernels call, compiled with the first of them; where there is no numba, itself."""

    def __init__(self, function: Callable[P, R], options: dict[str, Any]) -> None:
        self.function, self.options = function, options
        update_wrapper(self, function)

    @cached_property
    def compiled(self) -> Callable[P, R]:
        """The function that numba knows, or the plain one."""
        return _compiled(self.function, self.options)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the function."""
        return self.compiled(*args, **kwargs)


def njit(**options: Any) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """`numba.njit` for a function that other kernels call; the function itself where there is no numba.

    With `cache=True`, machine code is kept on disk. A cache that cannot be written or read is left out, and one that is
    damaged is started again. Numba is not loaded for it: until a kernel has loaded numba, the result is a `Helper`.
    """

    def compile_later(function: Callable[P, R]) -> Callable[P, R]:
        helper: Helper[P, R] = Helper(function, options)
        return helper.compiled if _numba.cache_info().currsize else helper

    return compile_later


def called(function: Callable[P, R]) -> Callable[P, R]:
    """`njit` for a function that only kernels call: what lets Python call it takes a tenth of the compilation."""
    return njit(nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)


def _compiled(function: Callable[P, R], options: dict[str, Any]) -> Callable[P, R]:
    numba = _numba()[0]
    if numba is None:
        return function
    # Numba looks for functions that a function calls by their names, and takes only its own.
    names: dict[str, Any] = function.__globals__
    for name in function.__code__.co_names:
        if isinstance(names.get(name), Helper):
            names[name] = names[name].compiled
    cached = options.get("cache", False)
    dispatcher: Any = numba.njit(**{name: value for name, value in options.items() if name != "cache"})(function)
    if cached:
        CheckedCache.give(dispatcher, _say_uncached)
    return dispatcher  # type: ignore[no-any-return]


def entry_of(function: Callable[P, R], arguments: tuple[Any, ...]) -> Callable[P, R]:
    """Return the compiled code of a function for arguments of these types, compiled or loaded now.

    It takes half of the time of a call because it does not look at types, and borrows arrays: other arguments would be
    misread.
    """
    dispatcher: Any = function.compiled if isinstance(function, Helper) else function
    numba = _numba()[0]
    lent = import_module("spectronorm.kernels.lent").lent
    kinds = tuple(lent(numba.typeof(argument)) for argument in arguments)
    dispatcher.compile(kinds)
    return dispatcher.overloads[kinds].entry_point  # type: ignore[no-any-return]


class Kernel(Generic[P, R]):
    """A compiled function, and the plain one with the same results that runs where the first cannot be compiled.

    The compiled function is loaded at its first call. It is given up for good, with a `KernelWarning`, when loading or
    compiling fails; errors of the compiled code itself pass through.
    """

    def __init__(self, load: Callable[[], Callable[P, R]], plain: Callable[P, R], name: str) -> None:
        self.plain, self.name = plain, name
        self.helper: Helper[P, R] | None = None
        """The compiled function for other kernels to call, if it is not in a module of its own."""
        self._load = load
        self._run: Callable[P, R] = self._first

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the compiled function, or the plain one."""
        try:
            return self._run(*args, **kwargs)
        except MemoryError:
            raise
        except Exception as error:
            # Compilation passes through Python; compiled code does not.
            if self._run is self.plain or error.__traceback__ is None or error.__traceback__.tb_next is None:
                raise
            failure = error
        self._run = self.plain
        say_once("numba", _slower(f"the kernel {self.name} cannot be compiled ({described(failure)})"))
        return self.plain(*args, **kwargs)

    def _first(self, *args: P.args, **kwargs: P.kwargs) -> R:
        if getattr(_in_this_thread, "plain", False):
            return self.plain(*args, **kwargs)
        with _LOADING:  # Numba is not made to be loaded by several threads at once.
            numba, why_not = _numba()
            if numba is None:
                say_once("numba", _slower(f"numba cannot be used ({why_not})"))
                self._run = self.plain
            elif self._run == self._first:
                self._run = self._load()
        return self._run(*args, **kwargs)


def _slower(reason: str) -> str:
    return f"{reason}: NumPy does its work, with the same results, several times slower"


def kernel(plain: Callable[P, R], **options: Any) -> Callable[[Callable[P, R]], Kernel[P, R]]:
    """`njit` for a function that Python calls, with the plain function of the same results."""

    def compile_later(function: Callable[P, R]) -> Kernel[P, R]:
        helper: Helper[P, R] = Helper(function, options)
        made: Kernel[P, R] = Kernel(lambda: helper.compiled, plain, function.__name__)
        update_wrapper(made, function)
        made.helper = helper
        return made

    return compile_later


def kernel_of_module(module: str, name: str, plain: Callable[P, R]) -> Kernel[P, R]:
    """The compiled function `name` of a module that may fail to be imported, with the plain one of the same results."""

    def load() -> Callable[P, R]:
        return getattr(import_module(module), name)  # type: ignore[no-any-return]

    return Kernel(load, plain, name)
