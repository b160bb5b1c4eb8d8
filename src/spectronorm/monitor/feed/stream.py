"""Stream of samples in pieces of any length, cut into clips for a monitor."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import as_single, real_number
from spectronorm.audio.duration import MAX_SECONDS, MIN_SECONDS, check_duration
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
        ArgumentError: if `monitor` is something else, or `seconds` is not positive, too long, or too short for a frame.

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
        if not isinstance(monitor, Monitor):
            raise ArgumentError(f"a stream feeds a Monitor, not a {type(monitor).__name__}: make one, Monitor(profile)")
        front_end = require_front_end(monitor.profile.front_end, "cutting a stream of samples")
        seconds = real_number(seconds, "seconds", MIN_SECONDS, MAX_SECONDS, of="s")
        check_duration(seconds, front_end.sample_rate, "seconds")
        samples = round(seconds * front_end.sample_rate)
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
        if not isinstance(samples, np.ndarray) or samples.ndim != 1 or samples.dtype.kind != "f":
            raise ShapeError("a piece of a stream must be a NumPy array (sample,) of floats in [-1, 1]")
        samples = as_single(samples)
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
