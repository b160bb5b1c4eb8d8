"""Sixty-nine changes of an outsider's choice, each with the names that a listener would accept.

They were written before the diagnosis was read, and run once; uneven noise and a higher limit of the RMS were added
to the rules after that look. The devices are in `benchmarks.third_levels`, `third_noises` and `third_formats`.
"""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.changes import Change, chain, change
from benchmarks.devices import constant_noise, offset
from benchmarks.shifts import band_limited, gain, noisy, telephone
from benchmarks.third_formats import (
    bits_of_peak,
    coded,
    decimated,
    flutter,
    mu_law_of_full_scale,
    pitch,
    speed,
    stereo_as_mono,
    swapped_bytes,
    tempo,
    unsigned,
)
from benchmarks.third_levels import (
    CHEAP,
    LAPEL,
    LAPTOP,
    PHONE,
    any_of,
    behind_door,
    broken_off,
    clip_levels,
    dead_side,
    faded,
    fading,
    level_steps,
    lost,
    lower_half_clipped,
    only_hiss,
    out_of_phase,
    padded,
    pumping,
    room,
    to_peak,
    trimmed,
    tube,
)
from benchmarks.third_noises import (
    air_conditioner,
    beeps,
    gusts,
    mobile_phone,
    rain,
    real_sounds,
)

_CONTENT = ("other-content", "nothing")
THIRD_CHANGES: Mapping[str, Change] = {
    "level in steps of 6 dB": change(level_steps(6), "level-change", "dynamics"),
    "level in steps of 15 dB": change(level_steps(15), "level-change", "dynamics"),
    "each clip another level, 10 dB": change(clip_levels(10), "level-change"),
    "fade-out by 30 dB": change(faded(30), "level-change", "dynamics"),
    "fading, 0.7 Hz, 25 dB": change(fading(0.7, 25), "level-change", "dynamics"),
    "gain control that pumps, 15 dB": change(pumping(-20, 15, 0.02, 0.4), "level-change", "dynamics"),
    "gain control that pumps, 30 dB": change(pumping(-20, 30, 0.01, 0.2), "level-change", "dynamics"),
    "each clip to full scale": change(to_peak(1.0), "level-change"),
    "int16 read as float": change(gain(90.3), "level-change"),
    "phone, and its noise": change(chain(PHONE, noisy(25)), "equalization", "added-noise"),
    "phone, and steady noise of -50 dBFS": change(chain(PHONE, constant_noise(-50)), "equalization", "added-noise"),
    "lapel microphone": change(LAPEL, "equalization"),
    "laptop's loudspeaker": change(LAPTOP, "equalization"),
    "any of four microphones": change(any_of(PHONE, LAPEL, LAPTOP, CHEAP), "equalization"),
    "behind a door": change(behind_door(400), "equalization", "band-limit"),
    "tube, 0 dB": change(tube(0), "clipping", "dynamics"),
    "tube, 12 dB": change(tube(12), "clipping", "dynamics"),
    "lower half clipped at a fifth": change(lower_half_clipped(0.2), "clipping", "dynamics"),
    "lower half clipped at a twentieth": change(lower_half_clipped(0.05), "clipping", "dynamics"),
    "gusts, 5 dB": change(gusts(5, 1.0), "added-noise"),
    "gusts, -5 dB, clipped": change(gusts(-5, 0.3), "added-noise", "clipping"),
    "rain on a roof, 10 dB": change(rain(10, 60), "added-noise"),
    "rain on a roof, 0 dB": change(rain(0, 300), "added-noise"),
    "air conditioner, 10 dB": change(air_conditioner(10, 0.5), "added-noise", "hum"),
    "air conditioner, tonal, 0 dB": change(air_conditioner(0, 2.0), "added-noise", "hum"),
    "mobile phone beside the cable, 5 dB": change(mobile_phone(5), "hum", "added-noise"),
    "beeps of 2 kHz, 0 dB": change(beeps(0, 2000), "added-noise", "hum", "other-content"),
    "real sounds behind, 10 dB": change(real_sounds(10), "added-noise", "other-content"),
    "real sounds behind, 0 dB": change(real_sounds(0), "added-noise", "other-content"),
    "four bits of the peak": change(bits_of_peak(4), "added-noise", "dynamics", "silence"),
    "six bits of the peak": change(bits_of_peak(6), "added-noise", "dynamics", "silence"),
    "mu-law, 8 bits": change(mu_law_of_full_scale(8), "added-noise"),
    "mu-law, 5 bits": change(mu_law_of_full_scale(5), "added-noise"),
    "GSM": change(coded("WAV", "GSM610", 8000), "band-limit", "dynamics", "added-noise"),
    "Vorbis, lowest quality": change(coded("OGG", "VORBIS", compression_level=1.0), "band-limit", "dynamics"),
    "MP3 at 24 kb/s": change(
        coded("MP3", "MPEG_LAYER_III", bitrate_mode="CONSTANT", compression_level=17 / 19), "band-limit", "dynamics"
    ),
    "half the rate, no filter": change(decimated(0.5, filtered=False, linear=False), "band-limit"),
    "half the rate, linear": change(decimated(0.5, filtered=False, linear=True), "band-limit", "equalization"),
    "0.69 of the rate": change(decimated(0.689, filtered=True, linear=False), "band-limit"),
    "0.69 of the rate, linear": change(decimated(0.689, filtered=False, linear=True), "band-limit", "equalization"),
    "bytes swapped": change(swapped_bytes, "added-noise", "clipping"),
    "unsigned read as signed": change(unsigned, "added-noise", "clipping", "dynamics"),
    "stereo read as mono": change(stereo_as_mono, "speed"),
    "offset of 0.02": change(offset(0.02)),
    "offset of 0.3": change(offset(0.3)),
    "speed 0.9": change(speed(0.9), "speed"),
    "speed 1.1": change(speed(1.1), "speed"),
    "three semitones up": change(pitch(3), "speed"),
    "three semitones down": change(pitch(-3), "speed", "band-limit"),
    "tempo 1.3": change(tempo(1.3), "speed", "dynamics"),
    "flutter of 2 %": change(flutter(0.02, 6.0), "speed", "added-noise"),
    "church of 4 s": change(room(4.0, -3, 20), "reverberation"),
    "bathroom of 0.6 s": change(room(0.6, -6, 5), "reverberation"),
    "one side dead, -60 dB": change(dead_side(-60), "level-change", "added-noise"),
    "one side dead, -35 dB": change(dead_side(-35), "level-change", "added-noise"),
    "hiss alone, -65 dB": change(only_hiss(-65), "silence", "level-change", "added-noise"),
    "sides out of phase": change(out_of_phase(0.2), "equalization", "level-change"),
    "silence trimmed, 30 dB": change(trimmed(30), "silence", "dynamics", "other-content"),
    "silence trimmed, 45 dB": change(trimmed(45), "silence", "dynamics", "other-content"),
    "padded by zeros, a third": change(padded(0.5), "silence", "dynamics"),
    "padded by zeros, two thirds": change(padded(2.0), "silence", "dynamics"),
    "padded by faint noise, half": change(padded(1.0, -75), "silence", "dynamics"),
    "broken off, half of the clips": change(broken_off(0.5), "silence", "dynamics"),
    "dropouts, 15 %": change(lost(0.15, 0.06), "dynamics", "silence"),
    "dropouts, 40 %": change(lost(0.4, 0.2), "dynamics", "silence"),
    "telephone, and noise of 20 dB": change(chain(telephone, noisy(20)), "band-limit", "added-noise"),
    "narrow band, and noise of 10 dB": change(chain(band_limited(0.5), noisy(10)), "band-limit", "added-noise"),
    "five classes of ten": change(None, *_CONTENT, classes=5),
    "two other classes of ten": change(None, *_CONTENT, classes=2),
}
"""Sixty-nine changes, most of them at two strengths."""
