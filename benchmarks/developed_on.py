"""Changes that the diagnosis may be developed on: models, priors and margins. None of those that it is reported on."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks import devices
from benchmarks.changes import (
    Change,
    at_speed,
    band_noise,
    chain,
    change,
    compressor,
    dropouts,
    gate,
    hum,
    mu_law,
    overdriven,
    peaking,
    reverberant,
    suppressor,
    through_rate,
    wind,
)
from benchmarks.shifts import band_limited, equalizer, gain, noisy, telephone

FIRST: Mapping[str, Change] = {
    "noise suppressor, 18 dB": change(suppressor(18.0, 6.0, 0.5), "dynamics"),
    "gate, 25 dB below the peak": change(gate(25.0, 60.0), "dynamics", "silence"),
    "automatic gain, 4 : 1": change(compressor(4.0, 0.05), "dynamics"),
    "room of 0.8 s": change(reverberant(0.8, -3.0), "reverberation"),
    "hum of 50 Hz, 5 dB": change(hum(50.0, 5.0, 6.0), "hum"),
    "wind, -5 dB": change(wind(-5.0, 300.0), "added-noise"),
    "presence, +12 dB at 3 kHz": change(peaking(3000.0, 12.0, 0.8), "equalization"),
    "half speed": change(at_speed(0.5), "speed", "band-limit"),
    "through 8 kHz": change(through_rate(8000), "band-limit"),
    "saturated, both halves": change(overdriven(0.0, one_sided=False), "clipping", "dynamics"),
    "one packet in ten lost": change(dropouts(0.1, 0.02), "dynamics", "silence"),
    "one class of ten": change(None, "other-content", "nothing", classes=1),
}
"""One of each of twelve kinds; updates were measured behind them."""

_CONTENT = ("other-content", "nothing")
_DULL = equalizer([0, 0.05, 0.15, 0.3, 0.6, 1], [0, 0, -6, -14, -24, -30])
DEVELOP: Mapping[str, Change] = {
    **FIRST,
    # Dynamics
    "noise suppressor, 10 dB": change(suppressor(10.0, 6.0, 0.4), "dynamics"),
    "noise suppressor, 30 dB": change(suppressor(30.0, 9.0, 0.6), "dynamics"),
    "spectral subtraction": change(devices.subtraction(15.0, 2.0), "dynamics"),
    "spectral subtraction, strong": change(devices.subtraction(30.0, 6.0), "dynamics"),
    "gate, 20 dB below the peak": change(gate(20.0, 30.0), "dynamics", "silence"),
    "gate, 40 dB below the peak": change(gate(40.0, 60.0), "dynamics", "silence"),
    "expander, 1 : 2": change(devices.expander(2.0, 0.03), "dynamics"),
    "automatic gain, 2 : 1": change(compressor(2.0, 0.1), "dynamics"),
    "automatic gain, 10 : 1, 1 s": change(compressor(10.0, 1.0), "dynamics"),
    "compressor, 3 : 1, fast": change(compressor(3.0, 0.01), "dynamics"),
    "limiter": change(devices.limiter(6.0), "dynamics", "clipping", "level-change"),
    # Rooms
    "room of 0.4 s": change(reverberant(0.4, 0.0), "reverberation"),
    "room of 1 s, far": change(reverberant(1.0, -9.0), "reverberation"),
    "hall of 2.5 s": change(reverberant(2.5, -3.0), "reverberation"),
    "table, 3 ms": change(devices.reflected(3.0, 3.0), "reverberation", "equalization"),
    # Hum
    "hum of 50 Hz, -5 dB": change(hum(50.0, -5.0, 10.0), "hum"),
    "hum of 60 Hz, 12 dB": change(hum(60.0, 12.0, 4.0), "hum"),
    "hum of 100 Hz, 0 dB": change(hum(100.0, 0.0, 6.0), "hum"),
    # Noises
    "white noise, 15 dB": change(noisy(15.0), "added-noise"),
    "white noise, 0 dB": change(noisy(0.0), "added-noise"),
    "brown noise, 5 dB": change(devices.coloured(5.0, -2.0), "added-noise"),
    "pink noise, 5 dB": change(devices.coloured(5.0, -1.0), "added-noise"),
    "blue noise, 15 dB": change(devices.coloured(15.0, 1.0), "added-noise"),
    "noise of one level": change(devices.constant_noise(-45.0), "added-noise"),
    "hiss at the top, 10 dB": change(band_noise(10.0, 2000.0, 3600.0), "added-noise"),
    "wind, 0 dB": change(wind(0.0, 150.0), "added-noise"),
    "crackle": change(devices.crackle(20.0, 25.0), "added-noise"),
    "five bits": change(devices.bits(5), "added-noise"),
    # Filters
    "bass, +10 dB": change(devices.shelf(300.0, 10.0, high=False), "equalization"),
    "treble, -12 dB": change(devices.shelf(1500.0, -12.0, high=True), "equalization"),
    "treble, +10 dB": change(devices.shelf(2000.0, 10.0, high=True), "equalization"),
    "tilt, +4 dB an octave": change(devices.tilt(4.0), "equalization"),
    "tilt, -4 dB an octave": change(devices.tilt(-4.0), "equalization"),
    "hollow, -15 dB at 1 kHz": change(peaking(1000.0, -15.0, 0.7), "equalization"),
    "nasal, +12 dB at 800 Hz": change(peaking(800.0, 12.0, 1.0), "equalization"),
    "resonance, +15 dB at 2 kHz": change(peaking(2000.0, 15.0, 3.0), "equalization"),
    "two resonances": change(chain(peaking(500.0, 9.0, 1.0), peaking(2500.0, 12.0, 1.5)), "equalization"),
    "no bass, first order": change(devices.filtered(1, 0.15, "highpass"), "equalization"),
    "dull": change(_DULL, "equalization"),
    # Levels
    "10 dB quieter": change(gain(-10.0), "level-change"),
    "25 dB quieter": change(gain(-25.0), "level-change"),
    "7 dB louder": change(gain(7.0), "level-change"),
    # Band limits
    "through 6 kHz": change(through_rate(6000), "band-limit"),
    "cut at 0.55, steep": change(band_limited(0.55), "band-limit"),
    "cut at 0.3, fourth order": change(devices.filtered(4, 0.3, "lowpass"), "band-limit", "equalization"),
    "cut at 0.5, eighth order": change(devices.filtered(8, 0.5, "lowpass"), "band-limit", "equalization"),
    "nothing below 0.12": change(devices.filtered(8, 0.12, "highpass"), "band-limit", "equalization"),
    "narrow band": change(devices.filtered(6, (0.1, 0.4), "bandpass"), "band-limit", "equalization"),
    "telephone": change(telephone, "band-limit"),
    "mu-law at 6 kHz": change(mu_law(7, 6000), "band-limit"),
    "transform codec": change(devices.transform_codec(0.5, 45.0), "band-limit", "dynamics"),
    "transform codec, whole band": change(devices.transform_codec(0.95, 35.0), "dynamics", "band-limit"),
    # Speeds
    "speed 0.75": change(at_speed(0.75), "speed", "band-limit"),
    "speed 1.25": change(at_speed(1.25), "speed"),
    "speed 2": change(at_speed(2.0), "speed"),
    "five semitones up": change(devices.pitched(5.0), "speed"),
    "four semitones down": change(devices.pitched(-4.0), "speed", "band-limit"),
    # Clipping
    "saturated at 6 dB over the RMS": change(overdriven(-6.0, one_sided=False), "clipping", "dynamics"),
    "overdriven softly": change(devices.soft_clipped(10.0), "clipping", "dynamics"),
    "saturated, then resampled": change(
        chain(overdriven(0.0, one_sided=False), devices.filtered(6, 0.9, "lowpass")), "clipping", "dynamics"
    ),
    # Silence and lost parts
    "three packets in ten lost": change(dropouts(0.3, 0.1), "dynamics", "silence"),
    "half of each clip silent": change(devices.padded(0.5), "silence", "dynamics", "other-content"),
    "three clips in four silent": change(devices.sometimes(lambda wave, _, __: wave * 0.0, 0.75), "silence"),
    # Content, and what has no name
    "one class of ten, again": change(None, *_CONTENT, classes=1),
    "three classes of ten": change(None, *_CONTENT, classes=3),
    "four classes of ten": change(None, *_CONTENT, classes=4),
    "constant offset": change(devices.offset(0.1)),
    "dull in half of the clips": change(devices.sometimes(_DULL, 0.5), "equalization"),
    # Two at once
    "dull, and noise": change(chain(_DULL, devices.coloured(10.0, 0.0)), "equalization", "added-noise"),
    "quieter, and noise": change(chain(gain(-15.0), devices.constant_noise(-55.0)), "level-change", "added-noise"),
    "telephone, and noise": change(chain(telephone, noisy(15.0)), "band-limit", "added-noise"),
    "hum, and through 8 kHz": change(chain(hum(50.0, 3.0, 6.0), through_rate(8000)), "hum", "band-limit"),
    "room, and dull": change(chain(reverberant(0.8, -6.0), _DULL), "reverberation", "equalization"),
    "suppressor, and treble": change(
        chain(suppressor(18.0, 6.0, 0.5), devices.shelf(1500.0, -12.0, high=True)), "dynamics", "equalization"
    ),
    "automatic gain, and noise": change(chain(noisy(15.0), compressor(4.0, 0.1)), "dynamics", "added-noise"),
}
"""The changes that the diagnosis may be developed on."""
