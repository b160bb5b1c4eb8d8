"""Gates, suppressors, automatic gain and compressors; and rooms, which fill the quiet moments in another way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from spectronorm.arrays import Floats
from spectronorm.monitor.change.causes.cause import Figures, Hypothesis, raised
from spectronorm.monitor.change.kind import Kind
from spectronorm.monitor.change.observed import Observed

_SOFT_DB = 3.0
_CLOSELY: Figures = {"flux": (0.0, 0.2), "steadiest": (0.0, 0.25)}


def dynamics(o: Observed) -> Iterator[Hypothesis]:
    """Yield what moves levels by how far they lie below the loud ones, of their range or of their clip."""
    for depth in (_in_range, _in_clip):
        for lowers in (True, False):
            yield _driven(o, depth, lowers=lowers)
    yield _gate(o)
    if "onset" in o.places:
        yield _room(o)


def _in_range(levels: Floats) -> Floats:
    """Distance from the loud moments of the range."""
    return np.asarray(levels - levels[:, :, 2:])


def _in_clip(levels: Floats) -> Floats:
    """Distance from the loud moments of the clip's loudest range."""
    return np.asarray(levels - levels[:, :, 2:].max(axis=1, keepdims=True))


def _driven(o: Observed, depth: Callable[[Floats], Floats], *, lowers: bool) -> Hypothesis:
    sign = 1.0 if lowers else -1.0

    def follows(p: Floats) -> Mapping[str, float]:
        return dict.fromkeys(("flux", "steadiest"), float(np.log(max(1.0 + sign * np.exp(p[0]), 0.2))))

    words = "fell against the loud ones, as after a gate or suppressor"
    if not lowers:
        words = "rose against the loud ones, as after an automatic gain control or compressor"
    free: Figures = {"rms": (-1.0, 4.0)} if lowers else {"crest": (-2.0, 2.0)}
    return Hypothesis(
        Kind.DYNAMICS,
        lambda levels, p: raised(levels, sign * np.exp(p[0]) * depth(levels) + p[1], o.floor),
        lambda _: f"The quiet moments {words}.",
        start=[-1.2, 0.0],
        deviation=[0.8, 6.0],
        centre=[-1.2, 0.0],
        figures={**_CLOSELY, **free},
        weight=-1.4,
        follows=follows,
    )


def _gate(o: Observed) -> Hypothesis:
    """A gate: all that lies far below the loudest moments of the clip is lowered by one amount."""

    def gated(levels: Floats, p: Floats) -> Floats:
        lowered = np.abs(p[0]) / (1.0 + np.exp((_in_clip(levels) + np.abs(p[1])) / _SOFT_DB))
        return raised(levels, p[2] - lowered, o.floor)

    return Hypothesis(
        Kind.DYNAMICS,
        gated,
        lambda p: f"What is quieter than the loudest moments by {abs(p[1]):.0f} dB fell, as after a gate.",
        start=[25.0, 25.0, 0.0],
        deviation=[20.0, 10.0, 3.0],
        centre=[25.0, 25.0, 0.0],
        figures={"rms": (-1.0, 3.0), "flux": (0.2, 0.3), "steadiest": (0.2, 0.3)},
        weight=-1.4,
    )


def _room(o: Observed) -> Hypothesis:
    """A room: quiet moments rise, sounds fall more slowly than they rise, and steps between frames become small."""

    def follows(p: Floats) -> Mapping[str, float]:
        return dict.fromkeys(("flux", "steadiest"), -1.5 * float(np.exp(p[0])))

    return Hypothesis(
        Kind.REVERBERATION,
        lambda levels, p: raised(levels, -np.exp(p[0]) * _in_range(levels) + p[1], o.floor),
        lambda _: "Sounds end more slowly than in training, and the quiet moments rose, as in a room.",
        start=[-1.6, 0.0],
        deviation=[0.6, 3.0],
        centre=[-1.6, 0.0],
        figures={"onset": (3.0, 2.0), "flux": (0.0, 0.15), "steadiest": (0.0, 0.15), "rms": (0.0, 2.0)},
        follows=follows,
    )
