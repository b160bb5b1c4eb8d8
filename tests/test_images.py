"""Spectrogram images: what goes in comes out, within half a grey step, or the file is refused."""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image
from tests.voices import synthetic_voice

import spectronorm as sn
from spectronorm.errors import ArgumentError, FileFormatError, FrontEndMismatch, ShapeError
from spectronorm.front_end import WaveformGain
from spectronorm.image_files import ImageCodec, Layout, LevelRange, contact_sheet, decode, encode_picture, png
from spectronorm.image_files.header import KEYWORD, pixel_digest
from spectronorm.image_files.png import encode_png, read_png, read_texts
from spectronorm.interop.tutorial_pictures import LegacyLogMel
from spectronorm.passes.images import ExportOptions, export_images

FRONT_END = sn.FrontEnd(stft=sn.STFT(n_fft=512, hop_length=128), bands=sn.Mel(40))
LAYOUTS = [Layout(bits, low, loud) for bits in (8, 16) for low in ("bottom", "top") for loud in ("dark", "bright")]

levels = hnp.arrays(np.float64, st.tuples(st.just(40), st.integers(1, 12)), elements=st.floats(-200, 60))


def a_range(low: float = -200.0, high: float = 60.0) -> LevelRange:
    return LevelRange(np.array(low), np.array(high), "test")


@pytest.fixture
def level() -> np.ndarray:
    return FRONT_END(synthetic_voice(0.5).astype(np.float64))


@given(levels, st.sampled_from(LAYOUTS), st.booleans())
def test_no_level_within_the_range_is_off_by_more_than_half_a_step(
    level: np.ndarray, layout: Layout, per_band: bool
) -> None:
    """Whatever the scheme, orientation and depth, and 16 bits stay below 0.003 dB."""
    low, high = np.full(40, -200.0), np.full(40, 60.0)
    if per_band:
        low, high = level.min(axis=1) - 1e-3, np.maximum(level.max(axis=1), level.min(axis=1) + 1) + 1e-3
    codec = ImageCodec(FRONT_END, LevelRange(low, high, "test"), layout)
    back = codec.decode(codec.pixels(level)[0])
    assert np.abs(back - level).max() <= codec.max_error * (1 + 1e-9)
    assert codec.max_error_db == codec.max_error
    if layout.bits == 16:
        assert codec.max_error_db <= 0.003


def test_the_error_is_that_of_a_fair_quantizer() -> None:
    """Rms at most step/√12 x 1.02 and bias at most 0.005 dB, over levels from -200 to +60 dB."""
    level = np.random.default_rng(0).uniform(-200, 60, (40, 25_000))
    codec = ImageCodec(FRONT_END, a_range())
    error = codec.decode(codec.pixels(level)[0]) - level
    step = 260 / 255
    assert np.sqrt((error**2).mean()) <= step / np.sqrt(12) * 1.02
    assert abs(error.mean()) <= 0.005
    assert np.abs(error).max() <= step / 2 * (1 + 1e-9)


@given(levels, st.sampled_from(LAYOUTS), st.none() | st.integers(1, 16))
def test_an_image_decoded_and_encoded_again_is_the_same_file(
    tmp_path_factory: pytest.TempPathFactory, level: np.ndarray, layout: Layout, width: int | None
) -> None:
    """Byte by byte, padding included."""
    codec = ImageCodec(FRONT_END, a_range(-120.0, 20.0), layout)
    gain = WaveformGain(0.1, -0.01)
    data = codec.encode(level, gain=gain, source="a clip", width=width)
    path = tmp_path_factory.mktemp("image") / "image.png"
    path.write_bytes(data)
    found = decode(path)
    assert found.level.shape == (40, min(level.shape[1], width or level.shape[1]))
    header = found.header
    again = codec.encode(found.level, length=header.length, gain=header.gain, source=header.source, width=width)
    assert again == data


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_low_loud_tone_lies_where_the_layout_says(layout: Layout, tmp_path: Path) -> None:
    """At the bottom and dark by default, and at the top or bright where that is asked for."""
    tone = np.sin(2 * np.pi * 200 * np.arange(8000) / 16_000)
    level = FRONT_END(tone)
    codec = ImageCodec(FRONT_END, LevelRange.of_level(level), layout)
    pixels = codec.pixels(level)[0][:, 10].astype(int)
    loudest = pixels.argmin() if layout.loud == "dark" else pixels.argmax()
    assert (loudest > 30) == (layout.low_frequencies == "bottom")
    assert pixels[loudest] in ((0, 1) if layout.loud == "dark" else (codec.top - 1, codec.top))


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("library", ["isal", "zlib"])
def test_other_programs_read_the_same_pixels(
    bits: int, library: str, level: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pillow and OpenCV open our files, whichever library compressed them."""
    if library == "zlib":
        monkeypatch.setattr(png, "_deflate", lambda data: zlib.compress(data, 1))
    codec = ImageCodec(FRONT_END, LevelRange.of_level(level), Layout(bits))
    wanted = codec.pixels(level)[0]
    data = codec.encode(level)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), wanted)
    np.testing.assert_array_equal(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED), wanted)


@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9))), st.booleans())
def test_any_pixels_survive_the_png(tmp_path_factory: pytest.TempPathFactory, pixels: np.ndarray, deep: bool) -> None:
    """Every size and value, of 8 and of 16 bits, with a text in any script."""
    pixels = (pixels.astype(np.uint16) * 257) if deep else pixels
    path = tmp_path_factory.mktemp("png") / "any.png"
    path.write_bytes(encode_png(pixels, "note", "dB, ü, 音"))
    found = read_png(path)
    np.testing.assert_array_equal(found.pixels, pixels)
    assert found.texts == {"note": "dB, ü, 音"}
    assert found.bits == (16 if deep else 8)


def test_the_header_carries_everything(level: np.ndarray, tmp_path: Path) -> None:
    """Front end, range, layout, length, gain, source and version come back from the file alone."""
    codec = ImageCodec(FRONT_END, LevelRange.of_level(level), Layout(16, "top", "bright"))
    gain = WaveformGain(0.25, 0.001)
    (tmp_path / "x.png").write_bytes(codec.encode(level, length=8000, gain=gain, source="voice"))
    found = decode(tmp_path / "x.png")
    header = found.header
    assert (header.front_end, header.level_range, header.layout) == (FRONT_END, codec.level_range, codec.layout)
    assert (header.length, header.frames, header.gain, header.source) == (8000, level.shape[1], gain, "voice")
    assert header.version == sn.__version__
    assert found.max_error == codec.max_error
    found.require_front_end(FRONT_END)
    with pytest.raises(FrontEndMismatch, match="n_mels"):
        decode(tmp_path / "x.png", sn.FrontEnd(stft=FRONT_END.stft, bands=sn.Mel(41)))


@pytest.mark.parametrize("per", ["global", "band"])
def test_ranges_come_from_the_profile(noise_folder: Path, per: str) -> None:
    """Extremes clip nothing of the training set; quantiles and deviations are the profile's own."""
    profile = sn.fit(noise_folder, FRONT_END)
    codec = ImageCodec(FRONT_END, LevelRange.extremes(profile, per))
    for clip in sn.open_source(noise_folder):
        assert codec.clipped(FRONT_END.clip_level(sn.read(clip.path, 16_000))) == 0
    statistics = profile.overall if per == "global" else profile.band
    sigmas = LevelRange.sigmas(profile, 3, per)
    middle = (sigmas.low + sigmas.high) / 2
    np.testing.assert_allclose(middle, np.reshape(statistics.mean, -1), rtol=1e-6)
    np.testing.assert_allclose((sigmas.high - sigmas.low) / 6, np.reshape(statistics.std, -1), rtol=1e-4)
    quantiles = LevelRange.quantiles(profile, 0.1, 0.9, per)
    np.testing.assert_allclose(quantiles.low, np.reshape(statistics.quantile(0.1), -1), atol=1e-4)


def test_a_fixed_range_is_in_db_for_any_logarithm() -> None:
    """-80 … 20 dB of power is the same in nepers."""
    ln = sn.FrontEnd(stft=sn.STFT(power=2.0), compress=sn.Ln(1e-9))
    found = LevelRange.fixed_db(ln, -80, 20)
    np.testing.assert_allclose([found.low[0], found.high[0]], [np.log(1e-8), np.log(100)])
    assert ImageCodec(ln, found).max_error_db == pytest.approx(100 / 255 / 2)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: LevelRange(np.array(1.0), np.array(1.0), ""), "low < high"),
        (lambda: LevelRange(np.array(np.nan), np.array(1.0), ""), "finite"),
        (lambda: ImageCodec(FRONT_END, LevelRange(np.zeros(3), np.ones(3), "")), "3 bands"),
        (lambda: Layout(12), "bits=12"),
        (lambda: Layout(low_frequencies="left"), "low_frequencies"),
        (lambda: Layout(loud="red"), "loud"),
        (lambda: WaveformGain(float("nan")), "finite"),
        (lambda: LegacyLogMel.parse("sr=1"), "legacy-logmel"),
        (lambda: LegacyLogMel.parse("sr=x,hop_length=512,n_mels=128,min=0,max=1"), "whole"),
        (lambda: LegacyLogMel(22050, 512, 128, 1.0, 1.0), "min < max"),
    ],
)
def test_settings_that_break_a_rule_are_refused(make: Callable[[], object], match: str) -> None:
    """Each names the setting."""
    with pytest.raises(ArgumentError, match=match):
        make()


def test_levels_that_no_image_can_hold_are_refused() -> None:
    """Wrong bands, NaN, integers, and a length that does not fit."""
    codec = ImageCodec(FRONT_END, a_range())
    for bad in (np.zeros((39, 4)), np.full((40, 4), np.nan), np.zeros((40, 4), int), np.zeros((1, 40, 4))):
        with pytest.raises(ShapeError):
            codec.encode(bad)
    with pytest.raises(ArgumentError, match="length=10000"):
        codec.encode(np.zeros((40, 4)), length=10_000)


def test_a_picture_for_people_says_that_it_cannot_be_turned_back(level: np.ndarray, tmp_path: Path) -> None:
    """It shows loud as bright in the colormap's own colours, and decoding names the reason."""
    codec = ImageCodec(FRONT_END, LevelRange.of_level(level))
    pixels = codec.pixels(level)[0]
    path = tmp_path / "colour.png"
    path.write_bytes(encode_picture(codec, pixels, "viridis"))
    shown = np.asarray(Image.open(path).convert("RGB"))
    brightness = shown.astype(int).sum(axis=2)
    assert brightness[pixels == pixels.min()].mean() > brightness[pixels == pixels.max()].mean()
    with pytest.raises(FileFormatError, match=r"picture for viewing in viridis colours: not invertible"):
        decode(path)
    with pytest.raises(ArgumentError, match="colormap='nope'"):
        encode_picture(codec, pixels, "nope")
    with pytest.raises(ArgumentError, match="16"):
        encode_picture(ImageCodec(FRONT_END, codec.level_range, Layout(16)), pixels, "viridis")


def test_a_contact_sheet_holds_every_image(level: np.ndarray, tmp_path: Path) -> None:
    """Grey of 8 and 16 bits and colours, each in its own cell."""
    images = []
    for bits in (8, 16):
        codec = ImageCodec(FRONT_END, LevelRange.of_level(level), Layout(bits))
        path = tmp_path / f"{bits}.png"
        path.write_bytes(codec.encode(level))
        images.append((f"a very long name of an image with {bits} bits, longer than its cell", path))
    path = tmp_path / "colour.png"
    codec = ImageCodec(FRONT_END, LevelRange.of_level(level))
    path.write_bytes(encode_picture(codec, codec.pixels(level)[0], "magma"))
    sheet = np.asarray(contact_sheet("all", [*images, ("colour", path)], columns=3))
    assert sheet.shape == (14 + 6 + 128 + 14 + 6, 3 * 246 + 6, 3)
    cells = [sheet[34:162, 6 + 246 * i : 246 + 246 * i] for i in range(3)]
    np.testing.assert_allclose(cells[0].astype(int), cells[1].astype(int), atol=1)
    assert (cells[2][..., 0] != cells[2][..., 2]).any()


def test_the_pixel_digest_sees_shape_depth_and_order() -> None:
    """Equal bytes in another shape or order are other pixels."""
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    others = [pixels.reshape(4, 3), pixels[::-1], pixels.astype(np.uint16)]
    assert len({pixel_digest(x) for x in (pixels, *others)}) == 4
    assert pixel_digest(pixels.astype(">u2")) == pixel_digest(pixels.astype("<u2"))


def test_an_image_notes_the_command_only_if_there_is_one(tmp_path: Path) -> None:
    """A command is kept beside the settings and identifies nothing; without one an image has the bytes of before."""
    wave = (0.1 * np.random.default_rng(0).standard_normal(16_000), 16_000)
    front_end = sn.FrontEnd(bands=sn.Mel(16))
    codec = ImageCodec(front_end, LevelRange(-100, 20, "by hand"))
    line = "spectronorm images sounds/ --profile 'a b.safetensors'"
    for name, options in (("plain", None), ("noted", ExportOptions(command=line))):
        export_images([wave], codec, tmp_path / name, options=options)
    plain, noted = (next((tmp_path / name).rglob("*.png")) for name in ("plain", "noted"))
    headers = [decode(path).header for path in (plain, noted)]
    assert [one.command for one in headers] == ["", line]
    assert replace(headers[1], command="").text_with("") == headers[0].text_with("")
    assert "command" not in json.loads(read_texts(plain)[KEYWORD])
    again = export_images([wave], codec, tmp_path / "noted", options=ExportOptions(command="another"))
    assert (again.kept, decode(noted).header.command) == (1, line)
