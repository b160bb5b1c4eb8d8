"""The example plug-in keeps the shipped contracts, and works from the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile
from spectronorm_example.midrange import Midrange
from spectronorm_example.mu_law import MuLaw
from spectronorm_example.playlist import Playlist
from spectronorm_example.two_columns import TwoColumns

import spectronorm as sn
from spectronorm import testing


def write_playlist(folder: Path) -> Path:
    """Two sounds and a playlist of them."""
    for name in ("a", "b"):
        soundfile.write(folder / f"{name}.wav", 0.1 * np.random.default_rng(0).standard_normal(16_000), 16_000)
    (folder / "both.m3u").write_text("#EXTM3U\na.wav\nb.wav\n", encoding="utf-8")
    return folder / "both.m3u"


class TestMidrange(testing.NormalizerContract, subject=Midrange()):
    """The normalizer."""


class TestMuLaw(testing.CompressionContract, subject=MuLaw()):
    """The compression."""


class TestPlaylist(testing.SourceContract, subject=Playlist(), place=write_playlist):
    """The source kind."""


class TestTwoColumns(testing.StatisticsFormatContract, subject=TwoColumns(), file_name="x.cmvn.txt"):
    """The statistics format."""


def run(*arguments: object) -> str:
    """The output of a command of spectronorm, which must succeed."""
    command = [sys.executable, "-m", "spectronorm", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_the_command_line_knows_all_four(tmp_path: Path) -> None:
    """Fit a playlist with the compression's own option, apply the normalizer, load what was saved."""
    assert "midrange" in run("plugins")
    profile, out = tmp_path / "p.safetensors", tmp_path / "out"
    run("fit", write_playlist(tmp_path), "-o", profile, "--compress", "mu_law", "--mu", "100")
    run("apply", tmp_path / "both.m3u", "--profile", profile, "--normalize", "midrange", "-o", out)
    loaded = sn.load(out / "pipeline.safetensors")
    assert isinstance(loaded, sn.Pipeline)
    assert isinstance(loaded.front_end, sn.FrontEnd)
    assert loaded.front_end.compress == MuLaw(100.0)
    assert loaded.normalizer.normalizer == Midrange()
    shown = json.loads(run("show", out / "pipeline.safetensors", "--json"))
    assert "spectronorm-example" in shown["front_end"]["compress"]["plugin"]
