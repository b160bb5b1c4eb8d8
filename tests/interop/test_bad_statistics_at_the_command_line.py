"""Bad statistics at the command line: one clear line that says the value and the remedy, and no output."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import spectronorm as sn
from interop.cases import BANDS, SAMPLES
from spectronorm.cli.app import app


def ark(*speakers: tuple[str, int]) -> bytes:
    """Binary sums of eight bands for each speaker, over so many frames."""
    size = b"\4" + struct.pack("<i", 2) + b"\4" + struct.pack("<i", BANDS + 1)
    matrices = (np.array([[0.0] * BANDS + [count], [count] * BANDS + [0.0]]) for _, count in speakers)
    return b"".join(
        name.encode() + b" \0BDM " + size + matrix.tobytes()
        for (name, _), matrix in zip(speakers, matrices, strict=True)
    )


def array_file(shape: str) -> bytes:
    """A `.npy` file whose header says this shape."""
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header


BAD = {
    "many speakers and no key": (
        SAMPLES / "kaldi/cmvn.ark",
        [],
        r"holds the statistics of 2 speakers \(spk1, spk2\); choose one with --key .* or all of them added up",
    ),
    "stacked frames": ({"mean": [0.0] * 7 * BANDS, "std": [1.0] * 7 * BANDS}, [], "of 7 stacked frames of 8 bands"),
    "another number of bands": ({"mean": [0.0] * 5, "std": [1.0] * 5}, [], "has 5 numbers, but .* has 8 bands"),
    "NaN": ('{"mean": [NaN, 1], "std": [1, 1]}', [], "NaN is not a number"),
    "damaged JSON": ('{"mean": [1, 1], "std": [1, 1}', [], "no format recognizes it .*line 1"),
    "NaN in an array": (np.array([[0.0, 1.0], [1.0, np.nan]]), [], "NaN or infinity|finite"),
    "a negative std in an array": (np.array([[0.0, 1.0], [-1.0, 1.0]]), [], "band 0 has a negative standard deviation"),
    "NaN in Kaldi's text": (" [\n nan 1 2\n 3 4 0 ]\n", [], "NaN or infinity"),
    "beyond all levels": ({"mean": [0.0], "std": [1e-320]}, [], r"beyond all levels; shifts must lie within 1e\+30"),
    "negative variance": ({"mean_stat": [10], "var_stat": [5], "frame_num": 10}, [], "negative variance"),
    "count of zero": ({"mean_stat": [0], "var_stat": [0], "frame_num": 0}, [], "the count of frames is 0"),
    "an unknown format": ({"mean": [0.0], "std": [1.0]}, ["--format", "htk"], "'htk' is unknown; it must be one of hf"),
    "a file of no format": ("speaker1 cmvn.ark:9\n", [], "no format recognizes it; name one of hf"),
    "a missing key": (SAMPLES / "kaldi/cmvn.ark", ["--key", "spk3"], "no speaker 'spk3'; it has spk1, spk2"),
    "a speaker twice": (ark(("a", 10), ("a", 20)), ["--key", "*"], "it holds speaker 'a' twice"),
    "text behind a matrix": (ark(("a", 10)) + b"xx", [], "it ends with b'xx', which is no matrix"),
    "a count beyond all data": (
        {"mean_stat": [0], "var_stat": [1e300], "frame_num": 1e299},
        [],
        "a count of 1e.299 frames",
    ),
    "a mean of three axes": (
        {"mean": [[[0.0, 1.0]] * 2] * 2, "std": [1.0] * 8},
        [],
        r"the shape \(2, 2, 2\), but must be",
    ),
    "lists of different lengths": ({"mean": [0.0, [1.0]], "std": [1.0, 1.0]}, [], "mean is no list of numbers"),
    "code in the header of an array": (array_file("(exit(),)"), [], "does not say shape and type of an array"),
    "an array of complex numbers": (np.ones((2, 8), complex), [], "an array of complex128, not of numbers"),
    "no file": (Path("gone.json"), [], "cannot be read"),
}


@pytest.fixture
def levels(tmp_path: Path) -> Path:
    path = tmp_path / "levels.json"
    path.write_text(sn.Levels(BANDS, "dB", -100.0, 100.0).to_json())
    return path


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, [*map(str, arguments)], env={"COLUMNS": "400"})


def require_one_line(done: Any, message: str) -> None:
    """Exit code 1 or 2, and exactly one line, on stderr."""
    assert done.exit_code in (1, 2), done.output
    assert done.stdout == ""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert re.search(message, lines[0]), lines[0]


@pytest.mark.parametrize(("content", "options", "message"), BAD.values(), ids=BAD)
def test_bad_statistics_are_one_line_and_nothing_is_written(
    content: Any, options: list[str], message: str, levels: Path, tmp_path: Path
) -> None:
    """`import` says what is wrong and what to do."""
    path = content
    if not isinstance(content, Path):
        path = tmp_path / "global_cmvn"
        if isinstance(content, np.ndarray):
            with path.open("wb") as file:
                np.save(file, content)
        else:
            told = content if isinstance(content, str | bytes) else json.dumps(content)
            path.write_bytes(told if isinstance(told, bytes) else told.encode())
    require_one_line(run("import", path, "--levels", levels, "-o", tmp_path / "p", *options), message)
    assert not (tmp_path / "p").exists()


def test_a_profile_for_a_format_that_needs_a_pipeline_is_one_line(noise_table: Path, tmp_path: Path) -> None:
    """`export` of a profile to a format without sums names the option; so do an unknown format and maps of clips."""
    profile = sn.fit(noise_table, sn.FrontEnd(bands=sn.Mel(4)))
    profile.save(tmp_path / "profile")
    out = tmp_path / "x.json"
    for options, message in (
        (["--to", "hf"], "so it needs a pipeline: choose a normalizer, .* --normalize band"),
        (["--to", "htk"], "'htk' is unknown; it must be one of hf"),
        (["--to", "json", "--normalize", "clip"], "so there are no numbers to write"),
        (["--to", "kaldi", "--exclude-floor"], "give --normalize to leave the floor out"),
    ):
        require_one_line(run("export", tmp_path / "profile", "-o", out, *options), message)
        assert not out.exists()
