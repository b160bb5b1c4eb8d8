"""Preprocessing module that monitors its inputs, and adapts on request."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spectronorm.arrays import to_host
from spectronorm.errors import ArgumentError, AudioError
from spectronorm.monitor import Monitor, NewAudio, Report, Update, restarted, update
from spectronorm.monitor.clips.variety import variety
from spectronorm.nn.preprocess import Preprocess
from spectronorm.suggestion import known_settings

_REMEMBERED = 256
_AS_THEY_ARE = (torch.float32, torch.float64)


@known_settings
class Monitored(nn.Module):
    """Wrapper `Monitored(preprocess, monitor)`, which returns `preprocess(wave)` and monitors one clip in `every`.

    Monitoring a clip takes about a quarter of a fast front end's time, so by default one clip in eight is monitored: an
    alarm then needs eight times the number of clips. On an accelerator, only those clips are copied to the host. The
    forward pass is unchanged: gradients flow, and clips that the monitor cannot use are counted as bad, without an
    error.

    Raises:
        ArgumentError: if `every` is below 1.
        FrontEndMismatch: if the monitor belongs to another front end.

    >>> import numpy as np, spectronorm as sn, torch
    >>> from spectronorm.monitor import Monitor
    >>> from spectronorm.nn import Preprocess
    >>> rng = np.random.default_rng(0)
    >>> profile = sn.fit([(0.1 * rng.standard_normal(8000), 16_000) for _ in range(30)], sn.FrontEnd(bands=sn.Mel(40)))
    >>> pipeline = sn.Pipeline(profile.front_end, sn.Standardize().fit(profile))
    >>> front = Monitored(Preprocess(pipeline), Monitor(profile))
    >>> front(0.1 * torch.randn(4, 8000, generator=torch.Generator().manual_seed(0))).shape
    torch.Size([4, 40, 41])
    >>> front.monitor.clips
    1
    """

    def __init__(self, preprocess: Preprocess, monitor: Monitor, *, every: int = 8) -> None:
        super().__init__()
        if every < 1:
            raise ArgumentError(f"every={every} must be at least 1: one clip in `every` is monitored")
        preprocess.spectrogram.front_end.require_same(monitor.profile.front_end, "the monitor's profile")
        self.preprocess = preprocess
        self.monitor = monitor
        self.every = every
        self._watched = _Watched()

    def forward(self, wave: Tensor, lengths: Tensor | None = None, *, sample_rate: int | None = None) -> Tensor:
        """Return the output of the preprocessing; raises as the preprocessing does."""
        spectrogram, normalize = self.preprocess.spectrogram, self.preprocess.normalize
        level = spectrogram.working_level(wave, lengths, sample_rate)
        self._watch(wave, level, lengths)
        frames = None if lengths is None else spectrogram.frames(lengths)
        return normalize.normalized(level, frames, overwrite=True).to(wave.dtype)

    def report(self) -> Report:
        """Return the monitor's report.

        Raises:
            ArgumentError: if no clip has come yet.
        """
        return self.monitor.report()

    def adapt(self, *, prior_clips: float = 1.0, weight: float | None = None, force: bool = False) -> Update:
        """Move the normalizer's statistics towards the monitor's window, and monitor by the new statistics.

        Raises:
            UpdateRefused: if the diagnosis says that it would do harm, or if clips are too few or too alike, unless
                forced.
            ArgumentError: if no clip has come yet, or if the normalizer was not fitted to the monitor's profile.
        """
        normalize, monitor = self.preprocess.normalize, self.monitor
        fitted = normalize.fitted
        current = fitted.normalizer.fit(monitor.profile)
        if fitted.affine is None or current.affine != normalize.normalizer().affine:
            raise ArgumentError(
                "the normalizer was not fitted to the monitor's profile, or has been trained since, so its statistics "
                "cannot be moved along; fit a fixed one to that profile"
            )
        measurement = monitor.measurement()
        if len(self._watched.features) < 3:
            raise ArgumentError(f"{len(self._watched.features)} watched clips are too few to adapt to")
        recent = np.stack(list(self._watched.features)[-measurement.clips :])
        new = NewAudio(measurement, recent, (), monitor.diagnosis(), variety(monitor.baseline, recent))
        found = update(monitor.profile, new, prior_clips=prior_clips, weight=weight, force=force)
        adapted = fitted.normalizer.fit(found.profile)
        if adapted.affine is None:  # A normalizer fitted to a data set always has one.
            raise ArgumentError(f"{fitted.normalizer} has no statistics to adapt")
        with torch.no_grad():
            normalize.shift.copy_(torch.from_numpy(np.array(adapted.affine.shift)))
            normalize.scale.copy_(torch.from_numpy(np.array(adapted.affine.scale)))
        normalize.fitted = adapted
        self.monitor = restarted(monitor, found)
        self._watched.features.clear()
        return found

    def _watch(self, wave: Tensor, level: Tensor, lengths: Tensor | None) -> None:
        watched, every, clips = self._watched, self.every, wave.shape[:-1].numel()
        first = -watched.seen % every
        watched.seen += clips
        if first >= clips:
            return
        waves, levels = _picked(wave, clips, 1, first, every), _picked(level, clips, 2, first, every)
        if lengths is None:
            watched.add(self.monitor, zip(waves, levels, strict=True))
            return
        ends = lengths.expand(wave.shape[:-1]).reshape(-1).tolist()[first::every]
        frames = self.preprocess.spectrogram.front_end.frames
        cut = ((one[:end], made[:, : frames(end)]) for one, made, end in zip(waves, levels, ends, strict=True))
        watched.add(self.monitor, cut)

    def extra_repr(self) -> str:
        """Return the interval between monitored clips, for `repr`."""
        return f"every={self.every}"


class _Watched:
    """Number of clips that were seen, and features of the newest ones that were monitored.

    A module's own attributes take microseconds to set.
    """

    def __init__(self) -> None:
        self.seen = 0
        self.features: deque[NDArray[np.float64]] = deque(maxlen=_REMEMBERED)

    def add(self, monitor: Monitor, clips: Iterable[tuple[NDArray[Any], NDArray[Any]]]) -> None:
        """Let the monitor look at clips, given as samples and level."""
        for samples, level in clips:
            try:
                monitor.add(samples, level=level)
            except AudioError:
                monitor.skip()
                continue
            if monitor.features is not None:
                self.features.append(monitor.features)


def _picked(x: Tensor, clips: int, axes: int, first: int, every: int) -> NDArray[np.floating[Any]]:
    """Return one clip in `every` on the host, each with this number of axes; narrower floats as float32."""
    x = x.detach() if x.requires_grad else x
    if x.is_cpu and x.dtype in _AS_THEY_ARE:
        return x.numpy().reshape(clips, *x.shape[-axes:])[first::every]
    chosen = x.reshape(clips, *x.shape[-axes:])[first::every]
    return to_host(chosen if chosen.dtype in _AS_THEY_ARE else chosen.float())
