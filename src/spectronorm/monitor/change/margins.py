"""Margin by which a cause must be likelier than every alternative, chosen on changes that are not reported on."""

from __future__ import annotations

from spectronorm.monitor.change.kind import Kind

# begin: python -m benchmarks.margins --write
LEAST_MARGIN = 5.0
# end
"""Smallest difference of logarithmic likelihoods to the next cause, to other content and to any unmodelled change."""
LEAST_EXPLAINED = 0.5
"""Smallest share of the levels' squared change that a cause must explain; a gain may reach no level at all."""
NAMED = frozenset(Kind) - {Kind.NOTHING, Kind.CONTENT, Kind.UNKNOWN}
"""Kinds that are names; content that differs and changes without a model are told as unknown."""


def is_named(kind: Kind, margin: float, explains: float) -> bool:
    """True if a likeliest cause is sure enough to be named."""
    enough = explains >= LEAST_EXPLAINED or kind is Kind.LEVEL
    return kind in NAMED and margin >= LEAST_MARGIN and enough
