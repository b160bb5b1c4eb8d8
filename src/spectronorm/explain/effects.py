"""Effect of each front-end setting on the numbers, in one sentence with the values of both front ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from spectronorm.front_end import FrontEnd
from spectronorm.settings import settings_of

_HIGH = 1e12
"""Value so high that an offset has no effect on its logarithm."""

Effect = Callable[[FrontEnd, FrontEnd], str]


def effect(setting: str, a: FrontEnd, b: FrontEnd) -> str:
    """Describe the effect of a difference in `setting` (such as `stft.hop_length`) between two front ends."""
    known = _EFFECTS.get(setting)
    if known is not None:
        return known(a, b)
    slot, _, name = setting.partition(".")
    described = settings_of(type(getattr(a, slot))).get(name) if name != "kind" else None
    return f"{_OF_SLOT[slot]}: {described.help}" if described and described.help else _OF_SLOT[slot]


def _rate(a: FrontEnd, b: FrontEnd) -> str:
    return (
        f"frequencies reach {a.sample_rate / 2:g} Hz here and {b.sample_rate / 2:g} Hz there, and every length in "
        "samples is a different duration"
    )


def _hop(a: FrontEnd, b: FrontEnd) -> str:
    return f"a frame every {_ms(a.stft.hop, a):.1f} ms here, every {_ms(b.stft.hop, b):.1f} ms there"


def _window(a: FrontEnd, b: FrontEnd) -> str:
    """Describe the effect of the window: a tone's level follows the window's sum, a noise's level its energy."""
    one, two = a.stft.window_values(), b.stft.window_values()
    tone = 20 * np.log10(one.sum() / two.sum())
    noise = 10 * np.log10((one * one).sum() / (two * two).sum())
    return (
        f"the window lasts {_ms(a.stft.frame_length, a):.1f} ms here and {_ms(b.stft.frame_length, b):.1f} ms there: "
        f"a steady tone comes out {tone:+.2f} dB, noise {noise:+.2f} dB, here against there"
    )


def _n_fft(a: FrontEnd, b: FrontEnd) -> str:
    return (
        f"bins lie {a.sample_rate / a.stft.n_fft:.2f} Hz apart here and {b.sample_rate / b.stft.n_fft:.2f} Hz there: "
        "finer bins separate tones and blur time"
    )


def _bands(a: FrontEnd, b: FrontEnd) -> str:
    return (
        f"{a.n_bands} bands here from {a.band_hz()[0]:.0f} to {a.band_hz()[-1]:.0f} Hz, {b.n_bands} there from "
        f"{b.band_hz()[0]:.0f} to {b.band_hz()[-1]:.0f} Hz (centres)"
    )


def _compress(a: FrontEnd, b: FrontEnd) -> str:
    return (
        f"ten times the power is {_per_decade(a)} here and {_per_decade(b)} there; digital silence is "
        f"{a.floor:.2f} {a.compress.unit} here and {b.floor:.2f} {b.compress.unit} there"
    )


def _floor(a: FrontEnd, b: FrontEnd) -> str:
    return (
        f"digital silence is {a.floor:.2f} {a.compress.unit} here and {b.floor:.2f} {b.compress.unit} there, and "
        "nothing lies below: statistics of quiet recordings move with it"
    )


def _per_decade(front_end: FrontEnd) -> str:
    """Return the step of a high level for ten times the power, found by compressing three decades."""
    power, unit = front_end.stft.power, front_end.unit
    values = _HIGH * 10.0 ** (power / 2.0 * np.arange(3.0))
    steps = np.diff(np.ravel(front_end.compress(values[:, None, None], power)))
    if not np.allclose(steps[0], steps[1], rtol=1e-3, atol=0.0):
        return f"no fixed step of {unit}"
    return f"{steps[0]:g} {unit}" if unit == "dB" else f"{steps[0]:.3f} {unit} (where the level is high)"


def _ms(samples: int, front_end: FrontEnd) -> float:
    return 1000.0 * samples / front_end.sample_rate


def _says(text: str) -> Effect:
    return lambda _a, _b: text


_EFFECTS: Mapping[str, Effect] = {
    "sample_rate": _rate,
    "resampler": _says("two resamplers move the top bands by up to 2 dB; the rest hardly differs"),
    "level.kind": _says(
        "the waveform is normalized differently at the start: the loudness of a recording may survive in only one of "
        "the two"
    ),
    "level.factor": _says("all samples are scaled by another factor: levels move by a constant, except at the floor"),
    "stft.n_fft": _n_fft,
    "stft.win_length": _window,
    "stft.window": _window,
    "stft.hop_length": _hop,
    "stft.center": _says(
        "centred frames begin half a window before the clip and need padding; others begin with the clip. Frames are "
        "shifted against each other and their number differs"
    ),
    "stft.pad_mode": _says("only the first and last frames differ, but by up to some 20 dB"),
    "stft.power": _says(
        "bands add magnitudes (1) or power (2): with more than one bin a band, the sum of magnitudes is not the root "
        "of the sum of powers, so loud and quiet parts of a band weigh otherwise"
    ),
    "stft.frame_by": _says("frames are cut by n_fft or by win_length: they are shifted and their number differs"),
    "stft.frame_count": _says("the number of frames of a clip differs by one or two at its end"),
    "stft.remove_dc_offset": _says(
        "the mean of each frame is subtracted in only one of the two: only the lowest bins differ"
    ),
    "stft.preemphasis": _says(
        "pre-emphasis lifts high against low frequencies: with 0.97 some 30 dB less at the bottom, 6 dB more at the top"
    ),
    "bands.kind": _bands,
    "bands.n_mels": _bands,
    "bands.n_bands": _bands,
    "bands.f_min": _bands,
    "bands.f_max": _bands,
    "bands.drop_nyquist": _says("one band more or less at half the sample rate"),
    "bands.mel_scale": _says(
        "slaney is linear up to 1000 Hz, htk bends at 700 Hz: band centres shift; kaldi has htk's centres, but "
        "triangles that are straight over mels"
    ),
    "bands.norm": _says(
        "slaney divides each filter by its bandwidth in Hz, none leaves its peak at 1: levels differ by a constant for "
        "each band, more for wide, high bands; in decibels or ln normalizing each band takes it out"
    ),
    "bands.width": _says("filters of another width let more or fewer neighbours through"),
    "compress.kind": _compress,
    "compress.offset": _floor,
    "compress.amin": _floor,
    "compress.floor_db": _floor,
    "compress.ref": _says("all levels move by a constant"),
    "compress.top_db": _says(
        "a floor below each clip's own peak: quiet cells depend on the loudest one of the clip, so crops and batches "
        "give other numbers than whole clips"
    ),
}
_OF_SLOT: Mapping[str, str] = {
    "level": "the waveform comes to another level before the transform",
    "stft": "the transform differs",
    "bands": "the bands gather other bins",
    "compress": "band values are compressed otherwise",
}
