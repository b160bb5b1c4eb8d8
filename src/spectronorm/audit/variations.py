"""Front ends that are easily taken for another: each costs one more pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from spectronorm.audio import RESAMPLERS
from spectronorm.errors import SpectronormError
from spectronorm.front_end import AnyFrontEnd, FrontEnd, Mel
from spectronorm.front_end.waveform import AsRecorded, ScaleWaveform

_LARGEST_INTEGER = 32768.0


@dataclass(frozen=True)
class Variation:
    """A front end with one other setting, and what it says about numbers that it explains."""

    name: str
    sentence: str
    front_end: FrontEnd


def variations(front_end: AnyFrontEnd) -> Iterator[Variation]:
    """Yield front ends with another scale of samples, resampler, mel scale, window, padding or pre-emphasis."""
    if not isinstance(front_end, FrontEnd):
        return
    if front_end.level == AsRecorded():
        sentence = "samples were whole numbers to 32767, but the front end takes samples in ±1"
        yield Variation("16-bit scale", sentence, replace(front_end, level=ScaleWaveform(_LARGEST_INTEGER)))
    if front_end.level == ScaleWaveform(_LARGEST_INTEGER):
        sentence = "samples were in ±1, but the front end scales them to 16 bits"
        yield Variation("samples in ±1", sentence, replace(front_end, level=AsRecorded()))
    for resampler in RESAMPLERS:
        if resampler != front_end.resampler:
            sentence = f"the sounds were resampled by {resampler}, not {front_end.resampler}"
            yield Variation("another resampler", sentence, replace(front_end, resampler=resampler))
    for name, changes in _settings(front_end):
        slot, setting, value = changes
        try:
            changed = replace(getattr(front_end, slot), **{setting: value})
            sentence = f"the front end had {setting}={value!r}, not {getattr(getattr(front_end, slot), setting)!r}"
            yield Variation(name, sentence, replace(front_end, **{slot: changed}))
        except SpectronormError:
            continue


def _settings(front_end: FrontEnd) -> Iterator[tuple[str, tuple[str, str, object]]]:
    if isinstance(front_end.bands, Mel):
        for scale in ("slaney", "htk", "kaldi"):
            if scale != front_end.bands.mel_scale:
                yield "another mel scale", ("bands", "mel_scale", scale)
        norm = None if front_end.bands.norm else "slaney"
        yield "another norm of the filters", ("bands", "norm", norm)
    for window in ("hann", "hamming", "povey"):
        if window != front_end.stft.window:
            yield "another window", ("stft", "window", window)
    yield "centred frames", ("stft", "center", not front_end.stft.center)
    emphasis = 0.0 if front_end.stft.preemphasis else 0.97
    yield "pre-emphasis", ("stft", "preemphasis", emphasis)
