"""Audio of every kind is read as mono float32 at the asked rate, or refused with a reason."""

from __future__ import annotations

import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

import spectronorm as sn
from conftest import Write
from spectronorm.audio import random_sample
from spectronorm.errors import BadAudioReason

TONE = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)

ENCODINGS = [
    ("a.wav", "PCM_U8", 0.01),
    ("a.wav", "PCM_16", 1e-4),
    ("a.wav", "PCM_24", 1e-6),
    ("a.wav", "PCM_32", 1e-6),
    ("a.wav", "FLOAT", 1e-6),
    ("a.wav", "DOUBLE", 1e-6),
    ("a.wav", "ULAW", 0.03),
    ("a.flac", "PCM_16", 1e-4),
    ("a.flac", "PCM_24", 1e-6),
    ("a.aiff", "PCM_16", 1e-4),
    ("a.caf", "PCM_16", 1e-4),
    ("a.w64", "PCM_16", 1e-4),
    ("a.au", "PCM_16", 1e-4),
    ("a.ogg", "VORBIS", 0.05),
    ("a.ogg", "OPUS", 0.05),
    ("a.mp3", "MPEG_LAYER_III", 0.05),
]


@pytest.mark.parametrize(("name", "subtype", "tolerance"), ENCODINGS)
def test_every_encoding_comes_out_the_same(name: str, subtype: str, tolerance: float, write: Write) -> None:
    """Whatever the container and depth, a tone of peak 0.5 comes out as float32 with that peak."""
    clip = sn.audio.read_clip(write(name, TONE, subtype=subtype), 16_000)
    assert clip.samples.dtype == np.float32
    middle = slice(4000, 12_000)
    if subtype in ("OPUS", "MPEG_LAYER_III"):  # these delay the signal
        assert abs(np.sqrt(np.mean(clip.samples[middle] ** 2)) - 0.5 / np.sqrt(2)) < tolerance
    else:
        np.testing.assert_allclose(clip.samples[middle], TONE[middle], atol=tolerance)


def test_channels_are_averaged_in_float(write: Write) -> None:
    """Two loud channels average without wrapping, and a stereo 24-bit file at 96 kHz becomes 16 kHz mono."""
    loud = np.full((1000, 2), 30_000, np.int16)
    np.testing.assert_allclose(sn.read(write("loud.wav", loud), 16_000), 30_000 / 32_768)
    t = np.arange(96_000) / 96_000
    stereo = np.stack([np.sin(2 * np.pi * 440 * t), np.zeros_like(t)], axis=1) * 0.8
    clip = sn.audio.read_clip(write("wide.wav", stereo, 96_000, subtype="PCM_24"), 16_000)
    assert clip.length == 16_000
    np.testing.assert_allclose(clip.samples[2000:14_000], 0.8 * TONE[2000:14_000], atol=1e-3)


def test_duration_crops_or_pads_and_remembers(write: Write) -> None:
    """A fixed duration gives exactly that many samples and says how many are real."""
    path = write("tone.wav", TONE)
    short, long = sn.audio.read_clip(path, 16_000, duration=0.25), sn.audio.read_clip(path, 16_000, duration=2.0)
    assert (len(short.samples), short.length) == (4000, 4000)
    assert (len(long.samples), long.length, long.seconds) == (32_000, 16_000, 1.0)
    assert not long.samples[16_000:].any()
    np.testing.assert_array_equal(long.valid, sn.read(path, 16_000))
    with pytest.raises(sn.errors.ArgumentError, match="duration=0"):
        sn.audio.read_clip(path, 16_000, duration=0)


def test_any_legal_file_name_is_read(write: Write, tmp_path: Path) -> None:
    """Spaces, newlines and bytes that are not UTF-8 in a name do no harm."""
    good = write("plain.wav", TONE).read_bytes()
    for name in [b"with space.wav", b"new\nline.wav", b"caf\xe9.wav", "日本.wav".encode(), b"-rf.wav", b"%s{}.wav"]:
        path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
        path.write_bytes(good)
        assert sn.read(path, 16_000).shape == (16_000,)


def bad_file(kind: str, write: Write, tmp_path: Path) -> Path:
    """Make one bad file."""
    good = write("good.wav", TONE).read_bytes()
    path = tmp_path / "bad.wav"
    if kind == "text":
        path.write_text("this is not audio\n" * 50)
    elif kind == "zero bytes":
        path.write_bytes(b"")
    elif kind == "truncated wav":
        path.write_bytes(good[: len(good) * 6 // 10])
    elif kind == "truncated ogg":
        ogg = write("good.ogg", np.tile(TONE, 20)).read_bytes()
        path.write_bytes(ogg[: len(ogg) // 2])
    elif kind == "truncated flac":
        flac = write("good.flac", 0.1 * np.random.default_rng(0).standard_normal(50_000)).read_bytes()
        path.write_bytes(flac[: len(flac) // 2])
    elif kind == "header only":
        path.write_bytes(good[:40] + struct.pack("<I", 0))
    elif kind == "NaN":
        return write("bad.wav", np.where(np.arange(16_000) == 5000, np.nan, TONE), subtype="FLOAT")
    elif kind == "infinite":
        return write("bad.wav", np.where(np.arange(16_000) == 5000, np.inf, TONE), subtype="FLOAT")
    elif kind == "1e38":
        return write("bad.wav", np.where(np.arange(16_000) == 5000, 1e38, TONE), subtype="FLOAT")
    elif kind == "int16 in float":
        return write("bad.wav", 32_768 * TONE, subtype="FLOAT")
    elif kind == "4 GHz":
        path.write_bytes(good[:24] + struct.pack("<I", 4_000_000_000) + good[28:])
    elif kind == "1 Hz":
        path.write_bytes(good[:24] + struct.pack("<I", 1) + good[28:])
    elif kind == "directory":
        path.mkdir()
    elif kind == "FIFO":
        os.mkfifo(path)
    elif kind == "dangling link":
        path.symlink_to(tmp_path / "nowhere")
    return path


BAD = {
    "text": BadAudioReason.UNREADABLE,
    "zero bytes": BadAudioReason.EMPTY,
    "truncated wav": BadAudioReason.TRUNCATED,
    "truncated ogg": BadAudioReason.TRUNCATED,
    "truncated flac": BadAudioReason.UNREADABLE,
    "header only": BadAudioReason.EMPTY,
    "NaN": BadAudioReason.NOT_FINITE,
    "infinite": BadAudioReason.NOT_FINITE,
    "1e38": BadAudioReason.OUT_OF_RANGE,
    "int16 in float": BadAudioReason.OUT_OF_RANGE,
    "4 GHz": BadAudioReason.UNREADABLE,
    "1 Hz": BadAudioReason.HEADER_LIES,
    "directory": BadAudioReason.UNREADABLE,
    "FIFO": BadAudioReason.UNREADABLE,
    "dangling link": BadAudioReason.MISSING,
    "missing": BadAudioReason.MISSING,
}


@pytest.mark.parametrize("kind", sorted(BAD))
def test_a_bad_file_has_a_reason(kind: str, write: Write, tmp_path: Path) -> None:
    """Each kind of bad file raises the one error, with its reason, and at once."""
    with pytest.raises(sn.errors.AudioError) as caught:
        sn.read(bad_file(kind, write, tmp_path), 16_000)
    assert caught.value.reason is BAD[kind]
    assert pickle.loads(pickle.dumps(caught.value)).reason is BAD[kind]  # noqa: S301 - our own bytes, just made


def test_a_streamed_wav_is_whole(write: Write, tmp_path: Path) -> None:
    """A WAV written to a pipe, with the largest size in its header, is read as what it holds."""
    good = write("good.wav", TONE).read_bytes()
    path = tmp_path / "streamed.wav"
    path.write_bytes(good[:4] + b"\xff\xff\xff\xff" + good[8:40] + b"\xff\xff\xff\xff" + good[44:])
    assert sn.read(path, 16_000).shape == (16_000,)


class TestSources:
    """Where clips come from, and in which order."""

    def test_a_folder_is_scanned_in_stable_order(self, noise_folder: Path) -> None:
        """Recursively, sorted, with the first folder as the label; other files are left alone."""
        (noise_folder / "notes.txt").write_text("not audio")
        (noise_folder / ".hidden.wav").write_text("not audio either")
        source = sn.open_source(noise_folder)
        names = [clip.name for clip in source]
        assert names == sorted(names)
        assert len(source) == 12
        assert {clip.columns["label"] for clip in source} == {"high", "low"}
        assert list(source) == list(pickle.loads(pickle.dumps(source)))  # noqa: S301 - our own bytes, just made

    def test_links_in_a_circle_end(self, noise_folder: Path) -> None:
        """A link to a folder above is not followed for ever."""
        (noise_folder / "low" / "again").symlink_to(noise_folder)
        assert len(sn.open_source(noise_folder)) == 12

    def test_a_table_carries_its_columns(self, noise_table: Path) -> None:
        """A CSV's columns become the clips' columns, and paths are relative to it."""
        source = sn.open_source(noise_table)
        assert source.column_names() == ["fold", "label", "split"]
        assert len(source.select(fold=1)) == 4
        assert len(source.without(split="test")) == 9
        assert all(clip.path.is_file() for clip in source)

    def test_a_parquet_table_is_the_same(self, noise_table: Path) -> None:
        """Parquet and CSV give the same clips."""
        pyarrow_csv = pytest.importorskip("pyarrow.csv")
        parquet = pytest.importorskip("pyarrow.parquet")
        parquet.write_table(pyarrow_csv.read_csv(noise_table), noise_table.with_suffix(".parquet"))
        assert sn.open_source(noise_table.with_suffix(".parquet")) == sn.open_source(noise_table)

    def test_esc50s_layout_is_known(self, tmp_path: Path) -> None:
        """`audio/` and `meta/esc50.csv` give label and fold."""
        (tmp_path / "audio").mkdir()
        (tmp_path / "meta").mkdir()
        soundfile.write(tmp_path / "audio" / "1-1-A-0.wav", TONE, 16_000)
        (tmp_path / "meta" / "esc50.csv").write_text("filename,fold,target,category\n1-1-A-0.wav,1,0,dog\n")
        (clip,) = sn.open_source(tmp_path)
        assert clip.columns == {"fold": "1", "target": "0", "category": "dog", "label": "dog"}

    def test_one_file_is_a_source(self, write: Write) -> None:
        """A single file needs no folder."""
        assert [clip.name for clip in sn.open_source(write("tone.wav", TONE))] == ["tone.wav"]

    def test_names_never_leave_the_source(self, tmp_path: Path) -> None:
        """Absolute and upward paths in a table give names that stay below, wherever the files lie."""
        (tmp_path / "t.csv").write_text("path\n../../etc/a.wav\n/abs/b.wav\nc\\..\\d.wav\n")
        assert sorted(clip.name for clip in sn.open_source(tmp_path / "t.csv")) == ["b.wav", "c/d.wav", "etc/a.wav"]

    def test_a_random_sample_is_free_of_order(self, noise_table: Path) -> None:
        """The same seed draws the same clips, another one others, and not the first ones."""
        source = sn.open_source(noise_table)
        drawn = random_sample(source, 0.25, seed=1)
        backwards = sn.audio.Source.of(reversed(source.clips))
        assert len(drawn) == 3
        assert random_sample(backwards, 0.25, seed=1) == drawn
        assert len({tuple(c.name for c in random_sample(source, 0.25, seed=seed)) for seed in range(10)}) > 5

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda folder: folder / "missing", "no such file or folder"),
            (lambda folder: folder, "holds no audio"),
            (lambda folder: _text(folder / "a.csv", "file,fold\na.wav,1\n"), "no column path"),
            (lambda folder: _text(folder / "a.csv", "path,fold\n,1\n"), "row 2 has no path"),
            (lambda folder: _text(folder / "a.csv", "path\n"), "holds no audio"),
            (lambda folder: _text(folder / "a.csv", b"path\n\xff\xfe"), "UTF-8"),
            (lambda folder: _text(folder / "a.parquet", "not parquet"), "Parquet"),
            (lambda folder: folder / "a.csv", "no such table"),
        ],
    )
    def test_a_bad_source_is_named(self, make: object, message: str, tmp_path: Path) -> None:
        """What is wrong with a source is said, with its path."""
        path = make(tmp_path)  # type: ignore[operator]
        with pytest.raises(sn.errors.SourceError, match=message):
            sn.open_source(path)


def _text(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path
