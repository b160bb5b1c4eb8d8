"""Each block of code of each page runs as it stands, here or in a test of its page, or says why no test runs it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.doc_blocks import ROOT, Block, blocks, pages
from tests.example_files import RATE, enter_copy, make_example_files, network, sound, write
from tests.shell_lines import INTERRUPTED, joined, may_be_interrupted, programs, run_line

import spectronorm as sn

RUN_BY: Mapping[str, str] = {
    "CONTRIBUTING.md": "tests/test_contributing.py",
    "README.md": "tests/test_readme.py",
    "docs/cleaning.md": "tests/test_cleaning_docs.py",
    "docs/guides/basics.md": "tests/test_guides.py",
    "docs/guides/gallery.md": "make docs",
    "docs/guides/how-to.md": "tests/test_guides.py",
    "docs/guides/normalizing-spectrograms.md": "make docs",
    "docs/guides/spectrograms-as-images.md": "make docs",
    "docs/other-programs.md": "tests/interop/test_page.py",
    "docs/own-spectrograms.md": "tests/test_own_docs.py",
    **{
        f"docs/questions/{name}.md": "tests/test_question_pages.py"
        for name in ("crops", "filterbanks", "flips", "longer", "samples", "smaller", "speech")
    },
    "docs/sources.md": "tests/test_source_docs.py",
    "docs/stereo.md": "tests/test_own_docs.py",
}
"""Pages whose blocks another test runs, or the build of the documentation."""
MOST_NOT_RUN = 29
"""Number of blocks that no test runs; it may only become smaller."""
SHORTENED: Mapping[str, Mapping[str, str]] = {
    "docs/experiment.md": {"Training(), seeds=3": 'Training(model="linear", epochs=1), seeds=1'},
    "docs/fastai.md": {"fit_one_cycle(20)": "fit_one_cycle(1)"},
}
"""Trainings of minutes in a page's blocks, and what takes their place."""
RUNNABLE = ("sh", "python")
LANGUAGES = (*RUNNABLE, "{code-cell} python", "{eval-rst}", "{toctree}", "{note}", "text", "toml", "yaml")
ALL = [block for page in pages() for block in blocks(page)]
HERE = [page for page in pages() if page not in RUN_BY and any(b.language in RUNNABLE for b in blocks(page))]


def names_of(page: str) -> dict[str, Any]:
    """Return the names that a page takes for granted."""
    rng = np.random.default_rng(0)
    wave, levels = 0.1 * rng.standard_normal(RATE), rng.normal(-40, 10, (4, 64, 200))
    names: dict[str, Any] = {"sn": sn, "np": np, "wave": wave}
    if page == "docs/augmentation.md":
        profile = sn.load("sounds.safetensors")
        fitted = sn.Standardize(per="global").fit(profile)  # type: ignore[arg-type]
        waves = np.tile(wave, (4, 2))
        names |= {"seed": 0, "spectrograms": levels, "lengths": np.array([200, 180, 160, 200]), "power": levels[:, 0]}
        names |= {"fitted": fitted, "waves": waves, "samples": np.full(4, waves.shape[1])}
    if page == "docs/front-ends.md":
        names |= {"pieces": np.split(rng.random((40, 90)), 3, axis=-1)}
    if page == "docs/images-and-inversion.md":
        front_end = sn.FrontEnd(RATE, stft=sn.STFT(1024, hop_length=256), bands=sn.Mel(80))
        pixels = rng.integers(0, 256, (80, 63), np.uint8)
        names |= {"front_end": front_end, "original": wave, "level": front_end(wave), "pixels": pixels}
    if page == "docs/monitoring.md":
        names |= {"profile": sn.load("train.safetensors"), "samples": wave, "pipeline": sn.load("pipeline.safetensors")}
    if page == "docs/sliding.md":
        front_end = sn.FrontEnd(RATE, bands=sn.Mel(64))
        names |= {"profile": sn.load("sounds.safetensors"), "level": front_end(np.tile(wave, 10))}
    if page in ("docs/torch.md", "docs/monitoring.md"):
        names |= for_torch(wave)
    return names


def for_torch(wave: Any) -> dict[str, Any]:
    """Return names of the pages on torch: a batch of padded waves, a pipeline, and a network with its batches."""
    import torch  # noqa: PLC0415

    pipeline: Any = sn.load("pipeline.safetensors")
    waves = torch.tensor(np.tile(wave, (4, 1)), dtype=torch.float32)
    net = torch.nn.Sequential(torch.nn.BatchNorm1d(201), torch.nn.Conv1d(201, 2, 3))
    given = [torch.randn(4, 201, 20) for _ in range(3)]
    lengths = torch.tensor([RATE, RATE, RATE // 2, RATE])
    front_end = pipeline.front_end
    return {
        "pipeline": pipeline,
        "front_end": front_end,
        "wave": waves,
        "lengths": lengths,
        "model": net,
        "batches": given,
    }


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that the blocks read."""
    pytest.importorskip("torch")
    return make_example_files(tmp_path_factory.mktemp("prepared") / "files")


@pytest.fixture
def folder(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a copy of the prepared files of its own."""
    return enter_copy(prepared, tmp_path, monkeypatch)


def files_of(page: str, folder: Path) -> None:
    """Write the files of a page that no other one reads."""
    if page == "docs/experiment.md":
        network(folder)
    if page == "docs/images-and-inversion.md":
        shutil.rmtree(folder / "images")
    if page == "docs/monitoring.md":
        shutil.rmtree(folder / "train")
        shutil.copytree(folder / "esc10", folder / "train")
        shutil.copy(folder / "esc10.safetensors", folder / "train.safetensors")
    if page == "docs/reliability.md":
        shutil.make_archive("ESC-50", "zip", "ESC-50")
        (folder / "shards").mkdir()
        shutil.make_archive("shards/000", "tar", "sounds")
    if page == "docs/scale.md":
        shutil.copytree(folder / "sounds", folder / "speech")
    if page == "docs/long-recordings.md":
        shutil.rmtree(folder / "features")
        (folder / "songs.csv").write_text("path,start,end\nrecordings/long.wav,0,3\nrecordings/long.wav,3,6\n")
    if page == "docs/torch.md":
        shutil.copytree(folder / "sounds", folder / "audio")
    if page == "docs/specgan.md":
        write(folder / "fsdd" / "recordings" / "7_george_3.wav", sound(900, 0))
    if page == "docs/fastai.md":
        fifty(folder / "ESC-50")


def fifty(folder: Path) -> None:
    """Write 100 clips of 0.3 s in the layout of ESC-50: a batch of 64 in four folds."""
    shutil.rmtree(folder)
    rows = ["filename,fold,target,category,esc10,src_file,take"]
    for index in range(100):
        name = f"{index % 5 + 1}-{index}-A-{index % 2}.wav"
        write(folder / "audio" / name, sound(index, index % 2, seconds=0.3))
        rows.append(f"{name},{index % 5 + 1},{index % 2},{('dog', 'rain')[index % 2]},True,{index},A")
    (folder / "meta").mkdir()
    (folder / "meta" / "esc50.csv").write_text("\n".join(rows) + "\n")


@pytest.mark.parametrize("page", HERE)
@pytest.mark.filterwarnings("default")
def test_the_blocks_run(page: str, folder: Path) -> None:
    """The blocks of a page run one after the other, after the names that the page takes for granted."""
    files_of(page, folder)
    names = names_of(page)
    bin_folder = programs(folder.parent / "bin")
    long_ones = SHORTENED.get(page, {})
    assert all(any(long in block.text for block in blocks(page)) for long in long_ones)
    for block in blocks(page):
        if block.language == "python" and not block.reason:
            text = block.text
            for long, short in long_ones.items():
                text = text.replace(long, short)
            exec(compile(text, f"{page}: {text[:40]}", "exec"), names)  # noqa: S102
        elif block.language == "sh" and not block.reason:
            for line in joined(block.text):
                run_shell_line(line, bin_folder)


def run_shell_line(line: str, bin_folder: Path) -> None:
    """Run a line; its remark may say that it ends with another code than 0."""
    done = run_line(line, bin_folder)
    told = re.search(r"# .*(?:ends with|exit code) (\d)", line)
    allowed = {0, int(told[1])} if told else {0}
    assert done.code in (allowed | {INTERRUPTED} if may_be_interrupted(line) else allowed), f"{line}\n{done.output}"


@pytest.mark.parametrize("block", ALL, ids=str)
def test_a_block_is_run_or_says_why_not(block: Block) -> None:
    """A block has a language; commands are no plain text, unless a reason stands above them."""
    assert block.language in LANGUAGES
    if block.language == "text" and not block.reason:
        assert not re.search(r"^(spectronorm |\$ |pip |import |from )", block.text, flags=re.MULTILINE)


@pytest.mark.parametrize("block", [block for block in ALL if block.language == "sh"], ids=str)
def test_a_command_can_be_pasted(block: Block) -> None:
    """A line of a command that goes on ends with a backslash, or within quotation marks."""
    lines = block.text.splitlines()
    for number, line in enumerate(lines[1:], 1):
        before = lines[number - 1]
        if line.startswith(" ") and not before.endswith("\\"):
            assert "\n".join(lines[:number]).count("'") % 2, f"{before}\n{line}"


def test_pages_that_other_tests_run_are_there() -> None:
    """Each page that another test runs is read by that test."""
    for page, test in RUN_BY.items():
        assert (ROOT / page).is_file()
        assert test == "make docs" or Path(page).name in (ROOT / test).read_text(encoding="utf-8")


def test_few_blocks_are_not_run() -> None:
    """The number of blocks that no test runs grows by no accident."""
    left_out = [block for block in ALL if block.reason]
    assert len(left_out) <= MOST_NOT_RUN, "\n".join(f"{block}: {block.reason}" for block in left_out)
