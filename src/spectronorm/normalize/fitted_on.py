"""Description of the data that a normalizer was fitted on, as it is stored with a pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import xxhash

from spectronorm.profile import Profile
from spectronorm.profile.storage import parse_commands, parse_libraries
from spectronorm.short_repr import with_short_repr
from spectronorm.suggestion import known_settings


@known_settings
@with_short_repr
@dataclass(frozen=True)
class FittedOn:
    """Data that a normalizer was fitted on: its amount, the groups of the profile, held-out groups, and its identity.

    `data` is 16 hexadecimal digits that are equal exactly if the measured sounds are equal, `libraries` are names and
    versions of the libraries that decided the measurement's last bits, `commands` the command lines that measured, or
    that imported the numbers.

    >>> import numpy as np, spectronorm as sn
    >>> waves = [(0.1 * np.random.default_rng(n).standard_normal(16_000), 16_000) for n in range(3)]
    >>> sn.Standardize().fit(sn.fit(waves)).fitted_on.clips
    3
    """

    clips: int
    frames: int
    groups: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    data: str = ""
    libraries: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    commands: tuple[str, ...] = field(default=(), compare=False)

    @classmethod
    def of(cls, profile: Profile) -> FittedOn:
        """Describe the data of a profile."""
        groups = tuple(",".join(f"{column}={value}" for column, value in key) for key in profile.groups if key)
        left_out = (*profile.left_out, "floor") if profile.exclude_floor else profile.left_out
        data = xxhash.xxh3_64_hexdigest(profile.total.digests.tobytes())
        return cls(profile.clips, profile.frames, groups, left_out, data, profile.libraries, profile.commands)


def plain_fitted_on(fitted_on: FittedOn) -> dict[str, Any]:
    """Return the description as plain JSON values."""
    plain = {**asdict(fitted_on), "groups": list(fitted_on.groups), "left_out": list(fitted_on.left_out)}
    noted = {"libraries": dict(plain.pop("libraries")), "commands": list(plain.pop("commands"))}
    return plain | {name: value for name, value in noted.items() if value}


def parse_fitted_on(plain: Mapping[str, Any], *, least: int) -> FittedOn:
    """Build the description from the values of `plain_fitted_on`.

    Args:
        plain: JSON values.
        least: Smallest valid number of clips and frames.

    Raises:
        KeyError: if an entry is missing.
        TypeError: if an entry has the wrong type.
        ValueError: if an entry is not valid.
    """
    if any(type(plain[name]) is not int or not least <= plain[name] < 1 << 62 for name in ("clips", "frames")):
        raise ValueError("the counts of the data that it was fitted on are not positive")
    if not all(isinstance(text, str) for text in (*plain["groups"], *plain["left_out"], plain["data"])):
        raise ValueError("the description of the data that it was fitted on is not text")
    return FittedOn(
        plain["clips"],
        plain["frames"],
        tuple(plain["groups"]),
        tuple(plain["left_out"]),
        plain["data"],
        parse_libraries(plain.get("libraries", {})),
        parse_commands(plain.get("commands", [])),
    )
