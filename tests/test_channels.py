"""Recordings with several channels: averaged, chosen, each by itself or stacked, and told when they cancel."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from typer.testing import CliRunner

import spectronorm as sn
from spectronorm.audio import Reader, open_source
from spectronorm.cli.app import app
from spectronorm.monitor import Monitor
from spectronorm.passes.apply import apply
from spectronorm.passes.fit import fit

torch = pytest.importorskip("torch")
from spectronorm.nn import ClipDataset, Preprocess  # noqa: E402
from spectronorm.nn.dataset import collate  # noqa: E402

RATE = 8_000
FRONT_END = sn.FrontEnd(RATE, bands=sn.Mel(12), stft=sn.STFT(n_fft=256, hop_length=80))


def waves(channels: int = 2, count: int = 6, seed: int = 0) -> list[NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    gains = np.linspace(0.02, 0.2, channels)[:, None]
    return [
        np.clip(rng.standard_normal((channels, 4_000 + 400 * index)) * gains, -1, 1).astype(np.float32)
        for index in range(count)
    ]


def write(folder: Path, some: list[NDArray[np.float32]], suffix: str = "wav", **options: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for index, wave in enumerate(some):
        soundfile.write(folder / f"{index}.{suffix}", wave.T, RATE, **options)
    return folder


@pytest.fixture
def stereo(tmp_path: Path) -> Path:
    return write(tmp_path / "stereo", waves(), subtype="FLOAT")


@pytest.mark.parametrize("untrusted", [False, True])
@pytest.mark.parametrize("rate", [RATE, 11_025])
def test_channels_are_read_as_asked(stereo: Path, untrusted: bool, rate: int) -> None:
    """The mean, one channel or all of them are the samples that NumPy takes from the file."""
    (wave,) = waves(count=1)
    limits = sn.audio.Limits() if untrusted else None
    read = {
        how: Reader(limits, channels=how).read(stereo / "0.wav", rate).samples
        for how in ("mean", "first", "0", "1", "stack:2")
    }
    assert read["stack:2"].shape[0] == 2
    assert np.array_equal(read["stack:2"][0], read["first"])
    assert np.array_equal(read["0"], read["first"])
    assert np.array_equal(read["stack:2"][1], read["1"])
    if rate == RATE:
        assert np.array_equal(read["stack:2"], wave)
        assert np.allclose(read["mean"], wave.mean(axis=0), atol=1e-7)
    assert np.array_equal(sn.read(stereo / "0.wav", rate, channels="stack"), read["stack:2"])


def test_a_stack_is_measured_as_levels_with_channels(stereo: Path) -> None:
    """Per channel and band a stack has the integers of `Levels(channels=2)` on the same arrays."""
    profile = fit(stereo, FRONT_END, channels="stack")
    grid = FRONT_END.grid
    levels = sn.Levels(12, "dB", grid.low, 300.0, channels=2)
    meter = sn.Meter(levels, "cft")
    for wave in waves():
        meter.add(np.stack([FRONT_END.clip_level(channel) for channel in wave]))
    foreign = meter.profile()
    assert profile.front_end.channels == "stack:2"
    assert profile.front_end.level_shape == (2, 12)
    assert levels.grid.steps == grid.steps
    for name in ("count", "total", "lowest", "highest", "squares", "products"):
        assert np.array_equal(getattr(profile.total, name), getattr(foreign.total, name)), name
    wide = np.concatenate([np.stack([FRONT_END.clip_level(c) for c in wave]) for wave in waves()], axis=-1)
    assert np.allclose(profile.band.mean.reshape(2, 12), wide.mean(axis=-1), atol=2e-5)
    for per, axes in {"band": (2,), "channel": (1, 2), "shared-band": (0, 2), "global": (0, 1, 2)}.items():
        fitted = sn.Standardize(per=per, min_scale=0).fit(profile)
        x = fitted(wide)
        assert np.abs(x.mean(axis=axes)).max() < 1e-4
        assert np.abs(x.std(axis=axes) - 1).max() < 1e-4


def test_a_pipeline_of_a_stack_does_the_whole_job(stereo: Path, tmp_path: Path) -> None:
    """A pipeline of a stack maps waves and files alike, is saved and loaded, and its output is measured again."""
    profile = fit(stereo, FRONT_END, channels="stack", output=tmp_path / "p.safetensors")
    assert sn.load(tmp_path / "p.safetensors") == profile
    pipeline = sn.Pipeline(profile.front_end, sn.Standardize(per="shared-band").fit(profile))
    pipeline.save(tmp_path / "pipeline.safetensors")
    assert sn.load(tmp_path / "pipeline.safetensors") == pipeline
    apply(stereo, pipeline, tmp_path / "out")
    for index, wave in enumerate(waves()):
        x = np.load(tmp_path / "out" / f"{index}.npy")
        assert x.shape[:2] == (2, 12)
        assert np.abs(x - pipeline(wave.astype(np.float64))).max() < 1e-4
    levels = sn.Levels.load(tmp_path / "out" / "levels.json")
    assert (levels.channels, levels.bands) == (2, 12)
    again = fit(tmp_path / "out", levels)
    assert abs(again.overall.mean) < 1e-4
    with pytest.raises(sn.errors.ShapeError, match="channel, sample"):
        pipeline(np.zeros(8_000))
    with pytest.raises(sn.errors.ArgumentError, match="one channel"):
        Monitor(profile)


def test_each_channel_is_a_clip(stereo: Path, tmp_path: Path) -> None:
    """With each, channels are clips with a column, and their groups are the channels chosen one by one."""
    profile = fit(stereo, FRONT_END, channels="each", group_by="channel")
    assert profile.clips == 12
    for number in (0, 1):
        alone = fit(stereo, FRONT_END, channels=number)
        assert profile.only(channel=number).total == alone.total
    pipeline = sn.Pipeline(profile.front_end, sn.Standardize().fit(profile))
    applied = apply(stereo, pipeline, tmp_path / "out")
    assert applied.written == 12
    assert (tmp_path / "out" / "0.wav#1.npy").is_file()
    with pytest.raises(sn.errors.FrontEndMismatch, match="channels"):
        profile + fit(stereo, FRONT_END)


def test_the_mean_stays_what_it_was(stereo: Path) -> None:
    """The default way is the mean, and says nothing of channels in what identifies a front end."""
    assert "channels" not in FRONT_END.to_dict()
    assert sn.FrontEnd.from_dict(sn.FrontEnd(channels=1).to_dict()) == sn.FrontEnd(channels="1")
    assert fit(stereo, FRONT_END) == fit(stereo, FRONT_END, channels="mean")


@pytest.mark.parametrize("seconds", [1, 700])
def test_channels_that_cancel_are_flagged_and_never_called_silent(tmp_path: Path, seconds: int) -> None:
    """Two channels in antiphase are flagged, exact or nearly so, in short and in long files; one dead channel too."""
    rng = np.random.default_rng(0)
    wave = (0.1 * rng.standard_normal(RATE * seconds)).astype(np.float32)
    nearly = -wave + 1e-4 * rng.standard_normal(wave.size).astype(np.float32)
    some = [
        np.stack(pair) for pair in ((wave, -wave), (wave, nearly), (wave, 0 * wave), (wave, wave), (wave, wave[::-1]))
    ]
    folder = write(tmp_path / "s", some, subtype="FLOAT")
    soundfile.write(folder / "silent.wav", np.zeros((RATE, 2)), RATE)
    profile = fit(folder, FRONT_END)
    flags = {(flag.path, flag.reason.value) for flag in profile.flagged}
    assert flags == {
        ("0.wav", "channels-cancel"),
        ("1.wav", "channels-cancel"),
        ("2.wav", "dead-channel"),
        ("silent.wav", "silent"),
    }
    if seconds == 1:
        stack = fit(folder, FRONT_END, channels="stack")
        assert {(flag.path, flag.reason.value) for flag in stack.flagged} == {
            ("2.wav", "dead-channel"),
            ("silent.wav", "silent"),
        }
        first = fit(folder, FRONT_END, channels="first")
        assert {(flag.path, flag.reason.value) for flag in first.flagged} == {("silent.wav", "silent")}


@pytest.mark.parametrize(("channels", "suffix"), [(6, "wav"), (4, "wav"), (4, "flac"), (6, "flac")])
def test_surround_and_ambisonics_are_read(tmp_path: Path, channels: int, suffix: str) -> None:
    """Recordings in 5.1 and of first order have all their channels."""
    folder = write(tmp_path, waves(channels), suffix)
    assert fit(folder, FRONT_END, channels="stack").front_end.level_shape == (channels, 12)
    assert fit(folder, FRONT_END, channels=channels - 1).clips == 6


def test_other_numbers_of_channels_are_bad(stereo: Path) -> None:
    """A file that lacks the channels that are wanted is left out with the reason."""
    soundfile.write(stereo / "mono.wav", waves()[0][0], RATE)
    for how in ("stack", "stack:2", 1):
        profile = fit(stereo, FRONT_END, channels=how, max_bad=0.2)
        assert [(bad.path, bad.reason.value) for bad in profile.bad] == [("mono.wav", "channels")]


@pytest.mark.parametrize("channels", ["left", "", -1, 5000, "stack:", "stack:0", "1.5", None, True, 2.0, "٣"])
def test_other_ways_are_refused(channels: object) -> None:
    """What is no way to read channels is refused by name."""
    with pytest.raises(sn.errors.ArgumentError, match="channels="):
        sn.FrontEnd(channels=channels)  # type: ignore[arg-type]


def test_the_command_line_takes_channels(stereo: Path, tmp_path: Path) -> None:
    """`--channels stack` finds the number, and the profile says it."""
    options = ["--sample-rate", "8000", "--n-fft", "256", "--hop-length", "80", "--n-mels", "12", "--bands", "mel"]
    done = CliRunner().invoke(app, ["fit", str(stereo), "-o", str(tmp_path / "p"), "--channels", "stack", *options])
    assert done.exit_code == 0, done.output
    assert sn.Profile.load(tmp_path / "p") == fit(stereo, FRONT_END, channels="stack")
    shown = CliRunner().invoke(app, ["show", str(tmp_path / "p")])
    assert "stack:2" in shown.output


def test_a_dataset_gives_stacked_waves(stereo: Path, tmp_path: Path) -> None:
    """A dataset of stacks gives waves `(channel, sample)` that a module maps as the pipeline does."""
    profile = fit(stereo, FRONT_END, channels="stack")
    pipeline = sn.Pipeline(profile.front_end, sn.Standardize().fit(profile))
    dataset = ClipDataset(stereo, profile.front_end, cache=tmp_path / "cache")
    batch = collate([dataset[index] for index in range(len(dataset))])
    assert batch.wave.shape == (6, 2, 6_000)
    module = Preprocess(pipeline)
    x = module(batch.wave, lengths=batch.length)
    for index, wave in enumerate(waves()):
        alone = pipeline(wave.astype(np.float64))
        assert np.abs(x[index, ..., : alone.shape[-1]].numpy() - alone).max() < 1e-3
        assert not x[index, ..., alone.shape[-1] :].any()
    each = ClipDataset(stereo, sn.FrontEnd(RATE, channels="each"), cache=tmp_path / "cache")
    assert np.array_equal(each[1].wave.numpy(), waves()[0][1])
    assert torch.equal(each[1].wave, ClipDataset(open_source(stereo), sn.FrontEnd(RATE, channels=1))[0].wave)


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_the_channels_of_a_stack_are_cut_at_one_start(library: str) -> None:
    """A crop is one stretch of all channels, and not a silent one where one channel is loud."""
    rng = np.random.default_rng(0)
    loud = np.zeros((6, 2, 4_000), np.float32)
    for clip in range(6):
        start = 500 * clip
        loud[clip, clip % 2, start : start + 300] = 0.1 * rng.standard_normal(300)
    times = np.broadcast_to(np.arange(4_000, dtype=np.float32) * 1e-9, loud.shape)
    batch = loud + times  # which tell where each sample was
    crop = sn.augment.RandomCrop(200)
    given = torch.from_numpy(batch) if library == "torch" else batch
    cropped, lengths = crop.stack(given, np.random.default_rng(1), np.full(6, 3_500))
    found = np.asarray(cropped)
    assert found.shape == (6, 2, 200)
    assert np.asarray(lengths).tolist() == [200] * 6
    for clip in range(6):
        quiet = found[clip, 1 - clip % 2]
        first = round(float(quiet[0]) * 1e9)
        assert np.array_equal(found[clip], batch[clip, :, first : first + 200])
        assert np.sqrt((found[clip].astype(np.float64) ** 2).mean()) > 1e-3
    with pytest.raises(sn.errors.ShapeError, match="channel, sample"):
        crop.stack(np.zeros(300), np.random.default_rng(0))


def test_a_dataset_crops_stacks(stereo: Path) -> None:
    """Random crops of a stack come with all channels, and another epoch cuts elsewhere."""
    crop = sn.augment.RandomCrop(2_000)
    dataset = ClipDataset(stereo, replace(FRONT_END, channels="stack"), crop=crop)
    first = dataset[0].wave.numpy()
    whole = sn.read(stereo / "0.wav", RATE, channels="stack")
    starts = np.flatnonzero(whole[0] == first[0, 0]).tolist()
    assert any(np.array_equal(whole[:, start : start + 2_000], first) for start in starts)
    dataset.set_epoch(1)
    assert not np.array_equal(dataset[0].wave.numpy(), first)
