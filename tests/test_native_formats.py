"""A profile counts the native formats of its recordings: exactly, in any order, and apart from what identifies it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import spectronorm as sn
from monitored import clips, training
from spectronorm.audio import Limits, Reader, Source, long_clip
from spectronorm.audio.decoding.bit_depth import bits_of
from spectronorm.audio.native_format import NativeFormat
from spectronorm.cli.app import app
from spectronorm.engines import ProcessEngine, ThreadEngine
from spectronorm.errors import FileFormatError
from spectronorm.monitor import measure_new, update
from spectronorm.profile import FormatCounts
from spectronorm.storage import container

FRONT_END = sn.FrontEnd(16_000, bands=sn.Mel(8))
FILES = [
    ("a.wav", 16_000, 1, "PCM_16"),
    ("b.wav", 44_100, 2, "PCM_24"),
    ("c.flac", 44_100, 1, "PCM_24"),
    ("d.wav", 8_000, 1, "FLOAT"),
    ("e.ogg", 16_000, 1, "VORBIS"),
    ("f.mp3", 16_000, 2, "MPEG_LAYER_III"),
    ("g.wav", 16_000, 1, "PCM_U8"),
    ("h.au", 8_000, 1, "ULAW"),
]
TRUTH = {
    "sample_rate": {8_000: 2, 16_000: 4, 44_100: 2},
    "channels": {1: 6, 2: 2},
    "bits": {0: 2, 8: 2, 16: 1, 24: 2, 32: 1},
}
FORMATS = st.builds(
    NativeFormat, st.sampled_from([8_000, 16_000, 44_100]), st.integers(1, 3), st.sampled_from([0, 16, 24])
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("formats") / "sounds"
    place.mkdir()
    for seed, (name, rate, channels, encoding) in enumerate(FILES):
        noise = np.random.default_rng(seed).normal(0, 0.1, (rate, channels))
        soundfile.write(place / name, noise, rate, subtype=encoding)
    return place


def of_folder(folder: Path, reader: Reader | None = None) -> Source:
    return sn.open_source(folder, reader)


def test_each_recording_is_counted_as_it_is_stored(folder: Path) -> None:
    """Rate, channels and bits are those of the files, and bits are 0 where the encoding has none."""
    profile = sn.fit(folder, FRONT_END)
    assert profile.formats == TRUTH
    assert profile.total.formats.clips == profile.clips == len(FILES)


READINGS: dict[str, Callable[[Path], sn.Profile]] = {
    "processes": lambda folder: sn.fit(folder, FRONT_END, engine=ProcessEngine(2)),
    "untrusted": lambda folder: sn.fit(of_folder(folder, Reader(untrusted=Limits())), FRONT_END),
    "stack": lambda folder: sn.fit(folder, FRONT_END, channels="each"),
    "windows": lambda folder: sn.fit(folder, FRONT_END, window=0.5),
    "untrusted windows": lambda folder: sn.fit(
        of_folder(folder, Reader(untrusted=Limits())), FRONT_END, window=0.5, engine=ThreadEngine(1)
    ),
}
CLIPS_OF = {"stack": {1: 6, 2: 4}, "windows": {1: 12, 2: 4}, "untrusted windows": {1: 12, 2: 4}}


@pytest.mark.parametrize("name", READINGS)
def test_every_way_to_read_counts_the_same(folder: Path, name: str) -> None:
    """Other processes, confined decoders, channels as clips and pieces of recordings know the recording's format."""
    profile = READINGS[name](folder)
    assert profile.formats["channels"] == CLIPS_OF.get(name, TRUTH["channels"])
    assert profile.total.formats.clips == profile.clips
    assert set(profile.formats["bits"]) == set(TRUTH["bits"])


def test_long_recordings_are_counted_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A recording that is measured in blocks has the format that it has when it is held."""
    monkeypatch.setattr(long_clip, "SMALL_BYTES", 0)
    monkeypatch.setattr(long_clip, "LONG_SAMPLES", 1_000)
    assert sn.fit(folder, FRONT_END, engine=ThreadEngine(1)).formats == TRUTH


def test_waves_have_a_rate_and_channels_but_no_bits() -> None:
    """Pairs of wave and rate lie in no file, so that only rate and channels are known."""
    noise = np.random.default_rng(0).normal(0, 0.1, (2, 16_000)).astype(np.float32)
    profile = sn.fit([(noise[0], 16_000), (noise, 8_000)], FRONT_END)
    assert profile.formats == {"sample_rate": {8_000: 1, 16_000: 1}, "channels": {1: 1, 2: 1}, "bits": {0: 2}}


def test_levels_have_no_format() -> None:
    """Of levels that were made elsewhere nothing is known, and nothing is claimed."""
    meter = sn.Meter(sn.Levels(bands=4, unit="dB", low=-100, high=50, made_by="here"), "ft")
    meter.add(np.random.default_rng(0).normal(0, 1, (4, 20)))
    assert meter.profile().formats == {}


@given(st.lists(st.lists(FORMATS, max_size=6), max_size=5))
def test_counts_add_in_any_order(parts: list[list[NativeFormat]]) -> None:
    """The sum of parts is the count of all, however the parts are ordered and grouped."""
    counts = [FormatCounts.of(part) for part in parts]
    whole = FormatCounts.of(one for part in parts for one in part)
    assert FormatCounts.sum(counts) == FormatCounts.sum(reversed(counts)) == whole
    assert sum(counts, FormatCounts()) == whole
    for name in ("sample_rate", "channels", "bits"):
        assert sum(whole.by(name).values()) == whole.clips == sum(map(len, parts))


def test_parts_of_a_source_add_to_the_whole(folder: Path, tmp_path: Path) -> None:
    """Sums of profiles and groups that are left out count as one pass over the clips would; a file keeps all of it."""
    source = of_folder(folder)
    halves = [replace(source, clips=source.clips[start::2]) for start in (0, 1)]
    whole, parts = sn.fit(source, FRONT_END), [sn.fit(half, FRONT_END) for half in halves]
    assert parts[0].formats != whole.formats
    assert sum(parts).formats == (parts[1] + parts[0]).formats == whole.formats
    table = tmp_path / "t.csv"
    rows = "\n".join(f"{folder / name},{number % 2}" for number, (name, *_) in enumerate(FILES))
    table.write_text(f"path,fold\n{rows}\n")
    folds = sn.fit(table, FRONT_END)
    assert folds.without(fold=0).formats == sn.fit(sn.open_source(table).without(fold=0), FRONT_END).formats
    folds.save(tmp_path / "p.safetensors")
    assert sn.Profile.load(tmp_path / "p.safetensors").formats == TRUTH


def test_a_resumed_run_counts_every_clip(folder: Path, tmp_path: Path) -> None:
    """Finished units come from the journal with their formats, and the file has the bytes of an uninterrupted run."""
    good, output = tmp_path / "whole.safetensors", tmp_path / "p.safetensors"
    sn.fit(folder, FRONT_END, output=good)

    def stop(done: int, total: int) -> None:
        if done * 2 >= total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sn.fit(folder, FRONT_END, output=output, engine=ThreadEngine(1), progress=stop)
    assert sn.fit(folder, FRONT_END, output=output).formats == TRUTH
    assert output.read_bytes() == good.read_bytes()


def test_updates_count_the_new_recordings(tmp_path: Path) -> None:
    """Clips that an update adds as a group are counted with their formats; a moved mean changes no count."""
    profile, baseline = training()
    (tmp_path / "new").mkdir()
    for number, wave in enumerate(clips(24, 2)):
        soundfile.write(tmp_path / "new" / f"{number:03d}.wav", wave, 8_000)
    new = measure_new(tmp_path / "new", profile, baseline)
    moved = update(profile, new, force=True).profile
    added = update(profile, new, statistics="mean+std", force=True).profile
    assert moved.total.formats == profile.total.formats
    gained = FormatCounts.of([NativeFormat(8_000, 1, 16)] * 24)
    assert added.total.formats == profile.total.formats + gained


def test_equal_sounds_in_other_files_are_equal_profiles(folder: Path, tmp_path: Path) -> None:
    """The format identifies nothing: a sound as FLAC is the sound as WAV, and both profiles say which they saw."""
    samples, rate = soundfile.read(folder / "a.wav", dtype="int16")
    soundfile.write(tmp_path / "a.flac", samples, rate, subtype="PCM_16")
    soundfile.write(tmp_path / "a.wav", samples / np.float32(32768), rate, subtype="FLOAT")
    profiles = [sn.fit(tmp_path / name, FRONT_END) for name in ("a.flac", "a.wav")]
    assert profiles[0] == profiles[1] == sn.fit(folder / "a.wav", FRONT_END)
    assert [set(profile.formats["bits"]) for profile in profiles] == [{16}, {32}]


def altered(path: Path, formats: object) -> Path:
    header, tensors = container.load_tensors(path)
    groups = [dict(group) for group in header["groups"]]
    if formats is None:
        del groups[0]["formats"]
    else:
        groups[0]["formats"] = formats
    changed = path.with_name("changed.safetensors")
    container.save_tensors(changed, {**header, "groups": groups}, tensors, overwrite=True)
    return changed


def test_older_profiles_have_no_formats(folder: Path, tmp_path: Path) -> None:
    """A file of an earlier version reads as before, says nothing of formats, and adds to a newer one."""
    path = tmp_path / "p.safetensors"
    newer = sn.fit(folder, FRONT_END, output=path)
    older = sn.Profile.load(altered(path, None))
    assert older == newer
    assert older.formats == {}
    both = older + newer
    assert (both.clips, both.total.formats) == (2 * len(FILES), newer.total.formats)


@pytest.mark.parametrize(
    "formats",
    [
        7,
        [[16_000, 1, 16]],
        [[16_000, 1, 16, 0]],
        [[16_000, 1, 16, 9]],
        [[16_000, 1, 999, 1]],
        [[0, 1, 16, 1]],
        [[16_000, True, 16, 1]],
        [[16_000, 1, 16, 1], [8_000, 1, 16, 1]],
        [[16_000, 1, 16, 1], [16_000, 1, 16, 1]],
        [[8_000, 1, 16, 5], [16_000, 1, 16, 5]],
        [[16_000, 1, 16, 1.0]],
        [None],
    ],
)
def test_formats_that_no_measurement_gives_are_refused(folder: Path, tmp_path: Path, formats: object) -> None:
    """Counts that contradict the clips, are out of order or are no numbers are damage."""
    path = tmp_path / "p.safetensors"
    sn.fit(folder, FRONT_END, output=path)
    with pytest.raises(FileFormatError, match="format"):
        sn.Profile.load(altered(path, formats))


def test_commands_say_the_formats(folder: Path, tmp_path: Path) -> None:
    """`fit` tells mixed rates with counts, `show` all formats as text and JSON, and a notebook the rates."""
    path = str(tmp_path / "p.safetensors")
    done = CliRunner().invoke(app, ["fit", str(folder), "-o", path, "--sample-rate", "16000"])
    told = " ".join(done.output.split())
    assert "sample rates are mixed: of 8 clips, 2 at 8000 Hz, 4 at 16000 Hz, 2 at 44100 Hz" in told
    shown = " ".join(CliRunner().invoke(app, ["show", path]).output.split())
    assert "recorded with 8000 (2), 16000 (4), 44100 (2) Hz, 1 (6), 2 (2) channels, unknown (2), 8 (2), 16 (1)" in shown
    plain = json.loads(CliRunner().invoke(app, ["show", path, "--json"]).stdout)
    assert plain["formats"]["sample_rate"] == {"8000": 2, "16000": 4, "44100": 2}
    assert "8000 … 44100 Hz" in sn.Profile.load(path)._repr_html_()
    one = str(tmp_path / "one.safetensors")
    done = CliRunner().invoke(app, ["fit", str(folder / "a.wav"), "-o", one, "--sample-rate", "16000"])
    assert "mixed" not in done.output
    assert "recorded with 16000 Hz, 1 channel, 16 bits" in " ".join(
        CliRunner().invoke(app, ["show", one]).output.split()
    )


@pytest.mark.parametrize(
    ("name", "bits"),
    [
        ("PCM_16", 16),
        ("ALAC_20", 20),
        ("pcm_s24be", 24),
        ("pcm_f32le", 32),
        ("pcm_u8", 8),
        ("aac", 0),
        ("alac", 0),
        ("", 0),
    ],
)
def test_names_of_encodings_say_their_bits(name: str, bits: int) -> None:
    """Names of libsndfile's and FFmpeg's encodings give the bits that a file stores."""
    assert bits_of(name) == bits
