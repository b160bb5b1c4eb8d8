"""images, invert and roundtrip: whole folders, interrupted and resumed, and every misuse one clear error."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image
from tests.test_cli import succeed
from tests.voices import synthetic_voice
from typer.testing import CliRunner

import spectronorm as sn
from spectronorm.cli.app import app
from spectronorm.errors import ArgumentError, FileFormatError, SourceError, TooManyBad
from spectronorm.images import ImageCodec, LevelRange, decode
from spectronorm.passes.images import ExportOptions, export_images
from spectronorm.passes.inversion_options import InversionOptions
from spectronorm.passes.sounds import export_audio

FRONT_END = sn.FrontEnd(
    level=sn.waveform.StandardizeWaveform(), stft=sn.STFT(n_fft=512, hop_length=128), bands=sn.Mel(40)
)


@pytest.fixture
def profile(noise_folder: Path) -> sn.Profile:
    return sn.fit(noise_folder, FRONT_END)


@pytest.fixture
def codec(profile: sn.Profile) -> ImageCodec:
    return ImageCodec(FRONT_END, LevelRange.extremes(profile))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_images_mirror_the_source_and_decode_to_its_levels(
    noise_folder: Path, codec: ImageCodec, tmp_path: Path
) -> None:
    """One folder a class, nothing else in it, and each image is the clip's level within its error."""
    exported = export_images(noise_folder, codec, tmp_path / "images", options=ExportOptions(sheets=4))
    assert (exported.written, exported.kept, exported.clipped, exported.bad) == (12, 0, 0, ())
    folders = {path.name for path in (tmp_path / "images").iterdir() if path.is_dir()}
    assert folders == {"high", "low"}
    assert exported.sheets == ("sheet-high.png", "sheet-low.png")
    for clip in sn.open_source(noise_folder):
        wave = sn.read(clip.path, 16_000)
        found = decode((tmp_path / "images" / clip.name).with_suffix(".png"), FRONT_END)
        np.testing.assert_allclose(found.level, FRONT_END.clip_level(wave), atol=codec.max_error * 1.0001)
        assert found.header.length == len(wave)
        assert found.header.gain.scale == pytest.approx(np.std(wave, dtype=np.float64), rel=1e-6)
    index = (tmp_path / "images" / "index.csv").read_text().splitlines()
    assert index[0] == "path,label,frames"
    assert len(index) == 13


def test_labels_of_a_table_become_folders_and_cannot_escape(write: object, codec: ImageCodec, tmp_path: Path) -> None:
    """A label is one folder's name whatever it holds."""
    source = []
    for index, label in enumerate(["dog", "../../up", "a/b", ".hidden", ""]):
        path = write(f"{index}.wav", 0.1 * synthetic_voice(0.2, seed=index))  # type: ignore[operator]
        source.append(sn.audio.ClipReference(path.name, path, {"label": label}))
    export_images(sn.audio.Source.of(source), codec, tmp_path / "out" / "images")
    found = {name for name in contents(tmp_path / "out") if name.endswith(".png")}
    wanted = {"dog/0.png", "_.._up/1.png", "a_b/2.png", "hidden/3.png", "4.png"}
    assert found == {f"images/{name}" for name in wanted}


def test_an_interrupted_export_goes_on_where_it_stopped(noise_folder: Path, codec: ImageCodec, tmp_path: Path) -> None:
    """Whole images of the same audio and settings are kept; missing, damaged and outdated ones are written again."""
    out = tmp_path / "images"
    export_images(noise_folder, codec, out)
    clean = contents(out)
    (out / "low" / "00.png").unlink()
    (out / "low" / "02.png").write_bytes(clean["low/02.png"][:-40])
    (out / "low" / "04.png").write_bytes(clean["low/06.png"])
    again = export_images(noise_folder, codec, out)
    assert (again.written, again.kept) == (3, 9)
    assert contents(out) == clean
    soundfile.write(noise_folder / "high" / "01.wav", 0.1 * synthetic_voice(0.3), 16_000)
    assert export_images(noise_folder, codec, out).written == 1
    other = ImageCodec(FRONT_END, LevelRange.fixed_db(FRONT_END, -60, 40))
    assert export_images(noise_folder, other, out).written == 12
    coloured = tmp_path / "coloured"
    options = ExportOptions(colormap="viridis")
    assert [export_images(noise_folder, codec, coloured, options=options).kept for _ in range(2)] == [0, 12]


def test_images_of_one_width_are_cropped_and_padded(noise_folder: Path, codec: ImageCodec, tmp_path: Path) -> None:
    """Every image is as wide as asked, the header knows what is real, and both kinds come back as sound."""
    export_images(noise_folder, codec, tmp_path / "images", options=ExportOptions(width=48))
    frames = set()
    for path in sorted((tmp_path / "images").rglob("*/*.png")):
        with Image.open(path) as image:
            assert image.size == (48, 40)
        found = decode(path)
        frames.add(found.level.shape[1])
        assert found.level.shape[1] <= 48
    assert max(frames) == 48 > min(frames)
    sounds = export_audio(tmp_path / "images", tmp_path / "sounds", InversionOptions(quality="fast"))
    assert len(sounds.files) == 12
    for path in sorted((tmp_path / "images").rglob("*/*.png")):
        wave, rate = soundfile.read((tmp_path / "sounds" / path.relative_to(tmp_path / "images")).with_suffix(".wav"))
        assert (len(wave), rate) == (decode(path).header.length, 16_000)


def test_bad_audio_is_listed_and_bounded(noise_folder: Path, codec: ImageCodec, tmp_path: Path) -> None:
    """Good clips are written all the same, and no file stands for a bad one."""
    (noise_folder / "low" / "bad.wav").write_bytes(b"not audio")
    (noise_folder / "low" / "pipe.wav").symlink_to("/dev/zero")
    with pytest.raises(TooManyBad, match="2 of 14"):
        export_images(noise_folder, codec, tmp_path / "images")
    exported = export_images(noise_folder, codec, tmp_path / "images", max_bad=0.5)
    assert [bad.path for bad in exported.bad] == ["low/bad.wav", "low/pipe.wav"]
    assert not list((tmp_path / "images").rglob("bad*"))


def test_saved_spectrograms_come_back_through_their_pipeline(
    noise_folder: Path, profile: sn.Profile, tmp_path: Path
) -> None:
    """apply's .npy files find the pipeline above them; a folder of them mirrors back to sound."""
    pipeline = sn.Pipeline(FRONT_END, sn.Standardize().fit(profile))
    sn.apply(noise_folder, pipeline, tmp_path / "features", duration=0.4)
    options = InversionOptions(quality="fast", format="flac")
    found = export_audio(tmp_path / "features", tmp_path / "sounds", options)
    assert len(found.files) == 12
    clip = sn.audio.read_clip(noise_folder / "low" / "00.wav", 16_000, duration=0.4)
    wave, _ = soundfile.read(tmp_path / "sounds" / "low" / "00.flac")
    assert abs(len(wave) - clip.length) < 128
    assert any("not known" in note for note in found.files[0].notes)
    shutil.copy(tmp_path / "features" / "low" / "00.npy", tmp_path / "alone.npy")
    with pytest.raises(ArgumentError, match=r"pipeline\.safetensors"):
        export_audio(tmp_path / "alone.npy", tmp_path / "alone.wav")
    per_clip = sn.Pipeline(FRONT_END, sn.PerClip().fit(profile))
    with pytest.raises(ArgumentError, match="affine_of"):
        export_audio(tmp_path / "alone.npy", tmp_path / "alone.wav", InversionOptions(pipeline=per_clip))
    np.save(tmp_path / "level.npy", FRONT_END.clip_level(clip.valid))
    direct = export_audio(tmp_path / "level.npy", tmp_path / "one.wav", InversionOptions(front_end=FRONT_END))
    assert direct.files[0].output == tmp_path / "one.wav"
    assert not (tmp_path / "alone.wav").exists()


def test_bad_images_are_listed_and_nothing_is_written_for_them(
    noise_folder: Path, codec: ImageCodec, tmp_path: Path
) -> None:
    """A folder's good images come back; a single bad file is an error."""
    images, sounds = tmp_path / "images", tmp_path / "sounds"
    export_images(noise_folder, codec, images, options=ExportOptions(sheets=2))
    Image.new("L", (30, 40)).save(images / "low" / "plain.png")
    (images / "low" / "broken.npy").write_bytes(b"\x93NUMPY broken")
    np.save(images / "low" / "objects.npy", np.array([{}]), allow_pickle=True)
    options = InversionOptions(quality="fast")
    with pytest.raises(TooManyBad, match="3 of 15"):
        export_audio(images, sounds, options)
    found = export_audio(images, sounds, options, max_bad=0.5)
    assert len(found.files) == 12
    assert [bad.path for bad in found.bad] == ["low/broken.npy", "low/objects.npy", "low/plain.png"]
    assert len(contents(sounds)) == 12
    with pytest.raises(FileFormatError, match="no spectronorm header"):
        export_audio(images / "low" / "plain.png", tmp_path / "x.wav")
    assert not (tmp_path / "x.wav").exists()
    with pytest.raises(SourceError, match="no such"):
        export_audio(tmp_path / "none", sounds)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="holds no"):
        export_audio(tmp_path / "empty", sounds)


def test_a_peak_above_full_scale_is_scaled_not_clipped(tmp_path: Path) -> None:
    """And the note says by how much."""
    front_end = sn.FrontEnd(stft=sn.STFT(n_fft=512, hop_length=128))
    np.save(tmp_path / "loud.npy", front_end(4.0 * synthetic_voice(0.5).astype(np.float64)))
    options = InversionOptions(front_end=front_end)
    (found,) = export_audio(tmp_path / "loud.npy", tmp_path / "loud.wav", options).files
    assert any("full scale" in note for note in found.notes)
    wave, _ = soundfile.read(tmp_path / "loud.wav")
    assert 0.99 <= np.abs(wave).max() <= 1.0


def test_the_commands_do_the_whole_way(noise_folder: Path, tmp_path: Path) -> None:
    """fit, images, images again, invert: what they print is what they did."""
    profile, images, sounds = tmp_path / "p.safetensors", tmp_path / "images", tmp_path / "sounds"
    succeed("fit", noise_folder, "-o", profile, "--n-mels", 40, "--n-fft", 512, "--hop-length", 128)
    made = json.loads(succeed("images", noise_folder, "-p", profile, "-o", images, "--sheet", "--json").stdout)
    assert (made["written"], made["kept"], made["bad"]) == (12, 0, [])
    assert 0 < made["max_error"] < 1
    again = CliRunner().invoke(app, ["images", str(noise_folder), "-p", str(profile), "-o", str(images)]).stdout
    assert "12 kept from before" in again
    assert "largest error" in again
    found = json.loads(succeed("invert", images, "-o", sounds, "--quality", "fast", "--json").stdout)
    assert len(found["files"]) == 12
    assert len(list(sounds.rglob("*.wav"))) == 12
    options = ["-p", str(profile), "-o", str(tmp_path / "c"), "--colormap", "magma"]
    coloured = CliRunner().invoke(app, ["images", str(noise_folder), *options])
    assert "cannot be inverted" in coloured.stderr
    refused = CliRunner().invoke(app, ["invert", str(tmp_path / "c/low/00.png"), "-o", str(tmp_path / "no.wav")])
    assert refused.exit_code == 1
    assert "not invertible" in refused.stderr
    assert not (tmp_path / "no.wav").exists()


@pytest.mark.parametrize(
    ("scheme", "exit_code"),
    [("sigma=3", 0), ("quantiles=0.01,0.99", 0), ("fixed=-80,20", 0), ("fixed=3", 2), ("nope", 2), ("sigma=x", 2)],
)
def test_range_schemes_by_name(noise_folder: Path, tmp_path: Path, scheme: str, exit_code: int) -> None:
    """Known ones work; others are a misuse that names the choice."""
    profile = tmp_path / "p.safetensors"
    sn.fit(noise_folder, FRONT_END).save(profile)
    command = ["images", str(noise_folder), "-p", str(profile), "-o", str(tmp_path / "images"), "--range", scheme]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == exit_code, done.output
    if exit_code:
        assert scheme in done.stderr
        assert not (tmp_path / "images").exists()


def test_a_page_of_round_trips_plays_both_sounds(tmp_path: Path) -> None:
    """The page holds sound before and after, the picture with its description, and the losses; names are text."""
    name = "<b>one"
    soundfile.write(tmp_path / "one.wav", synthetic_voice(1.0), 16_000)
    (tmp_path / "one.wav").rename(tmp_path / f"{name}.wav")
    page = tmp_path / "page.html"
    succeed("roundtrip", tmp_path / f"{name}.wav", "-o", tmp_path / "out", "--n-mels", 40, "--html", page)
    text = page.read_text()
    sounds = re.findall(r'src="data:audio/flac;base64,([^"]+)"', text)
    heard = [soundfile.read(io.BytesIO(base64.b64decode(sound))) for sound in sounds]
    written = [soundfile.read(tmp_path / "out" / f"{name}.{kind}.wav")[0] for kind in ("original", "recovered")]
    for (samples, rate), wanted in zip(heard, written, strict=True):
        assert rate == 16_000
        np.testing.assert_allclose(samples, wanted, atol=2 / 32768)
    assert 'alt="Spectrograms of &lt;b&gt;one: the clip, its image' in text
    assert "<b>one" not in text
    assert "level of the sound, mean (dB)" in text
    assert not re.search(r'(src|href)="(?!data:)', text)


def test_round_trip_tells_what_each_stage_lost(tmp_path: Path) -> None:
    """The files are there, quantization is within its bound, and the table is the JSON."""
    soundfile.write(tmp_path / "voice.wav", synthetic_voice(1.0), 16_000)
    out = tmp_path / "out"
    front_end = ("--n-fft", 1024, "--hop-length", 256, "--n-mels", 80)
    done = succeed("roundtrip", tmp_path / "voice.wav", "-o", out, *front_end, "--speech", "--figure", "--json")
    losses = json.loads(done.stdout)["voice"]
    assert {path.name for path in out.iterdir()} == {
        "voice.original.wav",
        "voice.png",
        "voice.recovered.wav",
        "voice.figure.png",
        "roundtrip.json",
    }
    assert json.loads((out / "roundtrip.json").read_text())["voice"] == losses
    found = decode(out / "voice.png")
    assert losses["quantization_max_db"] <= found.max_error * 1.0001
    assert losses["quantization_rms_db"] <= found.max_error
    assert 0 < losses["bands_db"] < 0.2
    assert losses["level_db"] <= 1.0
    assert losses["convergence_db"] < -5
    assert {"pesq", "stoi"} <= set(losses)
    twice = CliRunner().invoke(app, ["roundtrip", *[str(tmp_path / "voice.wav")] * 2, "-o", str(out)])
    assert twice.exit_code == 2
