"""Long clips through every command: what holding them gives, whatever is kept, stored or drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from typer.testing import CliRunner

import spectronorm as sn
from spectronorm.arrays import SlidingWindow, sliding_affine, sliding_affine_in_blocks
from spectronorm.audio import long_clip
from spectronorm.cli.app import app
from spectronorm.features import open_features, read_level
from spectronorm.image_files import ImageCodec, LevelRange, decode
from spectronorm.image_files.png import read_colours
from spectronorm.passes.apply import apply
from spectronorm.passes.images import ExportOptions, export_images
from spectronorm.passes.stores import Store
from spectronorm.profile.counting import in_blocks

RATE = 8_000
NORMALIZERS = {
    "band": sn.Standardize(per="band"),
    "clip": sn.PerClip(),
    "clip-band": sn.PerClip(per="band"),
    "sliding": sn.normalize.SlidingStandardize(90, 1),
    "sliding by the data set": sn.normalize.SlidingStandardize(91, 1, scale="data_set"),
    "causal": sn.normalize.SlidingStandardize(80, 20, center=False),
    "longer than the clip": sn.normalize.SlidingStandardize(5_000),
}


def front_end(channels: str = "mean", level: Any = None) -> sn.FrontEnd:
    """A small front end."""
    stft = sn.STFT(n_fft=256, hop_length=80)
    waveform = level or sn.waveform.AsRecorded()
    return sn.FrontEnd(RATE, level=waveform, stft=stft, bands=sn.Mel(10), channels=channels)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Recordings of two channels, of which one channel swells; one at another rate."""
    rng = np.random.default_rng(0)
    place = tmp_path / "clips"
    place.mkdir()
    for name, count, rate in (("a", 60_000, RATE), ("b", 90_000, 11_025), ("short", 3_000, RATE)):
        swell = 0.05 + np.sin(np.arange(count) / 9_000.0) ** 2
        waves = np.stack([0.1 * rng.standard_normal(count), 0.2 * swell * rng.standard_normal(count)], axis=1)
        soundfile.write(place / f"{name}.wav", waves, rate)
    return place


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Call it, and clips are read in blocks that are small beside them."""

    def call() -> None:
        from spectronorm.audio.decoding import decode as decoding  # noqa: PLC0415

        monkeypatch.setattr(long_clip, "SMALL_BYTES", 20_000)
        monkeypatch.setattr(long_clip, "LONG_SAMPLES", 1_000)
        monkeypatch.setattr(decoding, "_STREAMED_SAMPLES", 20_011)
        monkeypatch.setattr(in_blocks, "FRAMES", 64)
        monkeypatch.setattr(in_blocks, "LEVEL_FRAMES", 64)

    return call


ONE = sn.engines.ThreadEngine(1)


@pytest.mark.parametrize("level", [sn.waveform.AsRecorded(), sn.waveform.StandardizeWaveform()])
def test_a_long_stack_is_counted_to_the_integers_of_a_held_one(
    folder: Path, level: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sums, histograms, digests and figures of the waveform, each channel standardized by itself.

    Levels are computed in stretches that are joined before they are counted.
    """
    from spectronorm.audio.decoding import decode as decoding  # noqa: PLC0415

    held = sn.fit(folder, front_end("stack", level), engine=ONE)
    monkeypatch.setattr(long_clip, "SMALL_BYTES", 20_000)
    monkeypatch.setattr(long_clip, "LONG_SAMPLES", 1_000)
    monkeypatch.setattr(decoding, "_STREAMED_SAMPLES", 20_011)
    monkeypatch.setattr(in_blocks, "LEVEL_FRAMES", 128)
    assert sn.fit(folder, front_end("stack", level), engine=ONE) == held


def test_equal_stacks_have_one_digest(folder: Path) -> None:
    """Duplicates among stacks are found; channels that are exchanged are another sound."""
    waves, rate = soundfile.read(folder / "a.wav")
    soundfile.write(folder / "again.wav", waves, rate)
    soundfile.write(folder / "exchanged.wav", waves[:, ::-1], rate)
    digests = sn.fit(folder, front_end("stack"), engine=ONE).total.digests
    assert len(digests) == 5
    assert len({bytes(one) for one in digests}) == 4


def levels_of(out: Path) -> dict[str, NDArray[Any]]:
    """Every array of a store, as `fit --levels` reads it."""
    described = sn.Levels.load(out / "levels.json")
    return {clip.name.rpartition(".tar")[2]: read_level(clip, described) for clip in open_features(out)}


@pytest.mark.parametrize("channels", ["mean", "stack:2"])
@pytest.mark.parametrize("name", NORMALIZERS)
def test_a_long_clip_is_normalized_as_a_held_one(
    name: str, channels: str, folder: Path, tmp_path: Path, blocks: Any
) -> None:
    """Each way to normalize, one channel and two: the values of holding the clip, within float32."""
    profile = sn.fit(folder, front_end(channels), engine=ONE)
    pipeline = sn.Pipeline(profile.front_end, NORMALIZERS[name].fit(profile))
    apply(folder, pipeline, tmp_path / "held", engine=ONE)
    blocks()
    apply(folder, pipeline, tmp_path / "blocks", engine=ONE)
    held, found = levels_of(tmp_path / "held"), levels_of(tmp_path / "blocks")
    assert held.keys() == found.keys()
    for clip, x in held.items():
        assert np.abs(x - found[clip]).max() < 2e-5


@pytest.mark.parametrize("to", ["npy", "safetensors", "webdataset", "parquet"])
@pytest.mark.parametrize("layout", ["cft", "tfc", "ctf", "ftc"])
def test_every_store_takes_long_clips_in_every_order_of_axes(
    to: str, layout: str, folder: Path, tmp_path: Path, blocks: Any
) -> None:
    """With padding behind the clip: what `fit --levels` reads is what a held clip gives."""
    if to == "parquet":
        pytest.importorskip("pyarrow")
    profile = sn.fit(folder, front_end("stack"), engine=ONE)
    pipeline = sn.Pipeline(profile.front_end, sn.MinMax().fit(profile))
    store = Store(to, layout=layout)
    apply(folder, pipeline, tmp_path / "held", store=store, duration=9.0, engine=ONE)
    blocks()
    apply(folder, pipeline, tmp_path / "blocks", store=store, duration=9.0, engine=ONE)
    held, found = levels_of(tmp_path / "held"), levels_of(tmp_path / "blocks")
    assert held.keys() == found.keys()
    assert all(np.array_equal(x, found[clip]) for clip, x in held.items())
    index = (tmp_path / "held" / "index.csv").read_text()
    assert index == (tmp_path / "blocks" / "index.csv").read_text()


@pytest.mark.parametrize("window", [SlidingWindow(7), SlidingWindow(8), SlidingWindow(5, 3, center=False)])
@pytest.mark.parametrize("size", [1, 4, 13, 40])
def test_a_sliding_window_goes_over_the_borders_of_blocks(window: SlidingWindow, size: int) -> None:
    """Whatever the blocks, each position has the mean and deviation of its window in the whole signal."""
    x = np.random.default_rng(0).standard_normal((2, 31)) - 40.0
    whole = sliding_affine(x, window)
    parts = list(sliding_affine_in_blocks([x[:, a : a + size] for a in range(0, 31, size)], window))
    assert np.array_equal(np.concatenate([part for part, _ in parts], axis=1), x)
    for field in ("shift", "scale"):
        found = np.concatenate([getattr(affine, field) for _, affine in parts], axis=1)
        assert np.abs(found - getattr(whole, field)).max() < 1e-12


@pytest.mark.parametrize("channels", ["mean", "stack:2"])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(
    "options", [ExportOptions(), ExportOptions(width=200), ExportOptions(width=2_000), ExportOptions(duration=9.0)]
)
def test_a_long_clip_has_the_image_of_a_held_one(
    options: ExportOptions, bits: int, channels: str, folder: Path, tmp_path: Path, blocks: Any
) -> None:
    """The pixels and the header, cropped and padded; a repeated run keeps the image."""
    codec = codec_of(channels, bits)
    held = export_images(folder, codec, tmp_path / "held", options=options, engine=ONE)
    blocks()
    found = export_images(folder, codec, tmp_path / "blocks", options=options, engine=ONE)
    assert (found.written, found.clipped, found.cells) == (held.written, held.clipped, held.cells)
    for name in ("a", "b", "short"):
        one, other = (decode(tmp_path / place / f"{name}.png") for place in ("held", "blocks"))
        assert np.array_equal(one.level, other.level)
        assert (one.header.frames, one.header.length) == (other.header.frames, other.header.length)
        assert one.level.shape[:-1] == codec.front_end.level_shape
        assert one.header.gain.scale == pytest.approx(other.header.gain.scale, rel=1e-6)
        assert one.header.gain.offset == pytest.approx(other.header.gain.offset, abs=1e-7)
    again = export_images(folder, codec, tmp_path / "blocks", options=options, engine=ONE)
    assert again.kept == 3


def codec_of(channels: str, bits: int = 8) -> ImageCodec:
    """Images of standardized waves, whose gain must be undone."""
    chosen = front_end(channels, sn.waveform.StandardizeWaveform())
    return ImageCodec(chosen, LevelRange.fixed_db(chosen, -60, 30), sn.images.Layout(bits=bits))


def test_a_long_clip_has_the_coloured_picture_of_a_held_one(folder: Path, tmp_path: Path, blocks: Any) -> None:
    """Every pixel in colour is that of holding the clip."""
    pytest.importorskip("matplotlib")
    options = ExportOptions(colormap="magma")
    export_images(folder, codec_of("stack:2"), tmp_path / "held", options=options, engine=ONE)
    blocks()
    export_images(folder, codec_of("stack:2"), tmp_path / "blocks", options=options, engine=ONE)
    one, other = (np.asarray(read_colours(tmp_path / place / "a.png")) for place in ("held", "blocks"))
    assert np.array_equal(one, other)


def test_an_image_that_could_not_be_read_back_is_a_bad_file(
    folder: Path, tmp_path: Path, blocks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More pixels than are read back: the clip is bad, whether it is held or not, and the others are written."""
    from spectronorm.image_files import codec as codecs  # noqa: PLC0415

    monkeypatch.setattr(codecs, "MAX_PIXELS", 7_000)
    for place in ("held", "blocks"):
        done = export_images(folder, codec_of("mean"), tmp_path / place, max_bad=0.9, engine=ONE)
        assert [(bad.path, bad.reason.value) for bad in done.bad] == [("a.wav", "too-large"), ("b.wav", "too-large")]
        assert done.written == 1
        blocks()


def test_a_stack_goes_to_an_image_and_back_to_stereo(folder: Path, tmp_path: Path) -> None:
    """One picture with the first channel at the top; the sound from it has two channels at their own levels."""
    fitted = sn.fit(folder, front_end("stack"), engine=ONE, output=tmp_path / "p.safetensors")
    runner = CliRunner()
    command = ["images", str(folder), "-p", str(tmp_path / "p.safetensors"), "-o", str(tmp_path / "images")]
    assert runner.invoke(app, command).exit_code == 0
    image = decode(tmp_path / "images" / "a.png")
    assert image.level.shape[:2] == (2, 10)
    waves = sn.read(folder / "a.wav", RATE, channels="stack")
    assert np.abs(image.level - fitted.front_end(waves.astype(np.float64))).max() <= image.max_error + 1e-9
    back = ["invert", str(tmp_path / "images" / "a.png"), "-o", str(tmp_path / "a.wav")]
    assert runner.invoke(app, back).exit_code == 0
    sound, _ = soundfile.read(tmp_path / "a.wav")
    assert sound.shape[1] == 2
    assert np.allclose(sound.std(axis=0), waves.std(axis=1), rtol=0.3)


def test_a_round_trip_of_a_stack_measures_its_channels(folder: Path, tmp_path: Path) -> None:
    """The losses are those of the channels, each alone; original and recovered sound have both."""
    from spectronorm.passes.round_trip import round_trip  # noqa: PLC0415

    both = round_trip(folder / "a.wav", front_end("stack"), tmp_path / "both")
    each = [round_trip(folder / "a.wav", front_end(str(c)), tmp_path / str(c)) for c in range(2)]
    assert soundfile.info(both.recovered).channels == 2
    means = [one.losses["bands_db"] for one in each]
    assert both.losses["bands_db"] == pytest.approx(sum(means) / 2)  # type: ignore[arg-type]
