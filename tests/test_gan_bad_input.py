"""What a SpecGAN refuses, and what it says then."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from spectronorm.cli.app import app
from spectronorm.errors import ArgumentError, FileFormatError, SourceError
from spectronorm.storage import container

torch = pytest.importorskip("torch")

from tests.gan_cases import FRONT_END, FRONT_END_OPTIONS, SAMPLES, SIZE, design, origin_of, train, write_clips  # noqa: E402

from spectronorm.gan.checkpoint import load_checkpoint  # noqa: E402
from spectronorm.gan.clips import ImageWindow, read_levels  # noqa: E402
from spectronorm.gan.model import GanModel  # noqa: E402
from spectronorm.gan.networks import Architecture  # noqa: E402
from spectronorm.gan.prepare import prepare_gan  # noqa: E402
from spectronorm.gan.run import CHECKPOINT, MODEL, SETTINGS, train_gan  # noqa: E402
from spectronorm.gan.training import GanTraining, explained_memory  # noqa: E402
from spectronorm.gan.training_source import TrainingSource  # noqa: E402


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clips(tmp_path_factory.mktemp("gan") / "clips")


@pytest.fixture(scope="module")
def trained(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(clips, tmp_path_factory.mktemp("gan") / "trained")


@pytest.mark.parametrize(("samples", "rule"), [(SAMPLES + 500, "crop"), (SAMPLES - 500, "pad")])
def test_clips_of_other_lengths_need_a_rule(tmp_path: Path, samples: int, rule: str) -> None:
    """Without a rule one clear error names clip, lengths and option; with it clips are cut or padded at their end."""
    source = TrainingSource(str(write_clips(tmp_path / "clips", each=1, samples=samples))).training_clips()
    with pytest.raises(ArgumentError, match=f"has {samples} samples, .* show {SAMPLES} .* --fix-length {rule}"):
        read_levels(source, ImageWindow(FRONT_END, SIZE))
    with pytest.raises(ArgumentError, match="--fix-length"):
        read_levels(source, ImageWindow(FRONT_END, SIZE, "pad" if rule == "crop" else "crop"))
    wave = np.zeros(SAMPLES)
    recorded = soundfile.read(source.clips[0].path)[0][:SAMPLES]
    wave[: len(recorded)] = recorded
    for fixed in (rule, "crop-or-pad"):
        levels = read_levels(source, ImageWindow(FRONT_END, SIZE, fixed)).levels
        np.testing.assert_allclose(levels[0], FRONT_END(wave), atol=1e-4)


def test_bad_files_are_left_out_and_listed(tmp_path: Path) -> None:
    """A file that cannot be read is skipped, named and counted, and too many of them are an error."""
    table = write_clips(tmp_path / "clips", each=2)
    (tmp_path / "clips" / "low0.wav").write_bytes(b"not audio")
    source = TrainingSource(str(table)).training_clips()
    read = read_levels(source, ImageWindow(FRONT_END, SIZE), max_bad=0.5)
    assert [bad.path for bad in read.bad] == ["low0.wav"]
    assert len(read.levels) == 3
    command = ["gan", "train", str(table), "-o", str(tmp_path / "out"), "--size", str(SIZE), *FRONT_END_OPTIONS]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 1
    assert "1 of 4 files is bad" in result.stderr
    assert not (tmp_path / "out").exists()


def test_models_of_other_versions_and_damaged_ones_are_refused(trained: Path, tmp_path: Path) -> None:
    """Another format, another kind and damaged weights each give one error that says what was found."""
    header, tensors = container.load_tensors(trained / MODEL)
    path = tmp_path / "other.safetensors"
    container.save_tensors(path, {**header, "format": 99}, tensors)
    with pytest.raises(FileFormatError, match="'gan' of format 99, written by spectronorm"):
        GanModel.load(path)
    with pytest.raises(FileFormatError, match="'gan_checkpoint'"):
        GanModel.load(trained / CHECKPOINT)
    weight = next(name for name in tensors if name.startswith("generator.") and tensors[name].ndim == 4)
    for damage in ({weight: tensors[weight][:1]}, {weight: tensors[weight] * np.nan}):
        container.save_tensors(path, header, {**tensors, **damage})
        with pytest.raises(FileFormatError, match="damaged"):
            GanModel.load(path)
    path.write_bytes((trained / MODEL).read_bytes()[:-10])
    with pytest.raises(FileFormatError):
        GanModel.load(path)


def test_a_checkpoint_belongs_to_its_training(clips: Path, trained: Path, tmp_path: Path) -> None:
    """A folder with other settings is not resumed, nor is a checkpoint of other networks or format."""
    shutil.copytree(trained, tmp_path / "copy")
    origin = origin_of(clips)
    other = prepare_gan(origin, FRONT_END, design(seed=1))
    with pytest.raises(ArgumentError, match=r"other settings \(design\)"):
        list(train_gan(other, tmp_path / "copy", 4))
    more = prepare_gan(TrainingSource(str(clips)), FRONT_END, design())
    with pytest.raises(ArgumentError, match=r"other settings \(clips, labels, sounds\)"):
        list(train_gan(more, tmp_path / "copy", 4))
    with pytest.raises(FileFormatError, match="another training"):
        load_checkpoint(other.trainer(), trained / CHECKPOINT)
    header, tensors = container.load_tensors(trained / CHECKPOINT)
    container.save_tensors(tmp_path / "old.safetensors", {**header, "format": 0}, tensors)
    same = prepare_gan(origin, FRONT_END, design())
    with pytest.raises(FileFormatError, match="of format 0"):
        load_checkpoint(same.trainer(), tmp_path / "old.safetensors")
    del tensors["generator.project.weight"]
    container.save_tensors(tmp_path / "old.safetensors", header, tensors)
    with pytest.raises(FileFormatError, match="do not fit these networks"):
        load_checkpoint(same.trainer(), tmp_path / "old.safetensors")
    (tmp_path / "copy" / SETTINGS).write_text("{")
    with pytest.raises(FileFormatError, match="damaged"):
        list(train_gan(same, tmp_path / "copy", 4))


def test_running_out_of_memory_says_what_to_do() -> None:
    """An allocation that cannot be met names the settings that need it; any other error goes through."""
    with (
        pytest.raises(ArgumentError, match="out of memory with width=32, size=64 and 64 images.*--batch-size"),
        explained_memory(Architecture(), 64),
    ):
        torch.empty(2**60)
    with pytest.raises(RuntimeError, match="shape"), explained_memory(Architecture(), 64):
        torch.zeros(2).reshape(3)


def test_a_training_that_never_reached_a_checkpoint_blocks_nothing(clips: Path, tmp_path: Path) -> None:
    """Where the first settings asked for too much memory, smaller ones may take the same folder."""
    first = prepare_gan(origin_of(clips), FRONT_END, design())
    steps = train_gan(first, tmp_path, 10**9, every=10**9, progress=lambda done, total: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        next(steps)
    assert (tmp_path / SETTINGS).exists()
    other = prepare_gan(origin_of(clips), FRONT_END, design(seed=1))
    assert [line.step for line in train_gan(other, tmp_path, 1)] == [1]
    assert json.loads((tmp_path / SETTINGS).read_text())["design"]["training"]["seed"] == 1


@pytest.mark.parametrize(
    "settings",
    [
        {"loss": "hinge"},
        {"batch_size": 1},
        {"average": 1.0},
        {"learning_rate": 0.0},
        {"precision": "float16"},
        {"device": "tpu"},
        {"seed": -1},
    ],
)
def test_settings_that_break_a_rule_are_refused(settings: dict[str, object]) -> None:
    """Each setting of a training says its rule."""
    with pytest.raises(ArgumentError, match=next(iter(settings))):
        GanTraining(**settings)


def test_sizes_and_bands_must_agree() -> None:
    """Images are square: another number of bands names the option that mends it."""
    with pytest.raises(ArgumentError, match="--n-mels 64"):
        ImageWindow(FRONT_END, 64)
    with pytest.raises(ArgumentError, match="size=48"):
        Architecture(size=48)


def test_conditional_training_needs_labels(noise_folder: Path) -> None:
    """Clips without labels cannot be conditioned on."""
    clip = next(noise_folder.rglob("*.wav"))
    with pytest.raises(SourceError, match="have no label"):
        prepare_gan(TrainingSource(str(clip)), FRONT_END, design())


def test_without_torch_the_error_names_the_extra(clips: Path, tmp_path: Path) -> None:
    """Where torch is not installed, each command fails with the command that installs it; --help still works."""
    code = (
        "import sys; sys.modules['torch'] = None; from spectronorm.cli import app; import typer.main as t;"
        "from typer.testing import CliRunner; from spectronorm.cli.app import app\n"
        f"train = ['train', {str(clips)!r}, '-o', {str(tmp_path)!r}]\n"
        "for args in (train, ['sample', 'm', '-o', 'x'], ['score', 'm']):\n"
        "    r = CliRunner().invoke(app, ['gan', *args]); assert r.exit_code == 1, r.output\n"
        "    assert 'pip install \".[torch]\"' in r.stderr, r.stderr\n"
        "assert CliRunner().invoke(app, ['gan', 'train', '--help']).exit_code == 0"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
