"""Contract of an image range: settings that define the levels of black and white."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, ClassVar

from spectronorm.errors import ArgumentError
from spectronorm.front_end import FrontEnd
from spectronorm.image_files.level_range import LevelRange
from spectronorm.profile import Profile
from spectronorm.registry import Registry


class ImageRange(ABC):
    """Rule for the grey scale, as a frozen dataclass of numbers; one field may be `per` (`global` or `band`).

    `--range NAME=NUMBER,NUMBER` sets the other fields in order.

    >>> import spectronorm as sn
    >>> front_end = sn.FrontEnd(bands=sn.Mel(40))
    >>> sn.images.LevelRange.fixed_db(front_end, -80.0, 20.0).scheme
    'fixed -80 20 dB'
    >>> sorted(sn.images.IMAGE_RANGES)
    ['extremes', 'fixed', 'quantiles', 'sigma']
    """

    needs_profile: ClassVar[bool] = True
    """False if the rule uses no measured statistics."""

    @abstractmethod
    def level_range(self, front_end: FrontEnd, profile: Profile | None) -> LevelRange:
        """Return the range for levels of this front end; there is a profile if `needs_profile`."""


IMAGE_RANGES: Registry[ImageRange] = Registry("image_ranges", "image range", ImageRange)
"""Every image range by the name that `--range` takes."""


def parse_range(scheme: str, front_end: FrontEnd, profile: Profile | None, per: str | None = None) -> LevelRange:
    """Parse the range `extremes`, `quantiles=LOW,HIGH`, `sigma=K` or `fixed=LOW,HIGH` (dB).

    Args:
        scheme: The text.
        front_end: The front end of the levels.
        profile: The training set's profile; a fixed range needs none.
        per: `global` or `band`; by default band for sigma, else global.

    Raises:
        ArgumentError: if the text has another form, or needs a profile and there is none.
    """
    name, _, text = scheme.partition("=")
    if name not in IMAGE_RANGES:
        raise ArgumentError(f"range={scheme!r} must be {_forms()}")
    cls: Any = IMAGE_RANGES.find(name)
    numbers, known = _numbers(text, scheme), range_numbers(cls)
    if len(numbers) > len(known) or 0 < len(numbers) < len(known):
        raise ArgumentError(f"range={scheme!r} must be {_forms()}: {name} takes {_form(name)}")
    if cls.needs_profile and profile is None:
        free = " or ".join(_form(name) for name, one in IMAGE_RANGES.classes().items() if not one.needs_profile)
        raise ArgumentError(f"range={scheme!r} needs a profile; only {free} needs none")
    settings = dict(zip(known, numbers, strict=False))
    if per is not None and any(field.name == "per" for field in fields(cls)):
        settings["per"] = per
    try:
        rule: ImageRange = cls(**settings)
    except TypeError:
        raise ArgumentError(f"range={scheme!r} needs numbers: {_form(name)}") from None
    return rule.level_range(front_end, profile)


def range_numbers(cls: Any) -> Sequence[str]:
    """Names of the numbers that a rule takes, in order."""
    return [field.name for field in fields(cls) if field.name != "per"]


def _form(name: str) -> str:
    names = range_numbers(IMAGE_RANGES.find(name))
    return f"{name}={','.join(word.upper() for word in names)}" if names else name


def _forms() -> str:
    forms = [_form(name) for name in IMAGE_RANGES.classes()]
    return f"{', '.join(forms[:-1])} or {forms[-1]}"


def _numbers(text: str, scheme: str) -> list[Any]:
    try:
        return [float(part) for part in text.split(",")] if text else []
    except ValueError:
        raise ArgumentError(f"range={scheme!r}: {text!r} must be numbers, such as fixed=-80,20") from None
