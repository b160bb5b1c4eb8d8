"""Measured benefit of each update for each kind of change, which advice and guards go by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Benefit(NamedTuple):
    """Mean gain in accuracy over models, in points, with its 95 % interval over recordings."""

    points: float
    low: float
    high: float


# begin: python -m benchmarks.update_benefit write
MEASURED: Mapping[str, tuple[Benefit, Benefit, Benefit]] = {
    "added-noise": (Benefit(1.5, -2.3, 4.8), Benefit(6.8, 1.0, 11.8), Benefit(25.0, 20.8, 29.1)),
    "band-limit": (Benefit(10.9, 8.7, 13.0), Benefit(13.2, 10.4, 15.8), Benefit(11.9, 8.2, 15.5)),
    "clipping": (Benefit(14.3, 11.1, 17.5), Benefit(12.7, 9.1, 16.0), Benefit(12.0, 8.3, 15.6)),
    "dynamics": (Benefit(0.4, -0.8, 1.5), Benefit(0.5, -0.6, 1.6), Benefit(5.2, 3.5, 7.0)),
    "equalization": (Benefit(12.5, 10.2, 14.8), Benefit(12.8, 10.3, 15.2), Benefit(8.7, 6.2, 11.4)),
    "hum": (Benefit(0.1, -3.6, 3.6), Benefit(-2.3, -5.5, 0.8), Benefit(2.3, -0.5, 5.4)),
    "level-change": (Benefit(12.3, 10.5, 14.0), Benefit(10.9, 8.9, 12.8), Benefit(7.4, 5.2, 9.6)),
    "nothing": (Benefit(-1.1, -2.6, 0.4), Benefit(-1.4, -3.0, 0.0), Benefit(-1.2, -2.7, 0.1)),
    "reverberation": (Benefit(3.7, 1.3, 6.2), Benefit(1.6, -0.6, 4.0), Benefit(5.2, 1.9, 8.4)),
    "speed": (Benefit(8.7, 5.4, 12.0), Benefit(6.5, 2.8, 10.2), Benefit(10.1, 6.4, 14.3)),
}
# end
