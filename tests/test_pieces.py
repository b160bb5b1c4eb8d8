"""Pieces of recordings: sections and channels that tables name, read as if they had been cut into files beforehand."""

from __future__ import annotations

import csv
import json
import os
import tarfile
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import example, given
from hypothesis import strategies as st
from typer.testing import CliRunner

import spectronorm as sn
from spectronorm.audio import Windows, release, stamp
from spectronorm.audio.decoding.decode import DecodedBlocks, decode_descriptor
from spectronorm.audio.places.reference import Span, piece_name
from spectronorm.cli.app import app
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
        ({"start": "0:01", "end": "0:02"}, "not a number of seconds"),
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


@pytest.mark.parametrize("suffix", FORMATS)
def test_pieces_share_one_read_and_equal_pieces_read_alone(suffix: str, tmp_path: Path) -> None:
    """Overlapping pieces, in any order, are what each of them is alone."""
    recording = write(tmp_path / f"r.{suffix}", sound(20.0))
    starts = np.random.default_rng(0).uniform(0, 18, 60)
    clip = sn.audio.ClipReference("r", recording)
    pieces = [clip.piece(Span(start, start + length)) for start, length in zip(starts, starts % 2 + 0.1, strict=True)]
    alone = []
    for piece in pieces:
        release()
        alone.append(sn.audio.read_clip(piece, RATE).samples)
    for order in (np.arange(60), np.argsort(starts)):
        together = sn.audio.Reader().read_each([pieces[i] for i in order], RATE)
        assert all(
            np.array_equal(found.clip_or_raise().samples, alone[i]) for i, found in zip(order, together, strict=True)
        )


@pytest.mark.parametrize("suffix", ["ogg", "mp3"])
def test_a_recording_is_decoded_once_for_all_its_pieces(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fit, and spectrograms of each piece: no worker decodes what another has decoded."""
    write(tmp_path / f"r.{suffix}", sound(60.0))
    os.utime(tmp_path / f"r.{suffix}")
    time.sleep(0.15)  # a file that was written to just now is not kept open
    rows = [{"path": f"r.{suffix}", "start": i / 4, "end": i / 4 + 0.5} for i in range(238)]
    source = sn.open_source(table(tmp_path / "t.csv", rows))
    decoded = 0
    blocks = DecodedBlocks.__iter__

    def counted(self: DecodedBlocks) -> Iterator[np.ndarray]:
        for block in blocks(self):
            nonlocal decoded
            decoded += len(block)
            yield block

    monkeypatch.setattr(DecodedBlocks, "__iter__", counted)
    profile = sn.fit(source, FRONT_END, engine=sn.engines.ThreadEngine(2))
    assert decoded == 60 * RATE
    sn.apply(
        source, sn.Pipeline(FRONT_END, sn.Standardize().fit(profile)), tmp_path / "o", engine=sn.engines.ThreadEngine(2)
    )
    assert decoded == 2 * 60 * RATE
    assert sorted(path.name for path in (tmp_path / "o" / "r").iterdir())[0] == "0000.000-0000.500.npy"


def test_a_journal_tells_pieces_and_changed_files_apart(tmp_path: Path) -> None:
    """The stamp of a piece is made of the file's bytes, the section and the channel."""
    path = write(tmp_path / "r.flac", sound(channels=2))
    clip = sn.audio.ClipReference("r.flac", path)
    pieces = [
        clip.piece(Span(1, 2)),
        clip.piece(Span(1, 3)),
        clip.piece(Span(1, 2), 0),
        clip.piece(Span(1, 2), 1),
        clip,
    ]
    stamps = [stamp(piece) for piece in pieces]
    assert len(set(stamps)) == 5
    assert [stamp(piece) for piece in pieces] == stamps
    assert [found.stamp for found in sn.audio.Reader().read_each(pieces, RATE)] == stamps
    write(path, sound(channels=2, seed=1))
    assert not set(stamps) & {stamp(piece) for piece in pieces}


def test_a_file_that_is_replaced_between_two_pieces_is_opened_again(tmp_path: Path) -> None:
    """A recording that is kept open is known by its content, not by its name alone."""
    paths = [write(tmp_path / f"{name}.ogg", sound(seed=seed)) for seed, name in enumerate("rs")]
    time.sleep(0.15)
    clip = sn.audio.ClipReference("r", paths[0]).piece(Span(1, 2))
    first = sn.audio.read_clip(clip, RATE).samples
    want = sn.audio.read_clip(sn.audio.ClipReference("s", paths[1]).piece(Span(1, 2)), RATE).samples
    paths[1].replace(paths[0])
    again = sn.audio.read_clip(clip, RATE).samples
    assert np.array_equal(again, want)
    assert not np.array_equal(again, first)


def test_a_damaged_recording_loses_the_pieces_that_are_damaged(tmp_path: Path) -> None:
    """In a file whose decoder seeks, pieces before and behind the damage are read; in another, none is."""
    for suffix, lost in (("flac", 1), ("ogg", 30)):
        path = write(tmp_path / f"r.{suffix}", sound(30.0))
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 255
        path.write_bytes(data)
        clip = sn.audio.ClipReference("r", path)
        found = sn.audio.Reader().read_each([clip.piece(Span(i, i + 1)) for i in range(30)], RATE)
        bad = [isinstance(one.result, sn.errors.AudioError) for one in found]
        assert lost <= sum(bad) <= lost + 1


def test_long_pieces_are_read_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A piece that is too long to be held is counted in blocks, with the numbers of a held one."""
    write(tmp_path / "r.ogg", sound(60.0, channels=2))
    source = sn.open_source(table(tmp_path / "t.csv", [{"path": "r.ogg", "start": 5, "end": 50, "channel": 1}]))
    held = sn.fit(source, FRONT_END)
    monkeypatch.setattr("spectronorm.audio.long_clip.LONG_SAMPLES", 1 << 14)
    monkeypatch.setattr("spectronorm.audio.long_clip.SMALL_BYTES", 1 << 10)
    assert tensors(sn.fit(source, FRONT_END)) == tensors(held)


@pytest.mark.parametrize("engine", ["threads", "processes", "untrusted", "archive"])
def test_pieces_give_the_same_profile_everywhere(engine: str, tmp_path: Path) -> None:
    """Every engine, a confined decoder, and a member of an archive."""
    write(tmp_path / "r.ogg", sound(channels=2))
    spans = [{"path": "r.ogg", "start": a, "end": "" if b is None else b, "channel": 1} for a, b in SPANS]
    source = sn.open_source(table(tmp_path / "t.csv", spans))
    want = sn.fit(source, FRONT_END)
    if engine == "untrusted":
        found = sn.fit(replace(source, reader=sn.audio.Reader(untrusted=sn.audio.Limits())), FRONT_END)
    elif engine == "archive":
        with tarfile.open(tmp_path / "a.tar", "w") as archive:
            archive.add(tmp_path / "r.ogg", "r.ogg")
        (member,) = sn.open_source(tmp_path / "a.tar")
        pieces = [member.piece(clip.span, clip.channel) for clip in source]
        found = sn.fit(sn.audio.Source.of(pieces), FRONT_END)
    else:
        made = sn.engines.ThreadEngine(2) if engine == "threads" else sn.engines.ProcessEngine(2)
        found = sn.fit(source, FRONT_END, engine=made)
    assert tensors(found) == tensors(want)


def test_a_cache_holds_each_piece(tmp_path: Path) -> None:
    """Entries are told apart by section and channel, and are what reading gives."""
    write(tmp_path / "r.wav", sound(channels=2))
    rows = [{"path": "r.wav", "start": a, "end": a + 1, "channel": c} for a in (0, 2) for c in (0, 1)]
    source = sn.open_source(table(tmp_path / "t.csv", rows))
    data = [
        sn.nn.ClipDataset(source, FRONT_END, duration=1, cache=cache)
        for cache in (None, tmp_path / "c", tmp_path / "c")
    ]
    for plain, new, cached in zip(*data, strict=True):
        assert np.array_equal(plain.wave, new.wave)
        assert np.array_equal(plain.wave, cached.wave)
    assert len(list((tmp_path / "c").rglob("*.npy"))) == 4


def test_outputs_of_pieces_have_names_of_their_own(tmp_path: Path) -> None:
    """Images and sounds made from them lie in a folder of the recording's name."""
    write(tmp_path / "r.flac", sound(channels=2))
    rows = [{"path": "r.flac", "start": a, "end": a + 0.5, "channel": c} for a in (0, 0.25) for c in (0, 1)]
    source = sn.open_source(table(tmp_path / "t.csv", rows))
    codec = sn.images.ImageCodec(FRONT_END, sn.images.LevelRange.fixed_db(FRONT_END, -100, 0))
    sn.images.export(source, codec, tmp_path / "i")
    made = sorted(path.relative_to(tmp_path / "i").as_posix() for path in (tmp_path / "i" / "r").iterdir())
    assert len(made) == 4
    assert made[0] == "r/0000.000-0000.500.flac#0.png"
    sn.sounds.export(tmp_path / "i", tmp_path / "s")
    assert len(list((tmp_path / "s" / "r").iterdir())) == 4


def spans(source: sn.audio.Source) -> list[tuple[float, float | None]]:
    return [(clip.span.start, clip.span.end) for clip in source if clip.span is not None]


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize(
    ("seconds", "windows", "expected"),
    [
        (6.0, Windows(2), [(0, 2), (2, 4), (4, 6)]),
        (7.0, Windows(3, 1), [(0, 3), (2, 5), (4, 7)]),
        (7.5, Windows(3, 1), [(0, 3), (2, 5), (4, 7), (6, None)]),
        (7.5, Windows(3, 1, "keep"), [(0, 3), (2, 5), (4, 7), (6, None)]),
        (7.5, Windows(3, 1, "drop"), [(0, 3), (2, 5), (4, 7)]),
        (2.0, Windows(3), [(0, None)]),
    ],
)
def test_windows_cover_a_recording(
    suffix: str, seconds: float, windows: Windows, expected: list[tuple[float, float | None]], tmp_path: Path
) -> None:
    """Each sample is in a window, unless the last one is dropped; no window has only what others have."""
    write(tmp_path / f"r.{suffix}", sound(seconds))
    source = windows.cut(sn.open_source(tmp_path))
    assert spans(source) == expected
    assert {clip.recording for clip in source} == {f"r.{suffix}"}
    assert not sn.fit(source, FRONT_END).bad


@given(
    st.integers(1, 60_000),
    st.floats(0.01, 3),
    st.floats(0, 0.95),
    st.sampled_from(["pad", "keep", "drop"]),
    st.booleans(),
)
@example(5788, 0.01, 0.01, "pad", True)  # an overlap of 0.8 samples
def test_windows_leave_out_nothing_and_repeat_only_the_overlap(
    samples: int, window: float, share: float, last: str, inside: bool
) -> None:
    """The law for any length: the windows that are kept or padded cover every sample from the beginning on."""
    path = Path(tempfile.mkdtemp()) / "r.wav"
    soundfile.write(path, np.full(samples, 0.1), RATE)
    made = Windows(window, window * share, last)
    clip = sn.audio.ClipReference("r.wav", path)
    first = 0
    if inside and samples > 10:
        clip, first = clip.piece(Span(5 / RATE)), 5
    try:
        source = made.cut(sn.audio.Source.of([clip]))
    except SourceError:
        assert last == "drop"
        assert samples - first < round(window * RATE) + 1
        return
    frames = [clip.span.rounded(RATE) for clip in source if clip.span is not None]
    covered = np.zeros(samples, int)
    for start, stop in frames:
        assert not covered[start:stop].all()
        covered[start:stop] += 1
        assert stop is None or abs(stop - start - window * RATE) <= 1
    assert covered[:first].sum() == 0
    assert last == "drop" or covered[first:].all()


def test_passes_cut_windows(tmp_path: Path) -> None:
    """Profile, spectrograms, images and data set of windows are those of a table with the same pieces."""
    write(tmp_path / "r.ogg", sound(7.5))
    rows = [{"path": "r.ogg", "start": a, "end": "" if a == 6 else a + 3} for a in (0, 2, 4, 6)]
    listed = table(tmp_path / "t.csv", rows)
    windows: dict[str, Any] = {"window": 3, "overlap": 1}
    profile = sn.fit(tmp_path / "r.ogg", FRONT_END, **windows)
    assert tensors(profile) == tensors(sn.fit(listed, FRONT_END, duration=3))
    assert profile.duration == 3
    pipeline = sn.Pipeline(FRONT_END, sn.Standardize().fit(profile))
    sn.apply(tmp_path / "r.ogg", pipeline, tmp_path / "a", **windows)
    sn.apply(listed, pipeline, tmp_path / "b", duration=3)
    names = sorted(path.name for path in (tmp_path / "a" / "r").iterdir())
    assert len(names) == 4
    for name in names:
        a, b = (np.load(tmp_path / folder / "r" / name) for folder in "ab")
        assert np.array_equal(a, b)
        assert a.shape == (16, FRONT_END.frames(3 * RATE))
    codec = sn.images.ImageCodec(FRONT_END, sn.images.LevelRange.fixed_db(FRONT_END, -100, 0))
    assert sn.images.export(tmp_path / "r.ogg", codec, tmp_path / "i", **windows).written == 4
    data = sn.nn.ClipDataset(tmp_path / "r.ogg", FRONT_END, **windows)
    assert [tuple(item.wave.shape) for item in data] == [(3 * RATE,)] * 4
    assert [int(item.length) for item in data] == [24000, 24000, 24000, 12000]


def test_windows_are_cut_by_the_commands(tmp_path: Path) -> None:
    """`fit`, `apply` and `images` take the same options, and name what contradicts them."""
    write(tmp_path / "r.wav", sound(7.5))
    run = CliRunner()
    front = ["--sample-rate", str(RATE)]
    cut = ["--window", "3", "--overlap", "1", "--last", "drop"]
    profile = tmp_path / "p.safetensors"
    done = run.invoke(app, ["fit", str(tmp_path / "r.wav"), "-o", str(profile), *front, *cut, "--json"])
    assert done.exit_code == 0, done.output
    assert sn.Profile.load(profile).clips == 3
    for command in (["apply", "--normalize", "band"], ["images"]):
        out = tmp_path / command[0]
        words = [command[0], str(tmp_path / "r.wav"), "-p", str(profile), *command[1:], "-o", str(out), *cut]
        done = run.invoke(app, words)
        assert done.exit_code == 0, done.output
        assert len(list((out / "r").iterdir())) == 3
    for wrong in (
        ["--overlap", "1"],
        ["--window", "1", "--overlap", "1"],
        ["--window", "1", "--last", "mend"],
        ["--last", "drop"],
        ["--window", "9", "--last", "drop"],
        ["--window", "1", "--duration", "1"],
    ):
        done = run.invoke(app, ["fit", str(tmp_path / "r.wav"), "-o", str(tmp_path / "q.safetensors"), *front, *wrong])
        assert done.exit_code in (1, 2), wrong
        assert not (tmp_path / "q.safetensors").exists()


def test_check_names_recordings_on_both_sides(tmp_path: Path) -> None:
    """Pieces of one recording in two folds are no copies, but a leak all the same."""
    for name in ("a.wav", "b.wav"):
        write(tmp_path / name, sound(seed=ord(name[0])))
    rows = [
        {"path": name, "start": i, "end": i + 1, "fold": i % 2 if name == "a.wav" else 1}
        for name in ("a.wav", "b.wav")
        for i in range(4)
    ]
    source = sn.open_source(table(tmp_path / "t.csv", rows))
    profile = sn.fit(source, FRONT_END)
    for held_out in ({"fold": 1}, None):
        found = sn.check(profile, source, hold_out=held_out)
        assert found.split == ("a.wav",)
        assert not found.leaks or held_out is None
    profile.save(tmp_path / "p.safetensors")
    done = CliRunner().invoke(
        app, ["check", str(tmp_path / "p.safetensors"), str(tmp_path / "t.csv"), "--hold-out", "fold=1"]
    )
    assert "1 recording has pieces on both sides" in done.output
    windows = ["--window", "1"]
    done = CliRunner().invoke(
        app, ["check", str(tmp_path / "p.safetensors"), str(tmp_path / "b.wav"), "--json", *windows]
    )
    assert json.loads(done.stdout)["checked"] == 6
    assert len(json.loads(done.stdout)["leaks"]) == 4


@pytest.mark.parametrize("suffix", ["flac", "ogg"])
def test_untrusted_pieces_are_those_that_are_read_here(suffix: str, tmp_path: Path) -> None:
    """The confined decoder keeps a recording open from request to request, and knows when it was replaced."""
    clip = sn.audio.ClipReference("r", tmp_path / f"r.{suffix}")
    pieces = [clip.piece(Span(i / 4, i / 4 + 0.6)) for i in range(40)]
    confined = sn.audio.Reader(untrusted=sn.audio.Limits())
    for seed in range(2):
        write(tmp_path / f"r.{suffix}", sound(12.0, seed=seed))
        time.sleep(0.15)
        for here, there in zip(
            sn.audio.Reader().read_each(pieces, RATE), confined.read_each(pieces, RATE), strict=True
        ):
            assert np.array_equal(here.clip_or_raise().samples, there.clip_or_raise().samples)
            assert here.stamp == there.stamp
