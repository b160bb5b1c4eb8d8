"""Pieces of recordings: sections and channels that tables name, read as if they had been cut into files beforehand."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

import spectronorm as sn
from spectronorm.audio.decoding.decode import decode_descriptor
from spectronorm.audio.places.reference import Span, piece_name
from spectronorm.errors import BadAudioReason, SourceError
from spectronorm.profile import storage

RATE = 8000
FRONT_END = sn.FrontEnd(sample_rate=RATE, bands=sn.Mel(16))
FORMATS = {"wav": "PCM_16", "flac": "PCM_16", "ogg": "VORBIS", "mp3": "MPEG_LAYER_III"}
SPANS = ((0.0, 1.0), (0.5, 1.7501), (1.7501, 2.0), (3.0, 5.9), (5.2, None))


def sound(seconds: float = 6.0, rate: int = RATE, channels: int = 1, seed: int = 0) -> np.ndarray:
    """Noise whose loudness changes all the time, so that every section differs."""
    wave = np.random.default_rng(seed).standard_normal((round(seconds * rate), channels))
    return (0.2 * np.linspace(0.05, 1, len(wave))[:, None] * wave).clip(-1, 1)


def write(path: Path, samples: np.ndarray, rate: int = RATE) -> Path:
    soundfile.write(path, samples, rate, subtype=FORMATS[path.suffix[1:]])
    return path


def table(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        made = csv.DictWriter(file, list(rows[0]), delimiter="\t" if path.suffix == ".tsv" else ",")
        made.writeheader()
        made.writerows(rows)
    return path


def cut(recording: Path, spans: Iterable[tuple[float, float | None]], folder: Path) -> Path:
    """The sections as float WAV files of the decoded samples, which is what pieces promise to equal."""
    decoded = decode_descriptor(os.open(recording, os.O_RDONLY))
    samples, rate = decoded.samples, decoded.sample_rate
    folder.mkdir()
    for i, (start, end) in enumerate(spans):
        stop = len(samples) if end is None else round(end * rate)
        soundfile.write(folder / f"{i}.wav", samples[round(start * rate) : stop], rate, subtype="FLOAT")
    return folder


def tensors(profile: sn.Profile) -> dict[str, bytes]:
    _, found = storage.contents(profile.front_end, profile.groups, storage.Notes((), (), None, "", False, ()))
    return {name: value.tobytes() for name, value in found.items()}


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("rate", [RATE, 11025])
def test_a_fit_over_pieces_is_a_fit_over_files_cut_beforehand(suffix: str, rate: int, tmp_path: Path) -> None:
    """Byte for byte in the tensors: sections are cut at the file's own rate, before resampling."""
    recording = write(tmp_path / f"r.{suffix}", sound(rate=rate, channels=2), rate)
    rows = [{"path": recording.name, "start": a, "end": "" if b is None else b} for a, b in SPANS]
    pieces = sn.fit(table(tmp_path / "t.csv", rows), FRONT_END)
    files = sn.fit(cut(recording, SPANS, tmp_path / "cut"), FRONT_END)
    assert tensors(pieces) == tensors(files)
    assert pieces.clips == len(SPANS)


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_piece_has_one_channel_of_the_recording(suffix: str, tmp_path: Path) -> None:
    """A row with a channel is that channel of its section, whatever is done with the channels of others."""
    recording = write(tmp_path / f"r.{suffix}", sound(channels=2))
    rows = [{"path": recording.name, "start": 1, "end": 2, "channel": channel} for channel in (0, 1)]
    source = sn.open_source(table(tmp_path / "t.csv", rows))
    assert [clip.name for clip in source] == [f"r/0001.000-0002.000.{suffix}#{channel}" for channel in (0, 1)]
    for channel, clip in enumerate(source):
        whole = sn.read(recording, RATE, channels=channel)
        assert np.array_equal(source.reader.read(clip, RATE).samples, whole[RATE : 2 * RATE])


def test_pieces_know_their_recording(tmp_path: Path) -> None:
    """The column `recording` is set for every row of a table of pieces, and kept if the table has it."""
    for name in ("a.wav", "b.wav"):
        write(tmp_path / name, sound())
    rows = [{"path": "a.wav", "start": 0, "end": 1}, {"path": "a.wav", "start": 2, "end": 3}, {"path": "b.wav"}]
    source = sn.open_source(table(tmp_path / "t.csv", rows))
    assert [clip.recording for clip in source] == ["a.wav", "a.wav", "b.wav"]
    assert source.values("recording") == ("a.wav", "b.wav")
    own = sn.open_source(table(tmp_path / "u.csv", [{**row, "recording": "night"} for row in rows]))
    assert own.values("recording") == ("night",)


COLUMNS: Mapping[str, Mapping[str, object]] = {
    "start-end": {"start": 1, "end": 2.5},
    "start-duration": {"start": 1, "duration": 1.5},
    "offset-duration": {"offset": 1, "duration": 1.5},
    "onset-offset": {"onset": 1, "offset": 2.5},
    "all": {"start": 1, "end": 2.5, "duration": 1.5},
}


@pytest.mark.parametrize("columns", COLUMNS.values(), ids=COLUMNS)
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_tables_name_sections_by_these_columns(suffix: str, columns: Mapping[str, object], tmp_path: Path) -> None:
    """Comma, tab, JSON Lines and Parquet tables mean the same by the same columns."""
    recording = write(tmp_path / "r.wav", sound())
    row = {"path": recording.name, **columns, "label": "owl"}
    path = tmp_path / f"t{suffix}"
    if suffix == ".jsonl":
        path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    elif suffix == ".parquet":
        pytest.importorskip("pyarrow.parquet").write_table(
            pytest.importorskip("pyarrow").Table.from_pylist([row]), path
        )
    else:
        table(path, [row])
    (clip,) = sn.open_source(path)
    assert clip.span == Span(1.0, 2.5)
    assert clip.columns["label"] == "owl"


def test_a_duration_alone_is_a_column_like_any_other(tmp_path: Path) -> None:
    """Tables of whole files often tell how long they are."""
    write(tmp_path / "r.wav", sound())
    (clip,) = sn.open_source(table(tmp_path / "t.csv", [{"path": "r.wav", "duration": 2, "channel": "left"}]))
    assert not clip.is_piece
    assert clip.columns == {"duration": "2", "channel": "left"}


BAD_SPANS: Mapping[str, tuple[Mapping[str, object], BadAudioReason]] = {
    "reversed": ({"start": 3, "end": 2}, BadAudioReason.SPAN),
    "empty": ({"start": 3, "end": 3}, BadAudioReason.SPAN),
    "shorter than a sample": ({"start": 3, "end": 3.00001}, BadAudioReason.SPAN),
    "negative": ({"start": -1, "end": 2}, BadAudioReason.SPAN),
    "negative duration": ({"start": 1, "duration": -2}, BadAudioReason.SPAN),
    "NaN": ({"start": "nan", "end": 2}, BadAudioReason.SPAN),
    "NaN end": ({"start": 1, "end": "NaN"}, BadAudioReason.SPAN),
    "infinite": ({"start": 1, "end": "inf"}, BadAudioReason.SPAN),
    "huge": ({"start": 1e300, "end": 2e300}, BadAudioReason.SPAN),
    "behind the end": ({"start": 7, "end": 8}, BadAudioReason.SPAN),
    "at the end": ({"start": 6}, BadAudioReason.SPAN),
    "beyond the end": ({"start": 5, "end": 6.5}, BadAudioReason.TRUNCATED),
    "missing file": ({"path": "none.wav", "start": 1, "end": 2}, BadAudioReason.MISSING),
    "no such channel": ({"start": 1, "end": 2, "channel": 2}, BadAudioReason.CHANNELS),
    "negative channel": ({"start": 1, "end": 2, "channel": -1}, BadAudioReason.CHANNELS),
}


@pytest.mark.parametrize("case", BAD_SPANS)
@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("untrusted", [False, True])
def test_a_bad_piece_is_listed_and_the_others_are_measured(
    untrusted: bool, suffix: str, case: str, tmp_path: Path
) -> None:
    """One wrong row of a table has a reason of its own in the profile; it stops nothing."""
    write(tmp_path / f"r.{suffix}", sound(channels=2))
    row, reason = BAD_SPANS[case]
    if untrusted and suffix not in ("wav", "ogg"):
        pytest.skip("one plain and one other format show it")
    rows = [{"path": f"r.{suffix}", "start": 0, "end": 1}, {"path": f"r.{suffix}", **row}]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    reader = sn.audio.Reader(untrusted=sn.audio.Limits() if untrusted else None)
    profile = sn.fit(sn.open_source(tmp_path / "t.jsonl", reader), FRONT_END, max_bad=0.5)
    assert profile.clips == 1
    assert [bad.reason for bad in profile.bad] == [reason]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"start": "one", "end": 2}, "row 2 has start='one'"),
        ({"start": "0:01", "end": "0:02"}, "no number of seconds"),
        ({"start": 1, "onset": 1}, "start and onset"),
        ({"start": 1, "offset": 1}, "start and offset"),
        ({"start": 1, "end": 3, "duration": 1}, "duration"),
        ({"start_time": 1, "end_time": 3}, "not clear"),
        ({"start": 1, "stop": 16000}, "not clear"),
    ],
)
def test_a_table_that_is_not_clear_is_refused(row: Mapping[str, object], words: str, tmp_path: Path) -> None:
    """Columns that may mean several things are named, not guessed."""
    write(tmp_path / "r.wav", sound())
    with pytest.raises(SourceError, match=words):
        sn.open_source(table(tmp_path / "t.csv", [{"path": "r.wav", **row}]))


@given(st.floats(0, 1e5), st.floats(0, 1e5))
def test_different_sections_have_different_names(one: float, other: float) -> None:
    """Names tell sections apart that differ by a sample at any rate, and stay as short as they can."""
    assert (piece_name("r.wav", Span(one)) == piece_name("r.wav", Span(other))) is (f"{one:.7f}" == f"{other:.7f}")


def test_a_section_may_reach_one_sample_beyond_the_end(tmp_path: Path) -> None:
    """Tables hold rounded seconds."""
    write(tmp_path / "r.wav", sound())
    source = sn.open_source(table(tmp_path / "t.csv", [{"path": "r.wav", "start": 5, "end": 6 + 1 / RATE}]))
    assert len(source.reader.read(source.clips[0], RATE).samples) == RATE
