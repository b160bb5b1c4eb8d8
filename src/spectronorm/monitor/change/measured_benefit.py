"""Measured benefit of each update for each kind of change, which advice and guards go by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Benefit(NamedTuple):
    """Mean gain in accuracy over models, in points, with its 95 % interval over recordings.

    `worst` is the smallest mean gain behind one change of the kind; an unknown change may be any that was measured.
    """

    points: float
    low: float
    high: float
    worst: float


# begin: python -m benchmarks.update_benefit write
MEASURED: Mapping[str, tuple[Benefit, Benefit, Benefit]] = {
    "added-noise": (Benefit(1.5, -2.3, 4.8, -0.9), Benefit(6.8, 1.0, 11.8, -0.5), Benefit(25.0, 20.8, 29.1, 10.0)),
    "band-limit": (Benefit(10.9, 8.7, 13.0, 8.1), Benefit(13.2, 10.4, 15.8, 10.3), Benefit(11.9, 8.2, 15.5, 9.2)),
    "clipping": (Benefit(14.3, 11.1, 17.5, 13.4), Benefit(12.7, 9.1, 16.0, 12.0), Benefit(12.0, 8.3, 15.6, 11.5)),
    "dynamics": (Benefit(0.4, -0.8, 1.5, -3.4), Benefit(0.5, -0.6, 1.6, -1.3), Benefit(5.2, 3.5, 7.0, -0.4)),
    "equalization": (Benefit(12.5, 10.2, 14.8, 0.5), Benefit(12.8, 10.3, 15.2, 0.5), Benefit(8.7, 6.2, 11.4, -0.1)),
    "hum": (Benefit(0.1, -3.6, 3.6, 0.1), Benefit(-2.3, -5.5, 0.8, -2.3), Benefit(2.3, -0.5, 5.4, 2.3)),
    "level-change": (Benefit(12.3, 10.5, 14.0, 6.2), Benefit(10.9, 8.9, 12.8, 5.5), Benefit(7.4, 5.2, 9.6, 4.2)),
    "nothing": (Benefit(-1.1, -2.6, 0.4, -1.1), Benefit(-1.4, -3.0, 0.0, -1.4), Benefit(-1.2, -2.7, 0.1, -1.2)),
    "reverberation": (Benefit(1.2, -0.8, 3.4, 1.2), Benefit(-0.5, -2.6, 1.7, -0.5), Benefit(2.3, -0.4, 5.1, 2.3)),
    "speed": (Benefit(8.7, 5.4, 12.0, 8.7), Benefit(6.5, 2.8, 10.2, 6.5), Benefit(10.1, 6.4, 14.3, 10.1)),
    "unknown-change": (Benefit(7.1, 5.9, 8.3, -3.4), Benefit(8.0, 6.4, 9.5, -2.3), Benefit(11.2, 9.4, 12.9, -0.4)),
}
# end
