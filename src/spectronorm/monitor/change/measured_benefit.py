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
    "added-noise": (Benefit(3.1, -3.6, 8.9), Benefit(8.8, -1.5, 19.1), Benefit(27.3, 19.7, 35.0)),
    "band-limit": (Benefit(7.0, 3.3, 10.5), Benefit(12.7, 6.8, 18.3), Benefit(13.6, 4.6, 22.2)),
    "clipping": (Benefit(13.8, 6.1, 21.6), Benefit(11.9, 3.8, 20.8), Benefit(11.0, 3.0, 19.4)),
    "dynamics": (Benefit(0.9, -1.5, 3.3), Benefit(1.4, -0.6, 3.6), Benefit(7.3, 3.7, 11.3)),
    "equalization": (Benefit(10.5, 4.8, 15.9), Benefit(12.4, 5.4, 18.9), Benefit(8.6, 2.7, 14.9)),
    "hum": (Benefit(0.6, -6.0, 7.1), Benefit(-1.2, -7.7, 4.8), Benefit(7.9, 0.9, 16.3)),
    "level-change": (Benefit(12.5, 8.6, 16.5), Benefit(10.6, 6.2, 15.1), Benefit(8.1, 3.1, 13.1)),
    "nothing": (Benefit(-0.3, -3.0, 2.3), Benefit(-0.6, -3.2, 1.9), Benefit(0.8, -1.3, 3.4)),
    "reverberation": (Benefit(4.7, 0.0, 10.1), Benefit(2.2, -2.0, 6.5), Benefit(5.8, -0.8, 13.0)),
    "speed": (Benefit(6.6, -0.3, 13.8), Benefit(6.2, -2.2, 15.1), Benefit(10.4, 0.4, 22.1)),
}
# end
