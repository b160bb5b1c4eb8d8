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
    "added-noise": (Benefit(0.8, -3.8, 4.9, -1.9), Benefit(5.6, -1.0, 12.2, -1.5), Benefit(27.4, 22.2, 32.4, 9.5)),
    "band-limit": (Benefit(10.1, 7.1, 13.0, 7.1), Benefit(12.6, 8.6, 16.4, 10.4), Benefit(14.1, 8.7, 19.4, 10.7)),
    "clipping": (Benefit(13.9, 9.7, 18.3, 13.1), Benefit(12.9, 8.3, 17.9, 11.9), Benefit(13.0, 8.0, 17.9, 13.0)),
    "dynamics": (Benefit(0.9, -0.6, 2.4, -1.4), Benefit(1.3, -0.2, 2.7, -0.6), Benefit(6.4, 4.2, 8.7, 0.7)),
    "equalization": (Benefit(11.5, 8.2, 14.6, 2.4), Benefit(12.1, 8.2, 15.5, 2.4), Benefit(9.2, 5.9, 12.6, 1.2)),
    "hum": (Benefit(-1.1, -5.7, 3.2, -1.1), Benefit(-2.9, -7.0, 1.0, -2.9), Benefit(3.2, -0.7, 7.2, 3.2)),
    "level-change": (Benefit(11.9, 9.6, 14.2, 5.8), Benefit(10.6, 8.0, 13.2, 5.3), Benefit(7.8, 5.1, 10.4, 5.0)),
    "nothing": (Benefit(0.1, -1.7, 1.9, 0.1), Benefit(-0.1, -1.8, 1.4, -0.1), Benefit(0.2, -1.3, 1.6, 0.2)),
    "reverberation": (Benefit(2.4, -0.4, 5.5, 2.4), Benefit(0.7, -2.0, 3.8, 0.7), Benefit(4.3, 1.2, 7.5, 4.3)),
    "speed": (Benefit(7.2, 2.8, 11.7, 7.2), Benefit(5.8, 0.9, 10.7, 5.8), Benefit(11.1, 5.7, 16.3, 11.1)),
    "unknown-change": (Benefit(6.7, 5.1, 8.3, -1.9), Benefit(7.7, 5.7, 9.6, -2.9), Benefit(12.6, 10.1, 14.7, 0.7)),
}
# end
