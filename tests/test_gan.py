"""A SpecGAN: trained, resumed, sampled, heard and scored."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from specnorm import files
from specnorm.cli.app import app
from specnorm.errors import ArgumentError, FileFormatError, SourceError
from specnorm.export_audio import export_audio
from specnorm.front_end import STFT, Decibel, FrontEnd, Mel
from specnorm.images import LevelRange, decode

torch = pytest.importorskip("torch")

from specnorm.gan.augment import Changes  # noqa: E402
from specnorm.gan.checkpoint import load_checkpoint  # noqa: E402
from specnorm.gan.clips import Window, read_levels  # noqa: E402
from specnorm.gan.losses import LOSSES  # noqa: E402
from specnorm.gan.model import GanModel  # noqa: E402
from specnorm.gan.networks import Architecture, make_networks  # noqa: E402
from specnorm.gan.origin import Origin  # noqa: E402
from specnorm.gan.run import CHECKPOINT, LOG, MODEL, PREVIEWS, SETTINGS, GanDesign, prepare, run  # noqa: E402
from specnorm.gan.sample import SampleOptions, write_samples  # noqa: E402
from specnorm.gan.scaling import from_unit, to_unit  # noqa: E402
from specnorm.gan.training import GanTraining, explained_memory  # noqa: E402

SIZE = 16
FRONT_END = FrontEnd(
    sample_rate=8_000, stft=STFT(n_fft=256, hop_length=128), bands=Mel(SIZE), compress=Decibel(floor_db=-80.0)
)
SAMPLES = 15 * 128
FRONT_END_OPTIONS = ["--sample-rate", "8000", "--n-fft", "256", "--hop-length", "128", "--n-mels", str(SIZE)]
TRAIN_OPTIONS = [
    *("--size", str(SIZE), "--width", "8", "--latent", "8", "--conditional", "--batch-size", "4"),
    *("--hold-out", "split=test", "--device", "cpu"),
]


def _clips(folder: Path, each: int = 12, samples: int = SAMPLES) -> Path:
    """Low and high tones in noise, with a table that holds some of them out."""
    rng, rows = np.random.default_rng(0), ["path,label,split"]
    folder.mkdir(parents=True)
    for label, cycles in (("low", 0.05), ("high", 0.35)):
        for number in range(each):
            phase = 2 * np.pi * (cycles * np.arange(samples) + rng.random())
            wave = rng.uniform(0.1, 0.5) * np.sin(phase) + 0.01 * rng.standard_normal(samples)
            soundfile.write(folder / f"{label}{number}.wav", wave, 8_000)
            rows.append(f"{label}{number}.wav,{label},{'test' if number % 3 == 0 else 'train'}")
    (folder / "clips.csv").write_text("\n".join(rows) + "\n")
    return folder / "clips.csv"


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _clips(tmp_path_factory.mktemp("gan") / "clips")


def _design(**settings: object) -> GanDesign:
    training = GanTraining(batch_size=4, device="cpu", **settings)
    return GanDesign(size=SIZE, width=8, latent=8, conditional=True, training=training)


@pytest.fixture(scope="session")
def trained(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of four steps of training."""
    folder = tmp_path_factory.mktemp("gan") / "trained"
    prepared = prepare(Origin(str(clips), (("split", "test"),)), FRONT_END, _design())
    assert [line.step for line in run(prepared, folder, 4, every=2)] == [2, 4]
    return folder


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_losses_stay_finite_and_weights_move(clips: Path, tmp_path: Path, loss: str, precision: str) -> None:
    """A few steps of either loss in either precision give finite losses and change both networks."""
    design = _design(loss=loss, precision=precision)
    prepared = prepare(Origin(str(clips), (("split", "test"),)), FRONT_END, design)
    before = prepared.model(prepared.trainer()).weights
    (line,) = run(prepared, tmp_path, 3, every=5)
    assert line.step == 3
    assert np.isfinite([line.discriminator_loss, line.generator_loss]).all()
    after = GanModel.load(tmp_path / MODEL).weights
    assert all((before[name] != after[name]).any() for name in before if name.endswith("weight"))


@pytest.mark.parametrize("size", [64, 128])
def test_networks_map_latent_numbers_to_images_and_images_to_logits(size: int) -> None:
    """At both sizes of SpecGAN images are (image, 1, size, size) in [-1, 1], and there is a logit for each."""
    generator, discriminator = make_networks(Architecture(size=size, width=2, latent=8, classes=3), 0)
    x = generator(torch.zeros(2, 8), torch.tensor([0, 2]))
    assert x.shape == (2, 1, size, size)
    assert float(x.detach().abs().max()) <= 1.0
    assert discriminator(x, torch.tensor([0, 2])).shape == (2,)


def test_the_networks_of_specgan_have_its_number_of_weights() -> None:
    """At width 64 and size 128 the kernels are those of the published networks: 5x5, doubling from 64 to 1024."""
    architecture = Architecture(size=128, width=64, batch_norm=False, spectral_norm=False)
    with torch.device("meta"):
        generator, discriminator = make_networks(architecture, 0)
    widths = [1024, 512, 256, 128, 64, 1]
    kernels = sum(25 * a * b for a, b in pairwise(widths))
    count = sum(p.numel() for p in generator.parameters())
    assert count == kernels + sum(widths[1:]) + 101 * 16 * 1024
    assert sum(p.numel() for p in discriminator.parameters()) == kernels + sum(widths[:-1]) + 16 * 1024 + 1


def test_changes_move_images_and_nothing_else() -> None:
    """A change shifts by whole frames and bands, fills with the lowest level, and lets gradients through."""
    x = torch.arange(16.0).reshape(1, 1, 4, 4).requires_grad_()
    moved = Changes(torch.tensor([1]), torch.tensor([0]), torch.tensor([0.5]))(x)
    assert torch.equal(moved[..., 1:], x[..., :-1] + 0.5)
    assert (moved[..., 0] == -0.5).all()
    moved.sum().backward()
    assert torch.equal(x.grad[..., -1], torch.zeros(1, 1, 4))
    assert torch.equal(x.grad[..., :-1], torch.ones(1, 1, 4, 3))


def test_the_gradient_penalty_is_of_the_slope(clips: Path) -> None:
    """A critic whose slope is 3 everywhere is punished by 10 (3 - 1)²."""
    loss, images = LOSSES["wgan_gp"], torch.zeros(2, 1, 4, 4)

    def critic(x: torch.Tensor) -> torch.Tensor:
        return 3.0 * x[:, 0, 0, 0]

    assert float(loss.penalty(critic, images, images + 1.0, torch.full((2, 1, 1, 1), 0.3))) == pytest.approx(40.0)


def test_images_and_levels_are_each_others_inverse() -> None:
    """Within the range the scale loses nothing; outside it clips to the range's ends."""
    level_range = LevelRange(np.array([-60.0, -50.0]), np.array([0.0, 10.0]), "of a test")
    levels = np.array([[-60.0, -30.0, 0.0], [-70.0, -20.0, 30.0]])
    x = to_unit(levels, level_range)
    np.testing.assert_allclose(x, [[-1, 0, 1], [-1, 0, 1]], atol=1e-6)
    np.testing.assert_allclose(from_unit(x, level_range), [[-60, -30, 0], [-50, -20, 10]], atol=1e-4)


def test_what_is_trained_on_is_the_clips_own_level(clips: Path) -> None:
    """The loader's images, taken back to levels, are those of the front end, clipped to the range."""
    origin = Origin(str(clips), (("split", "test"),))
    prepared = prepare(origin, FRONT_END, _design())
    first = origin.training_clips().clips[0]
    level = FRONT_END(soundfile.read(first.path)[0])
    low, high = prepared.level_range.low[:, None], prepared.level_range.high[:, None]
    np.testing.assert_allclose(
        from_unit(prepared.images[0], prepared.level_range), np.clip(level, low, high), atol=1e-4
    )
    assert prepared.level_range.scheme == "mean ± 3 sigma per band"
    assert prepared.classes == ("high", "low")


def test_a_resumed_training_is_bit_identical(clips: Path, trained: Path, tmp_path: Path) -> None:
    """Stopped after two of four steps and taken up again, checkpoint, model, picture and sound are the same bytes."""
    origin = Origin(str(clips), (("split", "test"),))
    for steps in (2, 4):
        prepared = prepare(origin, FRONT_END, _design())
        list(run(prepared, tmp_path, steps, every=2))
    for name in (CHECKPOINT, MODEL, f"{PREVIEWS}/step-000004.png", f"{PREVIEWS}/step-000004.wav"):
        assert (tmp_path / name).read_bytes() == (trained / name).read_bytes(), name
    assert [json.loads(line)["step"] for line in (tmp_path / LOG).read_text().splitlines()] == [2, 4]
    assert not list(run(prepared, tmp_path, 4, every=2))  # it is done already


def test_sampling_is_reproducible(trained: Path, tmp_path: Path) -> None:
    """The same seed gives the same files, the first images do not depend on how many there are; another differs."""
    model = GanModel.load(trained / MODEL)
    folders = [tmp_path / name for name in ("first", "again", "more")]
    for folder, number in zip(folders, (3, 3, 70), strict=True):
        names = write_samples(model, folder, SampleOptions(number)).images
    assert names[:3] == ("0000-class000.png", "0001-class001.png", "0002-class000.png")
    for name in names[:3]:
        assert len({(folder / name).read_bytes() for folder in folders}) == 1
    assert (model.sample(2, seed=0) != model.sample(2, seed=1)).any()
    assert (folders[0] / "index.csv").read_text().splitlines()[1] == "0000-class000.png,high,16"


def test_samples_need_nothing_else_to_be_heard(trained: Path, tmp_path: Path) -> None:
    """A sample's image holds the model's levels within half a step, and invert makes the same sound of it."""
    model = GanModel.load(trained / MODEL)
    written = write_samples(model, tmp_path / "samples", SampleOptions(2, seed=3, classes=("low",), audio=True))
    image = decode(tmp_path / "samples" / written.images[0])
    expected = model.sample(1, seed=3, labels=[1])[0]
    clipped = np.clip(expected, model.level_range.low[:, None], model.level_range.high[:, None])
    assert np.abs(image.level - clipped).max() <= image.max_error + 1e-9
    assert image.header.length == SAMPLES
    export_audio(tmp_path / "samples", tmp_path / "sounds")
    for name in written.images:
        sound = Path(name).with_suffix(".wav")
        assert (tmp_path / "samples" / sound).read_bytes() == (tmp_path / "sounds" / sound).read_bytes()
        assert soundfile.info(tmp_path / "samples" / sound).frames == SAMPLES


def test_a_model_that_was_saved_is_the_same(trained: Path, tmp_path: Path) -> None:
    """Saving and loading changes no byte of the file and no sample."""
    model = GanModel.load(trained / MODEL)
    model.save(tmp_path / "copy.safetensors")
    assert (tmp_path / "copy.safetensors").read_bytes() == (trained / MODEL).read_bytes()


@pytest.mark.parametrize(("samples", "rule"), [(SAMPLES + 500, "crop"), (SAMPLES - 500, "pad")])
def test_clips_of_other_lengths_need_a_rule(tmp_path: Path, samples: int, rule: str) -> None:
    """Without a rule one clear error names clip, lengths and option; with it clips are cut or padded at their end."""
    source = Origin(str(_clips(tmp_path / "clips", each=1, samples=samples))).training_clips()
    with pytest.raises(ArgumentError, match=f"has {samples} samples, .* show {SAMPLES} .* --fix-length {rule}"):
        read_levels(source, Window(FRONT_END, SIZE))
    with pytest.raises(ArgumentError, match="--fix-length"):
        read_levels(source, Window(FRONT_END, SIZE, "pad" if rule == "crop" else "crop"))
    wave = np.zeros(SAMPLES)
    recorded = soundfile.read(source.clips[0].path)[0][:SAMPLES]
    wave[: len(recorded)] = recorded
    for fixed in (rule, "crop-or-pad"):
        levels = read_levels(source, Window(FRONT_END, SIZE, fixed)).levels
        np.testing.assert_allclose(levels[0], FRONT_END(wave), atol=1e-4)


def test_bad_files_are_left_out_and_listed(tmp_path: Path) -> None:
    """A file that cannot be read is skipped, named and counted, and too many of them are an error."""
    table = _clips(tmp_path / "clips", each=2)
    (tmp_path / "clips" / "low0.wav").write_bytes(b"not audio")
    source = Origin(str(table)).training_clips()
    read = read_levels(source, Window(FRONT_END, SIZE), max_bad=0.5)
    assert [bad.path for bad in read.bad] == ["low0.wav"]
    assert len(read.levels) == 3
    result = CliRunner().invoke(app, ["gan", "train", str(table), "-o", str(tmp_path / "out"), *FRONT_END_OPTIONS])
    assert result.exit_code in (1, 2)


def test_models_of_other_versions_and_damaged_ones_are_refused(trained: Path, tmp_path: Path) -> None:
    """Another format, another kind and damaged weights each give one error that says what was found."""
    header, tensors = files.load(trained / MODEL)
    path = tmp_path / "other.safetensors"
    files.save(path, {**header, "format": 99}, tensors)
    with pytest.raises(FileFormatError, match="'gan' of format 99, written by specnorm"):
        GanModel.load(path)
    with pytest.raises(FileFormatError, match="'gan_checkpoint'"):
        GanModel.load(trained / CHECKPOINT)
    weight = next(name for name in tensors if name.startswith("generator.") and tensors[name].ndim == 4)
    for damage in ({weight: tensors[weight][:1]}, {weight: tensors[weight] * np.nan}):
        files.save(path, header, {**tensors, **damage})
        with pytest.raises(FileFormatError, match="damaged"):
            GanModel.load(path)
    path.write_bytes((trained / MODEL).read_bytes()[:-10])
    with pytest.raises(FileFormatError):
        GanModel.load(path)


def test_a_checkpoint_belongs_to_its_training(clips: Path, trained: Path, tmp_path: Path) -> None:
    """A folder with other settings is not resumed, nor is a checkpoint of other networks or format."""
    shutil.copytree(trained, tmp_path / "copy")
    origin = Origin(str(clips), (("split", "test"),))
    other = prepare(origin, FRONT_END, _design(seed=1))
    with pytest.raises(ArgumentError, match=r"other settings \(design\)"):
        list(run(other, tmp_path / "copy", 4))
    with pytest.raises(FileFormatError, match="another training"):
        load_checkpoint(other.trainer(), trained / CHECKPOINT)
    header, tensors = files.load(trained / CHECKPOINT)
    files.save(tmp_path / "old.safetensors", {**header, "format": 0}, tensors)
    same = prepare(origin, FRONT_END, _design())
    with pytest.raises(FileFormatError, match="of format 0"):
        load_checkpoint(same.trainer(), tmp_path / "old.safetensors")
    del tensors["generator.project.weight"]
    files.save(tmp_path / "old.safetensors", header, tensors)
    with pytest.raises(FileFormatError, match="not those of these networks"):
        load_checkpoint(same.trainer(), tmp_path / "old.safetensors")
    (tmp_path / "copy" / SETTINGS).write_text("{")
    with pytest.raises(FileFormatError, match="damaged"):
        list(run(same, tmp_path / "copy", 4))


def test_running_out_of_memory_says_what_to_do() -> None:
    """An allocation that cannot be met names the settings that need it; any other error goes through."""
    with (
        pytest.raises(ArgumentError, match="out of memory with width=32, size=64 and 64 images.*--batch-size"),
        explained_memory(Architecture(), 64),
    ):
        torch.empty(2**60)
    with pytest.raises(RuntimeError, match="shape"), explained_memory(Architecture(), 64):
        torch.zeros(2).reshape(3)


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
        Window(FRONT_END, 64)
    with pytest.raises(ArgumentError, match="size=48"):
        Architecture(size=48)


def test_conditional_training_needs_labels(noise_folder: Path) -> None:
    """Clips without labels cannot be conditioned on."""
    clip = next(noise_folder.rglob("*.wav"))
    with pytest.raises(SourceError, match="have no label"):
        prepare(Origin(str(clip)), FRONT_END, _design())


def test_without_torch_the_error_names_the_extra(clips: Path, tmp_path: Path) -> None:
    """Where torch is not installed, each command fails with the command that installs it; --help still works."""
    code = (
        "import sys; sys.modules['torch'] = None; from specnorm.cli import app; import typer.main as t;"
        "from typer.testing import CliRunner; from specnorm.cli.app import app\n"
        f"train = ['train', {str(clips)!r}, '-o', {str(tmp_path)!r}]\n"
        "for args in (train, ['sample', 'm', '-o', 'x'], ['score', 'm']):\n"
        "    r = CliRunner().invoke(app, ['gan', *args]); assert r.exit_code == 1, r.output\n"
        "    assert \"pip install 'specnorm[torch]'\" in r.stderr, r.stderr\n"
        "assert CliRunner().invoke(app, ['gan', 'train', '--help']).exit_code == 0"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_commands_train_and_sample(clips: Path, tmp_path: Path) -> None:
    """The command line trains, resumes, samples and says so in JSON; misuse is 2, failure 1."""
    runner, folder = CliRunner(), tmp_path / "run"
    command = [
        "gan",
        "train",
        str(clips),
        "-o",
        str(folder),
        *FRONT_END_OPTIONS,
        *TRAIN_OPTIONS,
        "--every",
        "2",
        "--json",
    ]
    told = json.loads(runner.invoke(app, [*command, "--steps", "2"]).stdout)
    assert (told["clips"], told["bad"], [line["step"] for line in told["log"]]) == (16, [], [2])
    assert 0 <= told["clipped_share"] < 0.2
    more = runner.invoke(app, [*command[:-1], "--steps", "3"])
    assert more.exit_code == 0
    assert "step 3: discriminator" in more.stdout
    sampled = runner.invoke(app, ["gan", "sample", str(folder), "-n", "2", "-o", str(tmp_path / "out"), "--json"])
    assert json.loads(sampled.stdout)["images"] == ["0000-class000.png", "0001-class001.png"]
    unknown = runner.invoke(app, ["gan", "sample", str(folder), "-o", str(tmp_path / "out"), "--class", "seven"])
    assert unknown.exit_code == 2
    assert "the model's classes are high, low" in unknown.stderr
    missing = runner.invoke(app, ["gan", "sample", str(tmp_path / "none"), "-o", str(tmp_path / "out")])
    assert missing.exit_code == 1
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    changed = runner.invoke(app, [*command, "--steps", "3", "--n-fft", "512"])
    assert changed.exit_code == 2
    assert "other settings (front_end, images)" in changed.stderr
    assert all(path.read_bytes() == content for path, content in before.items())
