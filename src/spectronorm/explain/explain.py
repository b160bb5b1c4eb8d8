"""Comparison of two front ends or pipelines, setting by setting."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from spectronorm.arrays import Samples
from spectronorm.explain.effects import effect
from spectronorm.explain.numbers import PROBE_RATE, numbers, probe
from spectronorm.front_end import FrontEnd, require_front_end
from spectronorm.normalize import FittedNormalizer
from spectronorm.pipeline import Pipeline
from spectronorm.short_repr import with_bounded_repr, with_short_repr
from spectronorm.suggestion import known_keywords, known_settings


@known_settings
@with_bounded_repr
@dataclass(frozen=True)
class Difference:
    """One setting that differs: name, both values, and the effect on the numbers.

    >>> import spectronorm as sn
    >>> found = sn.explain.explain(sn.FrontEnd(bands=sn.Mel(40)), sn.FrontEnd(bands=sn.Mel(64)))
    >>> found.differences[0].setting, found.differences[0].here, found.differences[0].there
    ('bands.n_mels', '40', '64')
    """

    setting: str
    here: str
    there: str
    effect: str


@known_settings
@with_short_repr
@dataclass(frozen=True)
class Explanation:
    """All differences, and measurements on a sound; equal objects have no differences.

    >>> import spectronorm as sn
    >>> sn.explain.explain(sn.preset("whisper"), sn.preset("whisper")).differences
    ()
    """

    differences: tuple[Difference, ...]
    measured: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"differences": [asdict(d) for d in self.differences], "measured": list(self.measured)}


@known_keywords
def explain(
    a: FrontEnd | Pipeline, b: FrontEnd | Pipeline, samples: Samples | None = None, sample_rate: int = PROBE_RATE
) -> Explanation:
    """Describe the differences between `a` (here) and `b` (there), and their effect on the numbers.

    Args:
        a: A front end or a pipeline.
        b: Another front end or pipeline.
        samples: A mono sound to measure the difference on; by default `probe()`.
        sample_rate: Sample rate of the sound in Hz.

    Returns:
        The differences and the measurements.

    Raises:
        ShapeError: if the sound is too short for one of them.

    >>> from spectronorm.front_end import preset
    >>> [d.setting for d in explain(preset("kaldi"), preset("ast")).differences]
    ['level.kind', 'bands.n_mels', 'stft.window']
    """
    first, second = _front_end(a), _front_end(b)
    differences = _settings(first, second)
    if isinstance(a, Pipeline) or isinstance(b, Pipeline):
        differences += _normalizers(_normalizer(a), _normalizer(b))
    measured = numbers(a, b, probe() if samples is None else samples, sample_rate)
    return Explanation(tuple(differences), tuple(measured))


def _settings(a: FrontEnd, b: FrontEnd) -> list[Difference]:
    """List the settings that differ; if a slot holds another kind of object, its settings are listed together."""
    differing = a.differing(b)
    other_kind = [name.removesuffix(".kind") for name, _, _ in differing if name.endswith(".kind")]
    found = [
        Difference(f"{slot}.kind", str(getattr(a, slot)), str(getattr(b, slot)), effect(f"{slot}.kind", a, b))
        for slot in other_kind
    ]
    return found + [
        Difference(name, str(here), str(there), effect(name, a, b))
        for name, here, there in differing
        if name.split(".", maxsplit=1)[0] not in other_kind
    ]


def _front_end(what: FrontEnd | Pipeline) -> FrontEnd:
    return require_front_end(what.front_end, "explaining it") if isinstance(what, Pipeline) else what


def _normalizer(what: FrontEnd | Pipeline) -> FittedNormalizer | None:
    return what.normalizer if isinstance(what, Pipeline) else None


def _normalizers(a: FittedNormalizer | None, b: FittedNormalizer | None) -> list[Difference]:
    found = []
    here, there = (str(n.normalizer) if n else "none" for n in (a, b))
    if here != there:
        found.append(Difference("normalizer", here, there, "levels are mapped by another rule"))
    maps = [None if n is None else n.affine for n in (a, b)]
    for name, what in (("shift", "zero lies at another level"), ("scale", "a unit is another step of level")):
        one, two = (None if m is None else np.ravel(getattr(m, name)) for m in maps)
        if one is None and two is None:
            continue
        if one is None or two is None or not np.array_equal(one, two):
            found.append(Difference(f"normalizer.{name}", _range(one), _range(two), what))
    if a is not None and b is not None and a.fitted_on != b.fitted_on:
        what = "the numbers come from other recordings"
        found.append(Difference("normalizer.fitted_on", _fitted_on(a), _fitted_on(b), what))
    return found


def _fitted_on(fitted: FittedNormalizer) -> str:
    on = fitted.fitted_on
    groups = f" ({'; '.join(on.groups)})" if on.groups else ""
    return f"{on.clips} clips, {on.frames} frames{groups}"


def _range(values: Any) -> str:
    if values is None:
        return "none"
    return (
        f"{values[0]:.4f}" if len(values) == 1 else f"{values.min():.4f} … {values.max():.4f} over {len(values)} bands"
    )
