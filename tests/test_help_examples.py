"""Every example of every command's help runs as it stands, one after the other, on small files of its names."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.example_files import enter_copy, make_example_files, network
from tests.shell_lines import INTERRUPTED, may_be_interrupted, programs, run_line
from tests.test_datasets import Server, archive, dataset, server, sounds  # noqa: F401
from tests.test_help import COMMANDS, examples
from typer.testing import CliRunner

import spectronorm.cli.datasets
from spectronorm.cli.app import app

TRAIN = (
    "gan train digits.csv -o digits-gan --hold-out split=test --conditional --fix-length crop-or-pad "
    "--sample-rate 8000 --n-fft 256 --hop-length 128 --width 2 --batch-size 4 --steps 2"
)

WRITTEN: Mapping[str, tuple[str, ...]] = {
    "apply": ("features",),
    "images": ("images",),
    "invert": ("dog.wav",),
    "export": ("global_cmvn", "preprocessor_config.json"),
}
"""Files that an example writes and another command's example reads."""
ENDS_WITH: Mapping[str, tuple[int, str]] = {
    "spectronorm audit preprocessor_config.json esc10/ --preset ast": (1, "unknown"),
    "spectronorm gan train sounds/ -o large --size 128 --n-mels 128 --hop-length 128 --width 64 --device cuda": (
        2,
        "cuda",
    ),
}
"""Examples that end otherwise here: AudioSet's numbers are not those of these sounds, and there is no CUDA."""
NOT_RUN: Mapping[str, str] = {
    "NUMBA_CACHE_DIR=/var/cache/spectronorm spectronorm warm": "compiles everything anew: tests/test_compiled.py",
    "spectronorm compare ESC-50/ --protocol esc50-norms-2022 --precision bfloat16 -o the-post": "trains for 20 epochs: "
    "tests/test_experiment_bad_input.py tries the protocol's options",
}
"""Examples that no test runs, with the reason."""
SHORTENED: Mapping[str, str] = {
    "spectronorm compare": " --model linear --epochs 1 --seeds 1",
}
"""Options that follow an example so that it does not train for minutes."""
GROUPS = [name for name, command in COMMANDS.items() if examples(command)]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that the examples read."""
    pytest.importorskip("torch")
    pytest.importorskip("matplotlib")
    return make_example_files(tmp_path_factory.mktemp("prepared") / "files")


@pytest.fixture
def folder(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a copy of the prepared files of its own."""
    return enter_copy(prepared, tmp_path, monkeypatch)


@pytest.fixture(autouse=True)
def small_downloads(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """Data sets are fetched from this machine, and are small."""
    monkeypatch.setattr(spectronorm.cli.datasets, "find_dataset", lambda _: dataset(server.url))


def prepare(name: str, folder: Path) -> None:
    """Put aside what the examples of a command write, and make what only they read."""
    for one in WRITTEN.get(name, ()):
        shutil.rmtree(folder / one) if (folder / one).is_dir() else (folder / one).unlink()
    if name == "sensitivity":
        network(folder)
    if name.startswith("datasets "):
        (folder / "ESC-50-33c8ce9.zip").write_bytes(archive(sounds()))
    if name in ("gan sample", "gan score"):
        done = CliRunner().invoke(app, TRAIN.split())
        assert done.exit_code == 0, done.output
        for number in range(3):
            shutil.copytree(folder / "digits-gan", folder / f"digits-gan-{number}")


def shortened(line: str) -> str:
    """An example, with the options after it that shorten a training."""
    return line + "".join(options for start, options in SHORTENED.items() if line.startswith(start))


@pytest.mark.parametrize("name", GROUPS)
@pytest.mark.filterwarnings("default")
def test_the_examples_run(name: str, folder: Path) -> None:
    """Each example of a command succeeds after those before it, or says why it cannot where it has to."""
    prepare(name, folder)
    bin_folder = programs(folder.parent / "bin")
    for line in examples(COMMANDS[name]):
        if line in NOT_RUN:
            continue
        done = run_line(shortened(line).replace(" /tmp/", f" {folder}/"), bin_folder)
        code, said = ENDS_WITH.get(line, (0, ""))
        allowed = {code, INTERRUPTED} if may_be_interrupted(line) else {code}
        assert done.code in allowed, f"{line}\n{done.output}"
        assert said in done.output, f"{line}\n{done.output}"


def test_the_exceptions_are_examples() -> None:
    """Each exception names an example that is there, and there are no more of them than today."""
    known = {line for name in GROUPS for line in examples(COMMANDS[name])}
    assert {*ENDS_WITH, *NOT_RUN} <= known
    assert len(NOT_RUN) <= 2
    assert len(ENDS_WITH) <= 2
