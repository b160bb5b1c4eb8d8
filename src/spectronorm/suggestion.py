"""Suggestions for names that are nearly right: of options, settings, columns and keyword arguments."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from types import FunctionType
from typing import Any, TypeVar

_Function = TypeVar("_Function", bound=Callable[..., Any])
_Class = TypeVar("_Class", bound=type)

_CUTOFF = 0.6
_OTHER_NAMES = {
    "sr": "sample_rate",
    "fs": "sample_rate",
    "rate": "sample_rate",
    "samplerate": "sample_rate",
    "sampling_rate": "sample_rate",
    "fft_size": "n_fft",
    "n_filter": "n_mels",
    "num_mel_bins": "n_mels",
    "hop": "hop_length",
    "frame_shift": "hop_length",
    "win": "win_length",
    "frame_length": "win_length",
    "low_freq": "f_min",
    "high_freq": "f_max",
    "low_frequency": "f_min",
    "high_frequency": "f_max",
    "axis": "per",
    "folder": "source",
    "path": "source",
}
"""Names that other programs give to the settings."""


def did_you_mean(given: object, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` for the known name that is most alike, or an empty text if none is alike.

    >>> did_you_mean("logmell", ["logmel", "kaldi"])
    "; did you mean 'logmel'?"
    >>> did_you_mean("sr", ["sample_rate", "bands"])
    "; did you mean 'sample_rate'?"
    >>> did_you_mean("zzz", ["logmel"])
    ''
    """
    names = [name for name in known if isinstance(name, str)]
    text = str(given)[:100]
    other = _OTHER_NAMES.get(text.lower())
    if other in names:
        return f"; did you mean {other!r}?"
    folded = {_folded(name): name for name in names}
    alike = get_close_matches(_folded(text), folded, n=1, cutoff=_CUTOFF)
    return f"; did you mean {folded[alike[0]]!r}?" if alike else ""


def choice_of(given: object, known: Iterable[str]) -> str:
    """Return `one of a, b, c` for a message about an unknown name, with `did_you_mean`.

    >>> choice_of("librsoa", ["librosa", "kaldi"])
    "one of librosa, kaldi; did you mean 'librosa'?"
    """
    names = list(known)
    return f"one of {', '.join(names)}{did_you_mean(given, names)}"


def known_keywords(function: _Function) -> _Function:
    """Wrap a function, so that an unknown keyword argument is a `TypeError` that suggests the right one.

    >>> @known_keywords
    ... def scale(wave, *, gain_db=0.0): ...
    >>> scale(1, gaindb=3)
    Traceback (most recent call last):
    TypeError: scale() has no argument 'gaindb'; did you mean 'gain_db'?
    """
    return _checked(function, function.__name__)  # type: ignore[return-value]


def known_settings(cls: _Class) -> _Class:
    """Let an unknown keyword argument of a class and of its methods be a `TypeError` that suggests the right one.

    >>> @known_settings
    ... class Recorder:
    ...     def save(self, path, *, overwrite=False): ...
    >>> Recorder().save("a", overwrit=True)
    Traceback (most recent call last):
    TypeError: Recorder.save() has no argument 'overwrit'; did you mean 'overwrite'?
    """
    if "__init__" in vars(cls):
        cls.__init__ = _checked(cls.__init__, cls.__name__)  # type: ignore[misc]
    for name, member in list(vars(cls).items()):
        function = getattr(member, "__func__", member)
        if takes_settings(cls, name, function):
            checked = _checked(function, f"{cls.__name__}.{name}")
            setattr(cls, name, type(member)(checked) if function is not member else checked)
    return cls


def takes_settings(cls: type, name: str, function: object) -> bool:
    """Tell if a member of a class is a public method with arguments that are given by name; torch's are left alone."""
    if not isinstance(function, FunctionType) or (name.startswith("_") and name != "__call__"):
        return False
    return bool(function.__defaults__ or function.__kwdefaults__) and not hasattr(cls, "forward")


def _checked(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    code = getattr(function, "__code__", None)
    if code is None or code.co_flags & inspect.CO_VARKEYWORDS or hasattr(function, "_checks_keywords"):
        return function
    given = code.co_varnames[code.co_posonlyargcount : code.co_argcount + code.co_kwonlyargcount]
    known = [key for key in given if key not in ("self", "cls")]
    names = frozenset(known)

    @functools.wraps(function)
    def run(*values: Any, **settings: Any) -> Any:
        if settings and not names.issuperset(settings):
            unknown = next(key for key in settings if key not in names)
            hint = did_you_mean(unknown, known) or f"; it has {', '.join(known) or 'none'}"
            raise TypeError(f"{name}() has no argument {unknown!r}{hint}")
        return function(*values, **settings)

    run._checks_keywords = True  # type: ignore[attr-defined]
    return run


def _folded(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")
