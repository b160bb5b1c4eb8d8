"""Normalizers by the names that `--normalize` takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spectronorm.errors import ArgumentError
from spectronorm.normalize.normalizer import NORMALIZERS, Normalizer
from spectronorm.settings import settings_of
from spectronorm.suggestion import choice_of, did_you_mean


def normalizer_names() -> tuple[str, ...]:
    """Every name that `--normalize` takes, such as `none`, `global` and `band`.

    >>> normalizer_names()[:3]
    ('none', 'global', 'band')
    """
    return tuple(NORMALIZERS.variants())


def normalizer(text: str) -> Normalizer:
    """Return the normalizer of a name, not yet fitted; settings may follow: `minmax:low=-1:high=1`.

    Raises:
        ArgumentError: if there is no such name or setting, or a value is invalid.
        PluginError: if the name belongs to a plug-in that cannot be used.

    >>> normalizer("minmax:low=-1")
    MinMax(per='global', low=-1.0, high=1.0, min_scale=0.25)
    """
    name, *pairs = text.split(":")
    variant = NORMALIZERS.variants(loading=False).get(name) or NORMALIZERS.variants().get(name)
    if variant is None:
        NORMALIZERS.require_sound(name)
        known = normalizer_names()
        raise ArgumentError(f"normalize={name!r} is unknown; use {choice_of(name, known)}")
    kind, settings = variant
    return NORMALIZERS.from_plain({"kind": kind, **settings, **_given(kind, pairs, text)}, "normalize")


def _given(kind: str, pairs: list[str], text: str) -> Mapping[str, Any]:
    known = settings_of(NORMALIZERS.find(kind))
    found = {}
    for pair in pairs:
        setting, equals, value = pair.partition("=")
        if not equals or setting not in known:
            raise ArgumentError(
                f"normalize={text!r}: {pair!r} must be SETTING=VALUE, with a setting of {', '.join(known) or 'none'}"
                f"{did_you_mean(setting, known)}"
            )
        found[setting] = known[setting].parse(value, f"normalize={text!r}: {setting}")
    return found
