"""Arms from a TOML or JSON file, listed one by one or as the crossing of factors."""

from __future__ import annotations

import itertools
import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from spectronorm.augment import AUGMENTATIONS
from spectronorm.errors import ArgumentError
from spectronorm.experiment.arms.arm import MAX_ARMS, Arm, arm_of_name, check_arms
from spectronorm.experiment.arms.own_training import OwnTraining
from spectronorm.front_end import AnyFrontEnd, FrontEnd, Levels, find_preset, require_front_end
from spectronorm.normalize import NORMALIZERS, Normalizer, normalizer
from spectronorm.storage import DAMAGE, read_bounded, strict_json
from spectronorm.suggestion import known_keywords

_SLOTS = ("level", "stft", "bands", "compress")
_TRAINING = ("model", "epochs", "learning_rate", "trains")
_KEYS = (
    "name",
    "preset",
    *_SLOTS,
    "sample_rate",
    "resampler",
    "normalize",
    "augment",
    "test_crops",
    "members",
    *_TRAINING,
)
_MEAN_OF = "mean_of"
_MAX_BYTES = 1 << 20
"""A million characters are a long list of arms; TOML takes its time over more."""


@known_keywords
def parse_arms(text: str, front_end: AnyFrontEnd) -> tuple[Arm, ...]:
    """Parse the arms of `none,global,band`, or of a `.toml` or `.json` file.

    A file holds a list `arm` of tables with `name`, `normalize` and settings of the front end, or one table `factors`
    whose lists are crossed, such as `level = ["as_recorded", "standardize"]` and `normalize = ["none", "band"]`. Model,
    epochs, learning rate and the weights that are trained (`trains`: all, head or none) may be an arm's own. A table
    with `name` and `mean_of` averages the probabilities of arms listed before it.

    Args:
        text: Names of arms separated by commas, or the path of a file.
        front_end: Supplies every setting that an arm leaves out.

    Raises:
        ArgumentError: if an arm does not exist or the file cannot be parsed.

    >>> import spectronorm as sn
    >>> [arm.name for arm in parse_arms("none,global,band", sn.FrontEnd(bands=sn.Mel(40)))]
    ['none', 'global', 'band']
    """
    if not text.endswith((".toml", ".json")):
        return check_arms(arm_of_name(name.strip(), front_end) for name in text.split(",") if name.strip())
    path = Path(text)
    content = _read(path)
    if unknown := sorted(set(content) - {"arm", "factors"}):
        raise ArgumentError(f"{path}: {unknown[0]!r} is unknown; a file of arms holds a list arm, a table factors")
    try:
        plain = [*_listed(content.get("arm", [])), *_crossed(content.get("factors", {}))]
        arms: list[Arm] = []
        for item in plain:
            arms.append(_mean_of(item, arms) if _MEAN_OF in item else _arm(item, front_end))
        return check_arms(arms)
    except DAMAGE as error:
        raise ArgumentError(f"{path}: {error}") from None


def _read(path: Path) -> Mapping[str, Any]:
    try:
        data = read_bounded(path, _MAX_BYTES).decode("utf-8")
        content = tomllib.loads(data) if path.suffix == ".toml" else strict_json(data)
    except (OSError, ValueError, RecursionError) as error:
        raise ArgumentError(f"{path}: cannot be read as arms ({error})") from None
    if not isinstance(content, dict):
        raise ArgumentError(f"{path}: must hold an object with arm or factors")
    return content


def _listed(arms: Any) -> list[Mapping[str, Any]]:
    if not isinstance(arms, list) or not all(isinstance(arm, Mapping) for arm in arms):
        raise ArgumentError("arm must be a list of tables, each with a name")
    return arms


def _crossed(factors: Any) -> Iterator[Mapping[str, Any]]:
    """Yield one arm for each combination of factors, named after its values."""
    if not factors:
        return
    if not isinstance(factors, Mapping) or not all(isinstance(v, list) and v for v in factors.values()):
        raise ArgumentError("factors must be a table of lists, such as normalize = ['none', 'band']")
    if (combinations := math.prod(map(len, factors.values()))) > MAX_ARMS:
        raise ArgumentError(f"factors make {combinations} arms, more than {MAX_ARMS}; cross fewer of them")
    for values in itertools.product(*factors.values()):
        yield {
            "name": " × ".join(_word(name, value) for name, value in zip(factors, values, strict=True)),
            **dict(zip(factors, values, strict=True)),
        }


def _word(factor: str, value: Any) -> str:
    """Format a factor's value for an arm's name."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return " ".join(str(v) for v in value.values())
    if isinstance(value, list):
        return "+".join(_word(factor, item) for item in value) or f"no {factor}"
    return f"{factor} {value}"


def _mean_of(plain: Mapping[str, Any], before: Sequence[Arm]) -> Arm:
    name, named, known = _name(plain), plain[_MEAN_OF], {arm.name: arm for arm in before}
    if others := sorted(set(plain) - {"name", _MEAN_OF}):
        raise ArgumentError(f"arm {name!r} has {_MEAN_OF} and {others[0]}; next to {_MEAN_OF} give only a name")
    if not isinstance(named, list) or len(named) < 2 or not set(map(str, named)) <= set(known):
        there = ", ".join(known) or "none"
        raise ArgumentError(f"arm {name!r}: {_MEAN_OF}={named!r} must be a list of two or more arms before it: {there}")
    first, *rest = (known[str(item)] for item in named)
    return replace(first, name=name, also=(*first.also, *rest))


def _name(plain: Mapping[str, Any]) -> str:
    name = plain.get("name")
    if not isinstance(name, str) or not name.strip():
        raise ArgumentError(f"each arm needs a name, not {name!r}")
    return name


def _arm(plain: Mapping[str, Any], front_end: AnyFrontEnd) -> Arm:
    if unknown := sorted(set(plain) - set(_KEYS)):
        raise ArgumentError(f"an arm has no {unknown[0]!r}; it may have {', '.join((*_KEYS, _MEAN_OF))}")
    name = _name(plain)
    chosen = _front_end(plain, front_end)
    augment = plain.get("augment", [])
    if not isinstance(augment, list):
        augment = [augment]
    return Arm(
        name,
        chosen,
        _normalizer(plain.get("normalize", "none")),
        tuple(AUGMENTATIONS.from_plain(item, "augment") for item in augment),
        plain.get("test_crops", 0),
        plain.get("members", 1),
        own=_own(name, plain),
    )


def _own(name: str, plain: Mapping[str, Any]) -> OwnTraining:
    try:
        return OwnTraining(**{key: plain[key] for key in _TRAINING if key in plain})
    except ArgumentError as error:
        raise ArgumentError(f"arm {name!r}: {error}") from None


def _front_end(plain: Mapping[str, Any], start: AnyFrontEnd) -> AnyFrontEnd:
    """The front end of an arm: `start`, or a preset, with the settings that the arm has of its own."""
    changed = [key for key in (*_SLOTS, "sample_rate", "resampler") if key in plain]
    if isinstance(start, Levels) and not changed and "preset" not in plain:
        return start
    base = find_preset(plain["preset"]).front_end if "preset" in plain else None
    base = base or require_front_end(start, f"an arm with {', '.join(changed)} of its own")
    settings = base.to_dict()
    for key in changed:
        settings[key] = _slot(settings[key], plain[key]) if key in _SLOTS else plain[key]
    return FrontEnd.from_dict(settings)


def _slot(base: Mapping[str, Any], value: Any) -> Any:
    """Complete a slot's settings from the base if the kind is unchanged, so that a file lists only what differs."""
    if isinstance(value, str):
        return dict(base) if value == base["kind"] else {"kind": value}
    if isinstance(value, Mapping) and value.get("kind", base["kind"]) == base["kind"]:
        return {**base, **value}
    return value


def _normalizer(plain: Any) -> Normalizer:
    return normalizer(plain) if isinstance(plain, str) else NORMALIZERS.from_plain(plain, "normalize")
