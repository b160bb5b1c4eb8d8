"""The post's notebook runs with today's fastai, and its statistics are exact."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile

import spectronorm as sn

torch = pytest.importorskip("torch")
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # fastai 2.8 uses torch.jit.script
    basics = pytest.importorskip("fastai.basics")
    import fastai.callback.schedule

from spectronorm.experiment.training.models import make_model  # noqa: E402
from spectronorm.interop.fastai import (  # noqa: E402
    AudioBlock,
    AudioNormalize,
    AudioSpectrogram,
    AudioTensor,
    AudioToSpec,
    SpecNormalize,
    StatsRecorder,
)
from spectronorm.interop.fastai_augment import AugmentSpectrograms, AugmentWaves, LevelNormalize, MixupCallback  # noqa: E402

assert fastai.callback.schedule.__name__
RATE = 4000
FRONT_END = sn.FrontEnd(
    sample_rate=RATE, stft=sn.STFT(n_fft=128, hop_length=64), bands=sn.Mel(16), compress=sn.Decibel(floor_db=-60.0)
)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Low and high tones in noise, 12 of each, in folders named after them; some are short."""
    folder, generator = tmp_path_factory.mktemp("tones"), np.random.default_rng(0)
    for index in range(24):
        label, frequency = (("low", 300.0), ("high", 1200.0))[index % 2]
        time = np.arange(RATE // 4 if index < 22 else RATE // 8) / RATE
        wave = 0.3 * np.sin(2 * np.pi * frequency * time) + 0.02 * generator.standard_normal(len(time))
        (folder / label).mkdir(exist_ok=True)
        soundfile.write(folder / label / f"{index:02d}.wav", wave, RATE)
    return folder


def loaders(folder: Path, *batch_tfms: object, item_tfms: tuple[object, ...] = (AudioNormalize,)) -> object:
    """Data loaders as the post makes them."""
    block = basics.DataBlock(
        blocks=(AudioBlock(RATE, 0.25), basics.CategoryBlock),
        get_items=lambda path: sorted(Path(path).rglob("*.wav")),
        splitter=basics.FuncSplitter(lambda path: int(path.stem) >= 16),
        get_y=basics.parent_label,
        item_tfms=list(item_tfms),
        batch_tfms=list(batch_tfms),
    )
    return block.dataloaders(folder, bs=6, num_workers=0, shuffle=False)


def test_the_post_s_notebook_trains(clips: Path) -> None:
    """Recorders over the batches, their statistics as a batch transform, and a learner that learns from it."""
    torch.manual_seed(0)
    recorded = StatsRecorder(), StatsRecorder(red_dims=(0, 1, 3))
    to_levels = AudioToSpec(FRONT_END)
    for x, _ in loaders(clips, to_levels).train:
        assert isinstance(x, AudioSpectrogram)
        for recorder in recorded:
            recorder.update(x)
    assert [tuple(recorder.mean.shape) for recorder in recorded] == [(1, 1, 1, 1), (1, 1, 16, 1)]
    dls = loaders(clips, to_levels, SpecNormalize(recorded[1].mean, recorded[1].std, axes=(0, 1, 3)))
    learner = basics.Learner(dls, make_model("tiny", 2, 64, (0,)), metrics=[basics.accuracy])
    with learner.no_logging():
        learner.fit_one_cycle(4, 5e-3)
    assert learner.recorder.values[-1][0] < learner.recorder.values[0][0]


def test_a_recorder_is_exact() -> None:
    """Batches of any size, order and length give the mean and deviation of all values together."""
    generator = np.random.default_rng(1)
    parts = [generator.normal(-40, 12, (n, 1, 5, frames)).astype(np.float32) for n, frames in ((7, 9), (1, 30), (4, 2))]
    together = np.concatenate([part.swapaxes(1, 2).swapaxes(0, 1).reshape(5, -1) for part in parts], axis=1)
    for order in ((0, 1, 2), (2, 0, 1)):
        recorder, pooled = StatsRecorder(red_dims=(0, 1, 3)), StatsRecorder()
        for index in order:
            recorder.update(torch.from_numpy(parts[index]))
            pooled.update(torch.from_numpy(parts[index]).double())
        exact = together.astype(np.float64)
        np.testing.assert_allclose(recorder.mean.flatten(), exact.mean(axis=1), rtol=2e-7)
        np.testing.assert_allclose(recorder.std.flatten(), exact.std(axis=1), rtol=2e-7)
        np.testing.assert_allclose(pooled.mean.item(), exact.mean(), rtol=1e-12)
        np.testing.assert_allclose(pooled.std.item(), exact.std(), rtol=1e-12)
        assert recorder.nobservations == 12


def test_a_recorder_refuses_what_does_not_fit() -> None:
    """Other bands, nothing recorded, no batch axis and values that are not finite are one clear error each."""
    recorder = StatsRecorder(red_dims=(0, 1, 3))
    with pytest.raises(sn.errors.ArgumentError, match="nothing is recorded"):
        _ = recorder.mean
    recorder.update(torch.zeros(2, 1, 4, 3))
    with pytest.raises(sn.errors.ShapeError, match="does not match the first"):
        recorder.update(torch.zeros(2, 1, 5, 3))
    with pytest.raises(sn.errors.ShapeError, match="not finite"):
        recorder.update(torch.full((1, 1, 4, 3), float("nan")))
    with pytest.raises(sn.errors.ShapeError, match="nothing to average"):
        recorder.update(torch.zeros(2, 1, 4))
    with pytest.raises(sn.errors.ArgumentError, match="red_dims"):
        StatsRecorder(red_dims=(2, 3))


def test_normalization_measures_the_whole_training_set(clips: Path) -> None:
    """Without statistics they are those of all 16 training clips (not of one batch), and training only."""
    x = torch.cat([x for x, _ in loaders(clips, AudioToSpec(FRONT_END)).train.new(drop_last=False)])
    assert len(x) == 16
    dls = loaders(clips, AudioToSpec(FRONT_END), SpecNormalize(axes=(0, 1, 3)))
    normalize = dls.after_batch[-1]
    values = x.as_subclass(torch.Tensor).double()
    np.testing.assert_allclose(normalize.mean.flatten(), values.mean(dim=(0, 1, 3)), rtol=1e-5)
    np.testing.assert_allclose(normalize.std.flatten(), values.std(dim=(0, 1, 3), correction=0), rtol=1e-5)


def test_what_is_normalized_decodes(clips: Path) -> None:
    """Decodes undoes encodes, and a fitted normalizer gives the numbers that it gives elsewhere."""
    fitted = sn.Standardize(per="band").fit(sn.fit(sn.open_source(clips), FRONT_END))
    level = FRONT_END(sn.read(clips / "low" / "00.wav", RATE))
    x = AudioSpectrogram(torch.from_numpy(level)[None, None])
    normalize = SpecNormalize.of(fitted)
    np.testing.assert_allclose(normalize.encodes(x)[0, 0], fitted(level), atol=1e-5)
    np.testing.assert_allclose(normalize.decodes(normalize.encodes(x))[0, 0], level, atol=1e-4)
    assert type(normalize.encodes(x)) is AudioSpectrogram
    with pytest.raises(sn.errors.ArgumentError, match="in each clip"):
        SpecNormalize.of(sn.PerClip().fit(sn.fit(sn.open_source(clips), FRONT_END)))


def test_batches_and_results_are_drawn(clips: Path) -> None:
    """A batch is a grid of spectrograms in dB with a label each; results have label and guess."""
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    dls = loaders(clips, AudioToSpec(FRONT_END), SpecNormalize(axes=(0, 1, 3)))
    dls.show_batch(max_n=5)
    titles = [ax.get_title() for ax in pyplot.gcf().axes if ax.images and ax.get_title()]
    assert len(titles) == 5
    assert set(titles) <= {"low", "high"}
    image = pyplot.gcf().axes[0].images[0].get_array()
    assert image.shape == FRONT_END(np.zeros(RATE // 4, np.float32)).shape
    assert image.min() < -10  # dB again, not deviations
    pyplot.close("all")
    learner = basics.Learner(dls, make_model("tiny", 2, 64, (0,)), metrics=[])
    with learner.no_bar() if hasattr(learner, "no_bar") else learner.no_logging():
        learner.show_results(max_n=4, shuffle=False)
    assert {ax.get_title().split(" / ")[0] for ax in pyplot.gcf().axes if ax.get_title()} <= {"low", "high"}
    assert sum(bool(ax.images and " / " in ax.get_title()) for ax in pyplot.gcf().axes) == 4
    AudioTensor.create(clips / "low" / "00.wav", RATE).show()
    assert pyplot.gca().get_xlabel() == "time (s)"
    assert pyplot.gca().get_xlim()[1] == pytest.approx(0.25)
    pyplot.close("all")


def test_pictures_have_hz_seconds_and_the_unit(clips: Path) -> None:
    """A level is drawn in dB over seconds and Hz, a normalized one says so, and a decoded one is in dB again."""
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    wave = AudioTensor.create(clips / "low" / "00.wav", RATE, 0.25)
    level = AudioToSpec(FRONT_END).encodes(wave[None])
    normalize = SpecNormalize(-40.0, 20.0)
    normalized = normalize.encodes(level)
    for shown, unit in ((level, "dB"), (normalized, "normalized"), (normalize.decodes(normalized), "dB")):
        ax = shown[0].show()
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (s)", "frequency (Hz)")
        assert ax.figure.axes[-1].get_ylabel() == unit
        assert ax.get_xlim()[1] == pytest.approx(level.shape[-1] * FRONT_END.stft.hop / RATE)
    assert "<audio" in wave.play()._repr_html_()
    pyplot.close("all")


def test_the_default_is_fastaudio_s_basic_spectrogram() -> None:
    """`AudioToSpec()` takes the waveform as it is: ten times the amplitude is 20 dB, and torch's STFT agrees."""
    wave = 0.01 * np.random.default_rng(0).standard_normal(16_000).astype(np.float32)
    quiet, loud = (
        AudioToSpec().encodes(AudioTensor(torch.from_numpy(factor * wave)[None, None])) for factor in (1, 10)
    )
    heard = quiet > -60  # beside the floor
    np.testing.assert_allclose((loud - quiet)[heard], 20.0, atol=0.05)
    window = torch.hann_window(400, dtype=torch.float64)
    wide = torch.from_numpy(wave.astype(np.float64))
    spectrum = torch.stft(wide, 400, 200, window=window, return_complex=True, center=True, pad_mode="reflect")
    np.testing.assert_allclose(quiet[heard], 10 * torch.log10(spectrum.abs() ** 2)[heard[0, 0]], atol=0.05)


def test_augmentations_are_transforms_of_the_training_set(clips: Path) -> None:
    """Crops shorten waves, masks come after the normalization, equal seeds agree, and validation is left alone."""
    to_levels, normalize = AudioToSpec(FRONT_END), SpecNormalize(-40.0, 20.0)
    masks = AugmentSpectrograms(sn.augment.SpecAugment(time_mask_param=4, p=1.0), seed=1)
    crops = AugmentWaves(sn.augment.Gain(), sn.augment.RandomCrop(RATE // 8), seed=2)
    dls = loaders(clips, crops, to_levels, normalize, masks)
    x, _ = dls.train.one_batch()
    frames = FRONT_END.frames(RATE // 8)
    assert x.shape[-2:] == (16, frames)
    assert type(x) is AudioSpectrogram
    assert bool((x == 0).any())  # masked with the mean
    whole = torch.cat([x for x, _ in dls.valid])
    assert whole.shape[-1] == FRONT_END.frames(RATE // 4)
    assert not bool((whole == 0).any())
    level = torch.zeros(2, 1, 16, 30).normal_(generator=torch.Generator().manual_seed(0))
    again = [AugmentSpectrograms(sn.augment.SpecAugment(), seed=3).encodes(AudioSpectrogram(level)) for _ in range(2)]
    torch.testing.assert_close(*again)
    with pytest.raises(sn.errors.ArgumentError, match="MixupCallback"):
        AugmentWaves(sn.augment.Mixup())
    with pytest.raises(sn.errors.ArgumentError, match="needs AugmentSpectrograms"):
        AugmentWaves(sn.augment.SpecAugment())


@pytest.mark.parametrize(
    "normalizer", [sn.PerClip(), sn.normalize.SlidingStandardize(length=9, min_length=1), sn.Standardize()]
)
def test_any_normalizer_is_a_transform(clips: Path, normalizer: sn.normalize.Normalizer) -> None:
    """Clip by clip, sliding or over the data set: a batch has the library's numbers, and decodes to its levels."""
    fitted = normalizer.fit(sn.fit(sn.open_source(clips), FRONT_END))
    levels = np.stack([FRONT_END(sn.read(clips / "low" / f"{n:02d}.wav", RATE)) for n in (0, 2)])
    transform = LevelNormalize(fitted)
    x = transform.encodes(AudioSpectrogram(torch.from_numpy(levels)[:, None]))
    np.testing.assert_allclose(x[:, 0], np.stack([fitted(level) for level in levels]), atol=1e-4)
    np.testing.assert_allclose(transform.decodes(x)[:, 0], levels, atol=1e-3)
    assert type(x) is AudioSpectrogram


def test_mixup_trains_and_leaves_the_learner_as_it_was(clips: Path) -> None:
    """Mixed batches have mixed labels, validation has its own, and the loss is the learner's again."""
    torch.manual_seed(0)
    dls = loaders(clips, AudioToSpec(FRONT_END), SpecNormalize(axes=(0, 1, 3)))
    learner = basics.Learner(dls, make_model("tiny", 2, 64, (0,)), metrics=[basics.accuracy])
    before = learner.loss_func
    with learner.no_logging():
        learner.fit_one_cycle(4, 5e-3, cbs=[MixupCallback(0.4, seed=1)])
    assert learner.loss_func is before
    assert learner.recorder.values[-1][0] < learner.recorder.values[0][0]


def test_waves_are_of_one_length_and_standardized(clips: Path) -> None:
    """Short clips are repeated, not padded; an item transform standardizes each wave and keeps its rate."""
    wave = AudioTensor.create(clips / "low" / "22.wav", RATE, 0.25)
    assert wave.shape == (1, RATE // 4)
    np.testing.assert_array_equal(wave[0, : RATE // 8], wave[0, RATE // 8 :])
    out = AudioNormalize()(wave)
    assert abs(float(out.mean())) < 1e-5
    assert abs(float(out.std(correction=0)) - 1) < 1e-4
    assert out.sample_rate == RATE
    with pytest.raises(sn.errors.ArgumentError, match=r"AudioBlock\(sample_rate=16000\)"):
        AudioToSpec()(out)


def test_without_fastai_one_error_says_what_to_install() -> None:
    """Importing the module without fastai is one error that names both commands."""
    code = "import sys; sys.modules['fastai'] = None\nimport spectronorm.interop.fastai"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    last = result.stderr.strip().splitlines()[-1]
    assert "spectronorm.errors.MissingExtra" in last
    assert 'pip install ".[torch,fastai]" and then: pip install --no-deps fastai==2.8.*' in last


def test_xresnet18_is_fastai_s_own() -> None:
    """With the weights of fastai's xresnet18, ours gives the same outputs, in training and in evaluation."""
    # By path, because the package around it imports torchvision.
    path = Path(basics.__file__).parent / "vision" / "models" / "xresnet.py"
    spec = importlib.util.spec_from_file_location("fastai.vision.models.xresnet", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    torch.manual_seed(0)
    theirs, ours = module.xresnet18(n_out=10, c_in=1), make_model("xresnet18", 10, 64, (0,))
    weights = dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True))
    for value in weights.values():
        if value.is_floating_point():  # also those that start at zero
            value.add_(torch.rand_like(value) * 0.1)
    ours.load_state_dict(weights)
    x = torch.randn(2, 1, 65, 80)
    with torch.no_grad():
        for mode in (True, False):
            torch.testing.assert_close(ours.train(mode)(x), theirs.train(mode)(x))
