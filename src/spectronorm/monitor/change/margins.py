"""Margin and explained share from which a cause is named, chosen on changes that are not reported on."""

from __future__ import annotations

from collections.abc import Sequence

from spectronorm.monitor.change.explanations import Cause, Explained
from spectronorm.monitor.change.kind import Kind

# begin: python -m benchmarks.margins --write
LEAST_MARGIN = 8.0
LEAST_EXPLAINED = 0.85
LEAST_SECOND_MARGIN = 12.0
# end
NAMED = frozenset(Kind) - {Kind.NOTHING, Kind.CONTENT, Kind.UNKNOWN}
"""Kinds that are names; content that differs and changes without a model are told as unknown."""


def surely_named(
    found: Sequence[Explained],
    least_margin: float = LEAST_MARGIN,
    least_explained: float = LEAST_EXPLAINED,
    least_second_margin: float = LEAST_SECOND_MARGIN,
) -> list[Cause]:
    """Causes of the likeliest explanation that are sure enough to be named, that with the largest weight first.

    The margin of a cause is the distance to the likeliest explanation without it, of one cause or of two.

    Args:
        found: All explanations, the likeliest first.
        least_margin: Smallest margin of the surest cause.
        least_explained: Smallest share of the levels' squared change, beyond chance, that the explanation must explain.
        least_second_margin: Smallest margin of a second cause, which may be misfit of the first one's model.
    """
    first = found[0]
    if first.explains < least_explained:
        return []
    margins = {part.kind: margin(found, part.kind) for part in first.parts}
    surest = max(margins.values())
    if surest < least_margin:
        return []
    least = min(surest, least_second_margin)
    return [part for part in first.parts if part.kind in NAMED and margins[part.kind] >= least]


def margin(found: Sequence[Explained], kind: Kind) -> float:
    """Difference of logarithmic likelihoods between the likeliest explanation and the likeliest one without a cause."""
    return found[0].likelihood - max(one.likelihood for one in found if kind not in one.kinds)
