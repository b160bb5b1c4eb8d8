"""Stream of samples in pieces of any length, cut into clips for a monitor."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.errors import ArgumentError, AudioError, ShapeError
from spectronorm.front_end import require_front_end
from spectronorm.monitor.monitor import Monitor
from spectronorm.monitor.verdict import Verdict
from spectronorm.suggestion import known_settings


@known_settings
class SampleStream:
    """Feeds a monitor from pieces of a waveform: each complete `seconds` of samples is added as one clip.

    At most one clip is held in memory. A clip that the monitor cannot use, such as one with a NaN, is counted as bad.

    Args:
        monitor: The monitor that receives the clips.
        seconds: Length of a clip in seconds, best the length of the training clips.

    Raises:
        ArgumentError: if `seconds` is not positive, or too short for a frame.

    >>> import numpy as np, spectronorm as sn
    >>> from spectronorm.monitor import Monitor
    >>> rng = np.random.default_rng(0)
    >>> profile = sn.fit([(0.1 * rng.standard_normal(8000), 16_000) for _ in range(40)], sn.FrontEnd(bands=sn.Mel(24)))
    >>> stream = SampleStream(Monitor(profile), seconds=0.5)
    >>> verdicts = [len(stream.add(piece)) for piece in np.split(0.1 * rng.standard_normal(24_000), 4)]
    >>> sum(verdicts), stream.held
    (3, 0)
    """

    def __init__(self, monitor: Monitor, seconds: float = 5.0) -> None:
        front_end = require_front_end(monitor.profile.front_end, "cutting a stream of samples")
        samples = round(seconds * front_end.sample_rate) if 0 < seconds < math.inf else 0
        if not 1 <= front_end.min_samples <= samples:
            raise ArgumentError(
                f"seconds={seconds} gives clips of {samples} samples; this front end needs {front_end.min_samples}"
            )
        self.monitor = monitor
        self._clip = np.empty(samples, dtype=np.float32)
        self._held = 0

    @property
    def held(self) -> int:
        """Number of samples that wait for the rest of their clip."""
        return self._held

    def add(self, samples: NDArray[Any], *, at: float | None = None) -> list[Verdict]:
        """Add the next samples `(sample,)` at the front end's rate; returns a verdict for each completed clip.

        Args:
            samples: Mono samples, `(sample,)`.
            at: Time of recording in seconds, needed by windows of seconds.

        Raises:
            ShapeError: if the samples are not a one-dimensional float array.
        """
        if samples.ndim != 1 or not np.issubdtype(samples.dtype, np.floating):
            raise ShapeError("a piece of a stream must be an array (sample,) of floats in [-1, 1]")
        verdicts: list[Verdict] = []
        start = 0
        while start < len(samples):
            taken = min(len(self._clip) - self._held, len(samples) - start)
            self._clip[self._held : self._held + taken] = samples[start : start + taken]
            start, self._held = start + taken, self._held + taken
            if self._held == len(self._clip):
                self._held = 0
                try:
                    verdicts.append(self.monitor.add(self._clip, at=at))
                except AudioError:
                    self.monitor.skip()
        return verdicts
