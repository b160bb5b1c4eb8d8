"""A SpecGAN: trained, resumed, sampled and heard."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from spectronorm.cli.app import app
from spectronorm.images import LevelRange, decode
from spectronorm.passes.sounds import export_audio

torch = pytest.importorskip("torch")

from tests.gan_cases import FRONT_END, FRONT_END_OPTIONS, SAMPLES, SIZE, design, origin_of, train, write_clips  # noqa: E402

from spectronorm.gan.augment import Changes  # noqa: E402
from spectronorm.gan.losses import LOSSES  # noqa: E402
from spectronorm.gan.model import GanModel  # noqa: E402
from spectronorm.gan.networks import Architecture, make_networks  # noqa: E402
from spectronorm.gan.prepare import prepare_gan  # noqa: E402
from spectronorm.gan.run import CHECKPOINT, LOG, MODEL, PREVIEWS, train_gan  # noqa: E402
from spectronorm.gan.sample import SampleOptions, write_samples  # noqa: E402
from spectronorm.gan.scaling import from_unit, to_unit  # noqa: E402

TRAIN_OPTIONS = [
    *("--size", str(SIZE), "--width", "8", "--latent", "8", "--conditional", "--batch-size", "4"),
    *("--hold-out", "split=test", "--device", "cpu"),
]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clips(tmp_path_factory.mktemp("gan") / "clips")


@pytest.fixture(scope="module")
def trained(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(clips, tmp_path_factory.mktemp("gan") / "trained")


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_losses_stay_finite_and_weights_move(clips: Path, tmp_path: Path, loss: str, precision: str) -> None:
    """A few steps of either loss in either precision give finite losses and change both networks."""
    prepared = prepare_gan(origin_of(clips), FRONT_END, design(loss=loss, precision=precision))
    before = prepared.model(prepared.trainer()).weights
    (line,) = train_gan(prepared, tmp_path, 3, every=5)
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
    origin = origin_of(clips)
    prepared = prepare_gan(origin, FRONT_END, design())
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
    origin = origin_of(clips)
    for steps in (2, 4):
        prepared = prepare_gan(origin, FRONT_END, design())
        list(train_gan(prepared, tmp_path, steps, every=2))
    for name in (CHECKPOINT, MODEL, f"{PREVIEWS}/step-000004.png", f"{PREVIEWS}/step-000004.wav"):
        assert (tmp_path / name).read_bytes() == (trained / name).read_bytes(), name
    assert [json.loads(line)["step"] for line in (tmp_path / LOG).read_text().splitlines()] == [2, 4]
    assert not list(train_gan(prepared, tmp_path, 4, every=2))  # it is done already


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
    assert "class 'seven' is unknown; it must be one of high, low" in unknown.stderr
    missing = runner.invoke(app, ["gan", "sample", str(tmp_path / "none"), "-o", str(tmp_path / "out")])
    assert missing.exit_code == 1
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    changed = runner.invoke(app, [*command, "--steps", "3", "--n-fft", "512"])
    assert changed.exit_code == 2
    assert "other settings (front_end)" in changed.stderr
    assert all(path.read_bytes() == content for path, content in before.items())
