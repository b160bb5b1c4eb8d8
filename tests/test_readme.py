"""What the README shows runs as it stands."""

from __future__ import annotations

import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.doc_blocks import code
from tests.example_files import make_example_files, network
from tests.shell_lines import INTERRUPTED, joined, may_be_interrupted, programs, run_line

from spectronorm.demo.dataset import make_dataset

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sounds that `spectronorm demo` leaves."""
    folder = tmp_path_factory.mktemp("readme")
    make_dataset(folder / "spectronorm-demo" / "sounds")
    return folder


def test_the_python_runs(folder: Path) -> None:
    """The lines give a normalized spectrogram and a normalized training batch, as they stand."""
    lines, batch = code("README.md", "python")
    text = lines + "print(x.shape)\n"
    if importlib.util.find_spec("torch"):
        text += batch + "print(tuple(batch.shape), bool(batch.isfinite().all()))\n"
    done = subprocess.run([sys.executable, "-c", text], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    first, *second = done.stdout.splitlines()
    assert first.startswith("(64, ")
    assert all(line.startswith("(8, 64, ") and line.endswith("True") for line in second)


def test_the_shell_runs(folder: Path) -> None:
    """Each of the five commands succeeds as it stands, one after the other."""
    pytest.importorskip("matplotlib")
    lines = code("README.md", "sh")[0].splitlines()
    assert len(lines) == 5
    for line in lines:
        command, *arguments = shlex.split(line, comments=True)
        assert command == "spectronorm"
        run = [sys.executable, "-m", "spectronorm", *arguments]
        done = subprocess.run(run, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert (folder / "features" / "pipeline.safetensors").is_file()
    assert (folder / "siren.png").is_file()


def test_every_page_is_linked() -> None:
    """The section "Read on" links every page of docs/."""
    linked = set(re.findall(r"\(docs/([a-z/-]+\.md)\)", README.split("## Read on")[1]))
    docs = ROOT / "docs"
    pages = [page for page in docs.rglob("*.md") if "_build" not in page.parts]
    named = {page.relative_to(docs).as_posix() for page in pages if page.parent.name != "reference"} - {"index.md"}
    assert named == linked - {"reference/index.md"}
    assert "reference/index.md" in linked


@pytest.mark.filterwarnings("default")
def test_the_other_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of the rest runs as it stands on small files of the names that it has, until its first output."""
    pytest.importorskip("torch")
    files = make_example_files(tmp_path / "files")
    monkeypatch.chdir(files)
    network(files)
    shutil.rmtree(files / "images")
    (files / "uploads" / "broken.wav").write_text("not a sound")
    bin_folder = programs(tmp_path / "bin")
    (rest,) = code("README.md", "sh")[1:]
    for line in joined(rest):
        done = run_line(line, bin_folder)
        wrong = " audit " in line  # AudioSet's numbers are not those of these sounds
        allowed = (1,) if wrong else (0, INTERRUPTED) if may_be_interrupted(line) else (0,)
        assert done.code in allowed, f"{line}\n{done.output}"
