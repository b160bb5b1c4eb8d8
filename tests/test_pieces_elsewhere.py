"""Pieces of recordings in watching, in comparisons and on a cluster: as if they had been cut into files beforehand."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

import spectronorm as sn
from spectronorm.cli.app import app
from spectronorm.monitor import Reading, existing
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
