"""Clips that are too long to be held: the integers of holding them, in memory that does not grow with them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

import spectronorm as sn
from spectronorm.audio import long_clip
from spectronorm.passes import measure

RATE = 8_000
LEVELS = {
    "as recorded": sn.waveform.AsRecorded(),
    "standardized": sn.waveform.StandardizeWaveform(),
    "scaled": sn.waveform.ScaleWaveform(32768.0),
    "peak": sn.waveform.PeakLevel(-3.0),
    "rms": sn.waveform.RMSLevel(-20.0),
}


def front_end(level: object = None, **settings: object) -> sn.FrontEnd:
    """A small front end."""
    stft = sn.STFT(**{"n_fft": 256, "hop_length": 16, **settings})
    return sn.FrontEnd(
        RATE, level=level or sn.waveform.AsRecorded(), stft=stft, bands=sn.Mel(20), compress=sn.Decibel(ref=1e9)
    )


@pytest.fixture
def everything_is_long(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Call it, and every clip is streamed, in blocks that are small beside it."""

    def call() -> None:
        from spectronorm.audio.decoding import decode  # noqa: PLC0415

        monkeypatch.setattr(long_clip, "SMALL_BYTES", 0)
        monkeypatch.setattr(long_clip, "LONG_SAMPLES", 250)
        monkeypatch.setattr(decode, "_STREAMED_SAMPLES", 30_011)

    return call


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Clips of a few stretches of 4096 frames: another rate, two channels, compressed, quiet, flat, too short."""
    rng = np.random.default_rng(0)
    place = tmp_path / "clips"
    place.mkdir()

    def noise(samples: int) -> np.ndarray:
        swell = 0.1 + np.sin(np.arange(samples) / 5000.0) ** 2
        return 0.2 * swell * rng.standard_normal(samples).clip(-4, 4) + 0.01

    soundfile.write(place / "same-rate.wav", noise(150_000), RATE)
    soundfile.write(place / "float.wav", noise(4096 * 16 * 2), RATE, subtype="FLOAT")
    soundfile.write(place / "resampled.flac", noise(400_000), 22_050)
    soundfile.write(place / "stereo.wav", np.stack([noise(200_000), noise(200_000)], axis=1), 11_025)
    soundfile.write(place / "vorbis.ogg", noise(300_000), 16_000)
    soundfile.write(place / "silent.wav", np.zeros(90_000), RATE)
    soundfile.write(place / "constant.wav", np.full(90_000, 0.25), RATE)
    soundfile.write(place / "short.wav", noise(1_100)[:200], RATE)
    return place


@pytest.mark.parametrize("level", LEVELS)
def test_streaming_gives_the_integers_of_holding_the_clip(
    level: str, folder: Path, everything_is_long: Callable[[], None]
) -> None:
    """Every level that can be streamed, every kind of file: the same profile, flat and bad files included."""
    chosen = front_end(LEVELS[level])
    held = sn.fit(folder, chosen, max_bad=0.5)
    everything_is_long()
    assert sn.fit(folder, chosen, max_bad=0.5) == held
    assert held.total.flat == 2
    assert [bad.path for bad in held.bad] == ["short.wav"]


@pytest.mark.parametrize(
    "settings",
    [
        {"center": False},
        {"pad_mode": "constant"},
        {"pad_mode": "edge"},
        {"pad_mode": "symmetric"},
        {"frame_count": "round", "hop_length": 50, "pad_mode": "symmetric"},
        {"frame_count": "round", "hop_length": 63},
        {"frame_count": "floor"},
        {"frame_count": "ceil", "center": False},
        {"win_length": 200, "frame_by": "win_length"},
        {"hop_length": 300, "win_length": 200},
        {"hop_length": 16, "preemphasis": 0.97, "remove_dc_offset": True},
    ],
)
def test_frames_at_both_ends_are_those_of_the_whole_clip(
    settings: dict[str, object], folder: Path, everything_is_long: Callable[[], None]
) -> None:
    """Padding of each kind, frames counted in each way, steps wider than the window."""
    chosen = front_end(**settings)
    held = sn.fit(folder, chosen, max_bad=0.5)
    everything_is_long()
    assert sn.fit(folder, chosen, max_bad=0.5) == held


@pytest.mark.parametrize("duration", [3.0, 0.9, 60.0])
def test_a_long_clip_is_cropped_where_a_held_one_is(
    duration: float, folder: Path, everything_is_long: Callable[[], None]
) -> None:
    """`duration` counts samples after resampling, and a flat beginning is flat."""
    held = sn.fit(folder, front_end(), duration=duration, max_bad=0.5)
    everything_is_long()
    assert sn.fit(folder, front_end(), duration=duration, max_bad=0.5) == held


def test_archives_resumed_passes_and_flat_clips_left_out(
    folder: Path, tmp_path: Path, everything_is_long: Callable[[], None]
) -> None:
    """Members of a zip stream, too; with a journal the bytes are the same; `skip_flat` leaves them out as before."""
    archive = shutil.make_archive(str(tmp_path / "clips"), "zip", folder)
    sources = [sn.open_source(archive), sn.open_source(folder, sn.audio.Reader(skip_flat=True))]
    held = [sn.fit(source, front_end(), max_bad=0.5) for source in sources]
    everything_is_long()
    for number, source in enumerate(sources):
        found = sn.fit(source, front_end(), max_bad=0.5, output=tmp_path / f"{number}.safetensors")
        assert found == held[number]


@pytest.mark.parametrize("level", ["as recorded", "standardized"])
def test_held_clips_are_counted_in_pieces(level: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between short and long: read as a whole, counted in pieces, to the same integers."""
    chosen = front_end(LEVELS[level])
    whole = sn.fit(folder, chosen, max_bad=0.5)
    monkeypatch.setattr(measure, "_SAMPLES_AT_ONCE", 1000)
    monkeypatch.setattr(measure, "_SAMPLES_AHEAD", 40_000)
    assert sn.fit(folder, chosen, max_bad=0.5) == whole


def test_bad_long_files_have_the_reasons_of_held_ones(tmp_path: Path, everything_is_long: Callable[[], None]) -> None:
    """Truncated, without samples, not finite, out of range: found by the end at the latest, and nothing is counted."""
    place = tmp_path / "bad"
    place.mkdir()
    wave = np.random.default_rng(0).standard_normal(100_000).astype(np.float32) * 0.1
    soundfile.write(place / "good.wav", wave, RATE)
    soundfile.write(place / "cut.wav", wave, RATE)
    data = (place / "cut.wav").read_bytes()
    (place / "cut.wav").write_bytes(data[:-50_000])
    late = wave.copy()
    late[90_000] = np.nan
    soundfile.write(place / "nan.wav", late, RATE, subtype="FLOAT")
    late[90_000] = 30.0
    soundfile.write(place / "loud.wav", late, RATE, subtype="FLOAT")
    held = sn.fit(place, front_end(), max_bad=0.8)
    assert {bad.path: bad.reason.value for bad in held.bad} == {
        "cut.wav": "truncated",
        "nan.wav": "not-finite",
        "loud.wav": "out-of-range",
    }
    everything_is_long()
    assert sn.fit(place, front_end(), max_bad=0.8) == held


def test_what_cannot_be_streamed_is_held(folder: Path, everything_is_long: Callable[[], None]) -> None:
    """A compression or level that looks at its whole clip, and untrusted files: as before."""
    whole = [
        sn.FrontEnd(RATE, compress=sn.PCEN()),
        sn.FrontEnd(RATE, compress=sn.Decibel(top_db=80.0)),
        sn.FrontEnd(RATE, level=sn.waveform.PreEmphasis()),
    ]
    held = [sn.fit(folder, chosen, max_bad=0.5) for chosen in whole]
    everything_is_long()
    assert [sn.fit(folder, chosen, max_bad=0.5) for chosen in whole] == held
    untrusted = sn.open_source(folder, sn.audio.Reader(sn.audio.Limits()))
    assert sn.fit(untrusted, front_end(), max_bad=0.5) == sn.fit(folder, front_end(), max_bad=0.5)


def test_a_clip_four_times_as_long_costs_no_more_memory(tmp_path: Path) -> None:
    """The peak of a pass over 20 minutes is that of one over 5, give or take 50 MB; holding it takes 200 MB more."""
    rng = np.random.default_rng(0)
    minute = (0.1 * rng.standard_normal(16_000 * 60)).astype(np.float32)
    peaks = []
    for minutes in (5, 20):
        path = tmp_path / f"{minutes}.wav"
        with soundfile.SoundFile(path, "w", 16_000, 1, "PCM_16") as file:
            for _ in range(minutes):
                file.write(minute)
        code = (
            "import spectronorm as sn, sys\n"
            "profile = sn.fit(sys.argv[1], sn.FrontEnd(16000, bands=sn.Mel(64)), engine=sn.engines.ThreadEngine(1))\n"
            "assert profile.seconds == 60 * float(sys.argv[2])\n"
            "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
        )
        command = [sys.executable, "-c", code, str(path), str(minutes)]
        peaks.append(int(subprocess.run(command, check=True, capture_output=True, text=True).stdout) / 1024)
    assert peaks[1] - peaks[0] < 50
