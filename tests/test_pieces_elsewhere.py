"""Pieces of recordings in watching, in comparisons and on a cluster: as if they had been cut into files beforehand."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

import spectronorm as sn
from spectronorm.cli.app import app
from spectronorm.monitor import Pcm, Reading, existing, growing_folder, pcm_stream
from spectronorm.monitor.seen_files import SeenFiles
from test_pieces import FRONT_END, RATE, SPANS, cut, sound, table, tensors, write


@pytest.fixture
def pieces(tmp_path: Path) -> Path:
    """A table of sections of one recording in FLAC."""
    recording = write(tmp_path / "r.flac", sound())
    rows = [{"path": recording.name, "start": a, "end": "" if b is None else b} for a, b in SPANS]
    return table(tmp_path / "pieces.csv", rows)


def test_watch_reads_the_sections_of_a_table(pieces: Path, tmp_path: Path) -> None:
    """Each section comes once, with the samples of the file that it would have been cut into."""
    files = cut(tmp_path / "r.flac", SPANS, tmp_path / "cut")
    incoming = {one.name: one.samples for one in existing(pieces, Reading(FRONT_END))}
    beforehand = {one.name: one.samples for one in existing(files, Reading(FRONT_END))}
    assert len(incoming) == len(SPANS)
    for (_, one), (_, other) in zip(sorted(incoming.items()), sorted(beforehand.items()), strict=True):
        assert one is not None
        assert other is not None
        assert np.array_equal(one, other)


def test_a_cluster_measures_sections_as_this_process_does(pieces: Path) -> None:
    """The profile of two Dask workers has the bytes of that of one thread."""
    pytest.importorskip("distributed")
    here = sn.fit(pieces, FRONT_END, engine=sn.engines.ThreadEngine(1))
    with sn.engines.DaskEngine(workers=1) as engine:
        there = sn.fit(pieces, FRONT_END, engine=engine)
    assert tensors(here) == tensors(there)


def test_a_comparison_trains_on_sections_as_on_files(tmp_path: Path) -> None:
    """The profiles of the folds, from which normalizers are fitted, are those of clips in files of their own."""
    pytest.importorskip("torch")
    from tests.experiment_cases import prepared, write_clips  # noqa: PLC0415  (it imports torch)

    files = write_clips(tmp_path / "clips", drowned=False, seed=3, clips=30)
    with files.open(newline="") as listed:
        rows = list(csv.DictReader(listed))
    waves, rates = zip(*(soundfile.read(files.parent / row["path"], dtype="float32") for row in rows), strict=True)
    soundfile.write(tmp_path / "all.wav", np.concatenate(waves), rates[0], subtype="FLOAT")
    ends = np.cumsum([len(wave) for wave in waves]) / rates[0]
    sections = [
        {**row, "path": "all.wav", "start": end - len(wave) / rates[0], "end": end}
        for row, wave, end in zip(rows, waves, ends.tolist(), strict=True)
    ]
    whole = prepared(files, tmp_path / "a")
    cut_on_the_way = prepared(table(tmp_path / "sections.csv", sections), tmp_path / "b")
    assert {profile.clips for profile in cut_on_the_way.profiles.values()} == {len(rows)}
    for name, profile in whole.profiles.items():
        assert tensors(profile) == tensors(cut_on_the_way.profiles[name])


def test_compare_cuts_windows(tmp_path: Path) -> None:
    """`--window` makes two clips of each recording of two windows, and `--duration` beside it is refused."""
    pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    rows = []
    for number in range(12):
        write(tmp_path / f"{number}.wav", 0.1 * (1 + number % 2) * rng.standard_normal(RATE))
        rows.append({"path": f"{number}.wav", "label": "ab"[number % 2], "fold": 1 + number // 4})
    listed = table(tmp_path / "t.csv", rows)
    small = ["--arms", "none,band", "--model", "linear", "--epochs", "1", "--seeds", "1", "--batch-size", "4"]
    command = [
        "compare",
        str(listed),
        "-o",
        str(tmp_path / "out"),
        *small,
        "--sample-rate",
        str(RATE),
        "--n-mels",
        "16",
    ]
    command += ["--n-fft", "256", "--update-classes", "0", "--window", "0.5"]
    refused = CliRunner().invoke(app, [*command, "--duration", "0.5"])
    assert refused.exit_code == 2
    assert "both say how long clips are" in refused.stderr
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.stderr
    assert "24 clips" in done.stdout


@pytest.fixture
def recordings(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A folder of long recordings, a folder of their windows (1 s, sharing half) as files, and a profile of these."""
    long, short = tmp_path / "long", tmp_path / "short"
    long.mkdir()
    short.mkdir()
    rng = np.random.default_rng(5)
    for name, samples in (("a", 4 * RATE), ("b", 8 * RATE + RATE // 4)):
        wave = (0.1 * rng.standard_normal(samples)).astype(np.float32)
        soundfile.write(long / f"{name}.wav", wave, RATE, subtype="FLOAT")
        for number in range(2 * samples // RATE):
            window = wave[number * RATE // 2 :][:RATE]
            if len(window) > RATE // 2:  # a rest that the window before does not hold
                soundfile.write(short / f"{name}{number:02d}.wav", window, RATE, subtype="FLOAT")
    profile = tmp_path / "p.safetensors"
    sn.fit(short, FRONT_END, output=profile)
    return long, short, profile


def watched(arguments: list[str]) -> tuple[list[dict[str, object]], dict[str, object]]:
    """The events without names, and the report, of `watch --once --json`."""
    done = CliRunner().invoke(app, ["watch", *arguments, "--once", "--json", "--seed", "1"])
    assert done.exit_code in (0, 3), done.output
    *events, report = [json.loads(line) for line in done.stdout.splitlines()]
    return [{key: value for key, value in one.items() if key != "name"} for one in events], report["report"]


@pytest.mark.parametrize("window", [["--window", "1", "--overlap", "0.5"], ["--window", "1s", "--overlap", "0.5"]])
def test_watch_cuts_windows_as_fit_does(recordings: tuple[Path, Path, Path], window: list[str]) -> None:
    """A watch of recordings in windows says of each window what a watch of the cut files says, and reports the same."""
    long, short, profile = recordings
    settings = ["-p", str(profile), "--window-clips", "8", "--training"]
    cut_on_the_way = watched([str(long), *window, *settings, str(long)])
    assert len(cut_on_the_way[0]) == len(list(short.iterdir())) == sn.fit(long, FRONT_END, window=1, overlap=0.5).clips
    assert cut_on_the_way == watched([str(short), *settings, str(short)])


def test_a_growing_folder_is_cut_and_its_files_are_seen_once_whole(
    recordings: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    """Each window of a new file comes, the last of them says that the file is done, and a bad file is one bad clip."""
    long, short, _ = recordings
    (long / "c.wav").write_bytes(b"RIFF")
    reading = Reading(FRONT_END, windows=sn.audio.Windows(1, 0.5))
    seen = SeenFiles()
    came = [one for one in growing_folder(long, reading, seen=seen, once=True) if one is not None]
    assert [one.name for one in came if one.problem is not None] == ["c.wav"]
    assert sum(one.mark is not None for one in came) == 3
    heard = sorted(one.samples.tobytes() for one in came if one.samples is not None)
    assert heard == sorted(soundfile.read(path, dtype="float32")[0].tobytes() for path in short.iterdir())
    assert list(growing_folder(long, reading, seen=seen, once=True)) == [None]
    growing = growing_folder(long, reading, seen=(stopped := SeenFiles()), once=True)
    next(growing)  # a watch that is stopped in the middle of a file hears the file again
    growing.close()
    assert not stopped


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--window", "3"], "--window 3s"),
        (["--window", "long"], "must be a time"),
        (["--window", "3s", "--overlap", "3"], "must be shorter than window"),
        (["--overlap", "1"], "need --window"),
        (["--window", "1s", "--last", "all"], "last='all'"),
    ],
)
def test_windows_of_a_watch_that_cannot_be(
    recordings: tuple[Path, Path, Path], arguments: list[str], said: str
) -> None:
    """A number of clips that is too small, an overlap without a window and the like are one clear error each."""
    long, _, profile = recordings
    done = CliRunner().invoke(app, ["watch", str(long), "-p", str(profile), "--once", *arguments])
    assert done.exit_code == 2, done.output
    assert said in " ".join(done.output.split())


def test_raw_samples_are_not_cut_twice() -> None:
    """Raw samples have their own length of clips, so a window beside it is refused."""
    reading = Reading(FRONT_END, windows=sn.audio.Windows(1))
    with pytest.raises(sn.errors.ArgumentError, match="pcm_seconds"):
        next(pcm_stream(io.BytesIO(bytes(64)), Pcm("s16le", RATE, 1, 1.0), reading))
