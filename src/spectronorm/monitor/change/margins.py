"""Margins by which a cause must be likelier than every alternative, chosen on changes that are not reported on."""

from __future__ import annotations

from collections.abc import Mapping

from spectronorm.monitor.change.kind import Kind

# begin: python -m benchmarks.margins
MARGINS: Mapping[Kind, float] = {
    Kind.LEVEL: 4.0,
    Kind.EQUALIZATION: 4.0,
    Kind.NOISE: 4.0,
    Kind.HUM: 4.0,
    Kind.BAND_LIMIT: 4.0,
    Kind.SPEED: 4.0,
    Kind.DYNAMICS: 4.0,
    Kind.REVERBERATION: 4.0,
}
# end
LEAST_EXPLAINED: Mapping[Kind, float] = {kind: 0.5 for kind in MARGINS if kind is not Kind.LEVEL}
"""Smallest share of the levels' squared change that a cause must explain; a gain may reach no level at all."""
