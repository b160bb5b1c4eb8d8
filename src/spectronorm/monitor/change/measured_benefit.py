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
    "added-noise": (Benefit(2.3, -0.8, 5.3, -0.9), Benefit(4.5, -0.5, 9.4, -1.5), Benefit(23.7, 20.2, 27.2, 9.4)),
    "band-limit": (Benefit(12.1, 10.1, 14.1, 9.7), Benefit(13.9, 11.6, 16.2, 11.3), Benefit(14.1, 10.8, 17.3, 10.5)),
    "clipping": (Benefit(14.5, 12.0, 17.1, 13.8), Benefit(13.3, 10.6, 16.3, 12.6), Benefit(11.2, 8.6, 14.0, 11.1)),
    "dynamics": (Benefit(0.4, -0.5, 1.2, -2.9), Benefit(0.5, -0.4, 1.4, -2.1), Benefit(5.6, 4.2, 7.0, 0.1)),
    "equalization": (Benefit(13.1, 11.2, 15.1, 1.0), Benefit(13.8, 11.7, 16.0, 1.0), Benefit(9.6, 7.5, 11.8, -0.1)),
    "hum": (Benefit(-0.3, -3.0, 2.5, -0.3), Benefit(-1.1, -3.6, 1.5, -1.1), Benefit(2.4, 0.5, 4.5, 2.4)),
    "level-change": (Benefit(12.9, 11.5, 14.3, 6.5), Benefit(11.7, 10.1, 13.3, 5.8), Benefit(8.7, 7.0, 10.3, 5.2)),
    "nothing": (Benefit(-0.7, -1.7, 0.2, -0.7), Benefit(-1.0, -2.0, -0.1, -1.0), Benefit(-0.5, -1.6, 0.6, -0.5)),
    "reverberation": (Benefit(0.9, -0.8, 2.5, 0.9), Benefit(-0.8, -2.5, 0.9, -0.8), Benefit(5.4, 3.3, 7.5, 5.4)),
    "speed": (Benefit(7.3, 4.3, 10.3, 7.3), Benefit(5.5, 2.3, 8.9, 5.5), Benefit(7.4, 4.5, 10.6, 7.4)),
    "unknown-change": (Benefit(7.6, 6.5, 8.7, -2.9), Benefit(8.0, 6.6, 9.5, -2.1), Benefit(11.6, 10.1, 13.1, -0.1)),
}
# end
