"""The page on other programs runs as it stands, and its table is what the command makes."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from benchmarks import statistics_origins
from typer.testing import CliRunner

import spectronorm as sn
from interop.cases import SAMPLES
from spectronorm.cli.app import app

PAGE = (Path(__file__).parents[2] / "docs" / "other-programs.md").read_text(encoding="utf-8")


def spectronorm(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "300"})


@pytest.fixture
def sounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sounds").mkdir()
    for index in range(4):
        noise = 0.1 * np.random.default_rng(index).standard_normal(9_000)
        soundfile.write(tmp_path / "sounds" / f"{index}.wav", noise, 16_000)
    shutil.copy(SAMPLES / "hf_ast/preprocessor_config.json", tmp_path)
    shutil.copy(SAMPLES / "kaldi/cmvn.ark", tmp_path)
    (tmp_path / "levels.json").write_text(sn.Levels(bands=8, unit="ln", low=-30, high=40).to_json())
    return tmp_path


def test_the_page_runs(sounds: Path) -> None:
    """Commands, then Python, one after the other."""
    for line in "".join(re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL)).splitlines():
        done = spectronorm(*shlex.split(line, comments=True)[1:])
        assert done.exit_code == (1 if "ends with 1" in line else 0), (line, done.output)
    assert len(list((sounds / "features").rglob("*.npy"))) == 4
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL):
        exec(block, names)  # noqa: S102
    assert names["audited"].verdict == "2·std"
    np.testing.assert_allclose(names["again"].affine.scale, names["fitted"].affine.scale, rtol=1e-9)


def test_the_table_names_every_format() -> None:
    """Each format has its row."""
    for name in sn.interop.statistics.STATISTICS_FORMATS:
        assert f"`{name}`" in PAGE, name


def test_origins_read_what_we_write() -> None:
    """Every origin, installed or with a stored output, normalizes with our file to 1e-6."""
    mean, std, x = statistics_origins.numbers()
    for name, _, found, _ in statistics_origins.outcomes():
        np.testing.assert_allclose(found, (x - mean[:, None]) / std[:, None], atol=1e-6, err_msg=name)


def test_misuse_is_one_sentence(sounds: Path) -> None:
    """No front end, two front ends, an unknown format and a profile for a format of applied numbers."""
    for line, message in {
        "import cmvn.ark --key spk1 -o x": "by one of --preset, --front-end, --levels",
        "import cmvn.ark --key spk1 --preset kaldi --levels levels.json -o x": "by one of",
        "import cmvn.ark --levels levels.json -o x": "2 speakers",
        "import levels.json --preset ast -o x": "no format recognizes it",
        "import gone.json --preset ast -o x": "cannot be read",
        "import cmvn.ark --key spk1 --preset ast -o x": "8 numbers, but the front end has 128 bands",
        "import cmvn.ark --format htk --preset ast -o x": "'htk' is unknown",
    }.items():
        done = spectronorm(*line.split())
        assert done.exit_code in (1, 2), line
        assert message in done.output, (line, done.output)
    spectronorm("fit", "sounds", "--preset", "kaldi", "-o", "p")
    done = spectronorm("export", "p", "--to", "hf", "-o", "x.json")
    assert done.exit_code == 2
    assert "needs a pipeline" in done.output
    assert not (sounds / "x").exists()
