"""The examples of CONTRIBUTING, added to a copy of the package and to a script of one's own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^`src/(\S+\.py)`:\n\n```python\n(.*?)```", PAGE, re.MULTILINE | re.DOTALL))
LINES = dict(re.findall(r"^The line, in `src/(\S+\.py)`.*?\n\n```python\n(.*?)```", PAGE, re.MULTILINE | re.DOTALL))

USE = """
import json, subprocess, sys, tempfile
from pathlib import Path
import numpy as np, soundfile
import spectronorm as sn
from spectronorm import testing
from spectronorm.audio import SOURCES
from spectronorm.cli import main
from spectronorm.front_end.compress import COMPRESSIONS
from spectronorm.interop.statistics import STATISTICS_FORMATS

def place(folder):
    soundfile.write(folder / "a.wav", 0.1 * np.random.default_rng(0).standard_normal(16_000), 16_000)
    (folder / "one.m3u").write_text("#EXTM3U\\na.wav\\n")
    return folder / "one.m3u"

def spectronorm(*arguments):
    sys.argv = ["spectronorm", *map(str, arguments)]
    try:
        main()
    except SystemExit as end:
        assert not end.code, (arguments, end.code)

testing.NormalizerContract.check(sn.normalizer("midrange"))
testing.CompressionContract.check(COMPRESSIONS.find("mu_law")(mu=100.0))
testing.SourceContract.check(SOURCES.find("playlist")(), place=staticmethod(place))
testing.StatisticsFormatContract.check(STATISTICS_FORMATS.find("two_columns")(), file_name="x.cmvn.txt")
with tempfile.TemporaryDirectory() as folder:
    home = Path(folder)
    source, profile, out = place(home), home / "p.safetensors", home / "out"
    spectronorm("fit", source, "-o", profile, "--compress", "mu_law", "--mu", "100", "--workers", "1")
    spectronorm("apply", source, "--profile", profile, "--normalize", "midrange", "-o", out, "--workers", "1")
    pipeline = sn.load(out / "pipeline.safetensors")
    assert pipeline.front_end.compress.mu == 100.0
    assert type(pipeline.normalizer.normalizer).__name__ == "Midrange"
    sys.stdout.flush()
print("all four work:", sn.__file__)
"""


def use(folder: Path, script: str, path: Path) -> str:
    """Run a script with `path` in front of the packages; it must succeed."""
    (folder / "use.py").write_text(script, encoding="utf-8")
    command = [sys.executable, "-W", "error", str(folder / "use.py")]
    environment = {**os.environ, "PYTHONPATH": str(path)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_page_shows_all_four() -> None:
    """A normalizer, a compression, a source kind and a statistics format are shown, with one line each."""
    folders = {"normalize", "front_end/compress", "audio/kinds", "interop/statistics"}
    assert {str(Path(name).parent.relative_to("spectronorm").as_posix()) for name in FILES} == folders
    assert {str(Path(name).parent.relative_to("spectronorm").as_posix()) for name in LINES} == folders
    assert all(len(line.strip().splitlines()) == 1 for line in LINES.values())


def test_inside_the_package_each_is_one_file_and_one_line(tmp_path: Path) -> None:
    """The shown files and lines, added to a copy of the package, keep their contracts and work from the commands."""
    shutil.copytree(ROOT / "src" / "spectronorm", tmp_path / "src" / "spectronorm")
    for name, content in FILES.items():
        (tmp_path / "src" / name).write_text(content, encoding="utf-8")
    for name, line in LINES.items():
        init = tmp_path / "src" / name
        lines = init.read_text(encoding="utf-8").splitlines(keepends=True)
        at = next((i for i, text in enumerate(lines) if "import File as File" in text), len(lines))
        init.write_text("".join([*lines[:at], line, *lines[at:]]), encoding="utf-8")
    assert str(tmp_path) in use(tmp_path, USE, tmp_path / "src")


def test_outside_of_the_package_each_is_one_file(tmp_path: Path) -> None:
    """The shown files, saved beside a script that imports them, keep their contracts and work from the commands."""
    for name, content in FILES.items():
        (tmp_path / f"my_{Path(name).name}").write_text(content, encoding="utf-8")
    imports = "".join(f"import my_{Path(name).stem}\n" for name in FILES)
    assert str(ROOT) in use(tmp_path, imports + USE, ROOT / "src")


@pytest.mark.parametrize("name", sorted(FILES))
def test_an_example_adds_nothing_that_is_there(name: str) -> None:
    """No example has a name that the package has already."""
    assert not (ROOT / "src" / name).exists()
