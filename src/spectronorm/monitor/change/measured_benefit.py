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
    "added-noise": (Benefit(1.3, -2.0, 4.7, -1.8), Benefit(5.0, -0.2, 10.1, -1.3), Benefit(25.3, 21.5, 29.2, 8.7)),
    "band-limit": (Benefit(11.4, 9.2, 13.5, 8.8), Benefit(13.4, 10.5, 16.2, 10.4), Benefit(13.4, 9.9, 16.7, 9.5)),
    "clipping": (Benefit(15.3, 12.6, 18.2, 14.7), Benefit(14.2, 11.1, 17.5, 13.5), Benefit(12.8, 9.8, 15.9, 12.6)),
    "dynamics": (Benefit(0.3, -0.8, 1.3, -2.8), Benefit(0.5, -0.6, 1.5, -1.3), Benefit(5.7, 4.1, 7.2, 0.1)),
    "equalization": (Benefit(13.1, 10.9, 15.5, 1.2), Benefit(13.7, 11.1, 16.3, 1.4), Benefit(9.7, 7.2, 12.2, 0.2)),
    "hum": (Benefit(-0.9, -4.0, 2.3, -0.9), Benefit(-2.0, -4.8, 0.8, -2.0), Benefit(2.3, 0.2, 4.8, 2.3)),
    "level-change": (Benefit(13.0, 11.5, 14.7, 7.2), Benefit(11.7, 10.0, 13.6, 6.7), Benefit(8.7, 6.7, 10.6, 5.6)),
    "nothing": (Benefit(-0.6, -1.8, 0.6, -0.6), Benefit(-0.9, -2.1, 0.1, -0.9), Benefit(-0.8, -2.0, 0.3, -0.8)),
    "reverberation": (Benefit(1.4, -0.5, 3.4, 1.4), Benefit(0.4, -1.5, 2.5, 0.4), Benefit(4.6, 2.4, 6.8, 4.6)),
    "speed": (Benefit(7.0, 3.8, 10.2, 7.0), Benefit(5.0, 1.5, 8.6, 5.0), Benefit(7.7, 4.4, 11.2, 7.7)),
    "unknown-change": (Benefit(7.3, 6.2, 8.6, -2.8), Benefit(8.1, 6.6, 9.6, -2.0), Benefit(11.9, 10.3, 13.4, 0.1)),
}
# end
