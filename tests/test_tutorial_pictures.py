"""Pictures of the common tutorial code: silence that wrapped around is silence again, and what wrapped is counted."""

from __future__ import annotations

import json
import math
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from PIL import Image
from tests.test_cli import succeed
from tests.voices import synthetic_voice
from typer.testing import CliRunner

import spectronorm as sn
from spectronorm.cli.app import app
from spectronorm.errors import FileFormatError
from spectronorm.interop.tutorial_pictures import LegacyImage, LegacyLogMel, decode_legacy_logmel
from spectronorm.interop.wrapped_codes import codes_of_silence, count_turns
from spectronorm.passes.inversion_options import InversionOptions
from spectronorm.passes.sounds import export_audio

RATE, HOP, BANDS = 16_000, 256, 64
SILENCE = math.log(1e-9)


def level_of(wave: np.ndarray, rate: int = RATE, hop: int = HOP, bands: int = BANDS) -> NDArray[np.float64]:
    """The published recipe's logarithm of a mel spectrogram."""
    mels = librosa.feature.melspectrogram(y=wave, sr=rate, n_mels=bands, n_fft=2 * hop, hop_length=hop)
    return np.asarray(np.log(mels + 1e-9), dtype=np.float64)


def turns_and_picture(level: np.ndarray, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Turns of each cell, and the picture by the published recipe: scale, cast (which wraps around), flip, invert."""
    values = np.trunc((level - low) / (high - low) * 255).astype(np.int64)
    return values // 256, 255 - (values % 256).astype(np.uint8)[::-1]


def decoded(level: np.ndarray, settings: LegacyLogMel, path: Path) -> tuple[LegacyImage, np.ndarray]:
    """The picture of these levels, read back, and how often each of its cells wrapped around."""
    turns, picture = turns_and_picture(level, settings.min, settings.max)
    Image.fromarray(picture).save(path)
    return decode_legacy_logmel(path, settings), turns


def voice_between_silence() -> np.ndarray:
    """A second of voice with half a second of digital silence before and after it."""
    nothing = np.zeros(RATE // 2, np.float32)
    return np.concatenate([nothing, synthetic_voice(1.0), nothing])


@pytest.mark.parametrize("fits", [True, False])
def test_a_picture_is_read_with_the_right_inverse(fits: bool, tmp_path: Path) -> None:
    """Within half a step and without bias, also above max, where it wrapped and is counted."""
    wave = synthetic_voice(1.0)
    level = level_of(wave)
    high = float(level.max()) + (0.01 if fits else -1.0)
    settings = LegacyLogMel(RATE, HOP, BANDS, float(level.min()) - 0.01, high)
    found, turns = decoded(level, settings, tmp_path / "old.png")
    right = np.abs(found.level - level) <= 2.001 * settings.max_error
    assert abs((found.level - level)[right].mean()) < 0.1 * settings.max_error
    assert found.wrapped.silence == found.wrapped.below == 0
    if fits:
        assert right.all()
        assert found.wrapped.share == 0.0
    else:
        assert (turns > 0).sum() > 20
        assert (~right).mean() <= 0.002
        assert found.wrapped.above == pytest.approx((turns > 0).sum(), rel=0.1)
    np.testing.assert_allclose(settings.front_end(wave.astype(np.float64)), level, atol=2e-3)
    with pytest.raises(FileFormatError, match="n_mels=65"):
        decode_legacy_logmel(tmp_path / "old.png", LegacyLogMel(RATE, HOP, 65, 0.0, 1.0))


@pytest.mark.parametrize("low", [-19.5, -18.0, -15.0])
def test_wrapped_silence_is_restored_and_counted_exactly(low: float, tmp_path: Path) -> None:
    """Every cell of digital silence, no cell of the voice, and the level is that of silence."""
    level = level_of(voice_between_silence())
    settings = LegacyLogMel(RATE, HOP, BANDS, low, float(level.max()) + 0.1)
    found, turns = decoded(level, settings, tmp_path / "old.png")
    scaled = (level - settings.min) / (settings.max - settings.min) * 255
    silent = np.trunc(scaled) == math.trunc(settings.code_of_silence)
    assert 0.3 < silent.mean() < 0.6
    assert found.wrapped.silence == silent.sum()
    np.testing.assert_array_equal(found.level[silent], SILENCE)
    assert found.losses["silence_share"] == silent.mean()
    assert found.wrapped.below == ((turns < 0) & ~silent).sum()
    assert np.abs(found.level - level).max() <= 2.001 * settings.max_error


def test_a_range_that_was_typed_with_two_decimals_still_finds_silence(tmp_path: Path) -> None:
    """The picture was made with all digits; those that are left off move silence by less than a tenth of a code."""
    level = level_of(voice_between_silence())
    silent = level < SILENCE + 1e-6
    for low in np.linspace(-17.0, -16.9, 41):
        high = float(level.max())
        _, picture = turns_and_picture(level, float(low), high)
        Image.fromarray(picture).save(tmp_path / "old.png")
        found = decode_legacy_logmel(
            tmp_path / "old.png", LegacyLogMel(RATE, HOP, BANDS, round(float(low), 2), round(high, 2))
        )
        assert found.wrapped.silence == silent.sum()


def test_a_loud_sound_of_the_code_of_silence_stays_loud() -> None:
    """Silence fills areas: a tone, a click, or a loud field around such a code is not taken for it."""
    floor = -36.2
    assert codes_of_silence(floor) == (-36,)
    codes = np.tile(np.array([[150], [185], [210], [185], [150]], np.int64), (4, 30))
    codes[7] = 220  # a tone: one band, all frames
    codes[:, 12] = 220  # a click: all bands, one frame
    turns, silent = count_turns(codes, floor)
    assert not silent.any()
    assert not turns.any()
    codes[10:, 20:] = 220
    turns, silent = count_turns(codes, floor)
    assert silent[10:, 20:].all()
    assert silent.sum() == silent[10:, 20:].sum() == 100
    assert (turns == np.where(silent, -1, 0)).all()


@pytest.mark.parametrize(("floor", "codes"), [(0.0, ()), (-0.9, ()), (-36.01, (-36, -35)), (-300.5, (-300,))])
def test_silence_has_codes_only_if_it_wraps_around(floor: float, codes: tuple[int, ...]) -> None:
    """A cast truncates towards zero, so silence wraps below -1; beside a whole number either code is possible."""
    assert codes_of_silence(floor) == codes
    silence = np.full((4, 4), (codes or (0,))[0] % 256, np.int64)
    turns, silent = count_turns(silence, floor)
    assert silent.all() == bool(codes)
    assert ((silence + 256 * turns) == (codes or (0,))[0]).all()


def test_field_recordings_are_restored_to_a_cell_in_five_hundred(esc10: Path, tmp_path: Path) -> None:
    """By the recipe's own averages of the extremes: silence without a fault, and the rest nearly so."""
    waves = [sn.read(path, 22_050) for path in sorted((esc10 / "audio").glob("*.ogg"))[::40]]
    levels = [level_of(wave, 22_050, 512, 128) for wave in waves]
    low, high = (float(np.mean([getattr(level, name)() for level in levels])) for name in ("min", "max"))
    settings = LegacyLogMel(22_050, 512, 128, low, high)
    code = math.trunc(settings.code_of_silence)
    wrapped = wrong = false = silent = 0
    for level in levels:
        found, turns = decoded(level, settings, tmp_path / "old.png")
        value = np.trunc((level - low) / (high - low) * 255)
        restored = found.level == SILENCE
        false += int((restored & (value > code)).sum())
        silent += found.wrapped.silence
        wrapped += int((turns != 0).sum())
        wrong += int((np.abs(found.level - level) > 2.001 * settings.max_error).sum())
    cells = sum(level.size for level in levels)
    assert wrapped > 0.05 * cells
    assert silent > 0.6 * wrapped
    assert false <= 1e-4 * silent
    assert wrong <= 0.002 * cells


def test_the_sound_of_wrapped_silence_is_silence(tmp_path: Path) -> None:
    """Silence that was read as a loud sound comes back at its own level, and the command says how much there was."""
    nothing, wave = np.zeros(22_050, np.float32), synthetic_voice(1.0, 22_050)
    level = sn.preset("logmel")(np.concatenate([wave, nothing]).astype(np.float64))
    low, high = -18.0, float(level.max()) - 1.0
    turns, picture = turns_and_picture(level, low, high)
    Image.fromarray(picture).save(tmp_path / "old.png")
    settings = f"sr=22050,hop_length=512,n_mels=128,min={low},max={high}"
    done = succeed("invert", tmp_path / "old.png", "-o", tmp_path / "old.wav", "--legacy-logmel", settings)
    back, rate = soundfile.read(tmp_path / "old.wav")
    assert (rate, abs(len(back) - 44_100) < 512) == (22_050, True)
    assert np.abs(back[-18_000:]).max() < 1e-3
    assert np.abs(back[:22_050]).max() > 0.1
    silent = int((level < SILENCE + 1e-6).sum())
    share = f"{silent / level.size:.2%}"
    assert f"{silent:,} cells ({share}) were silence that had wrapped around" in done.stderr
    assert "half a step" in done.stderr
    above = int((turns > 0).sum())
    assert f"{above:,} cells ({above / level.size:.2%}) above max" in done.stderr


def test_a_folder_says_the_share_of_all_its_pictures_and_again_when_resumed(tmp_path: Path) -> None:
    """The lines, the JSON and the journal agree on the counts."""
    wave = voice_between_silence()
    level = level_of(wave)
    settings = LegacyLogMel(RATE, HOP, BANDS, -17.0, float(level.max()))
    (tmp_path / "old").mkdir()
    for name, part in (("a", level), ("b", level[:, ::-1])):
        Image.fromarray(turns_and_picture(part, settings.min, settings.max)[1]).save(tmp_path / "old" / f"{name}.png")
    told = f"sr={RATE},hop_length={HOP},n_mels={BANDS},min={settings.min},max={settings.max}"
    arguments = ("invert", tmp_path / "old", "-o", tmp_path / "sounds", "--legacy-logmel", told)
    first, again = (succeed(*arguments).stdout for _ in range(2))
    share = (level < SILENCE + 1e-6).mean()
    assert f"{share:.2%} silence" in first
    assert first == again
    files = json.loads(succeed(*arguments, "--json").stdout)["files"]
    made = export_audio(tmp_path / "old", tmp_path / "others", InversionOptions(legacy=settings))
    for file, one in zip(files, made.files, strict=True):
        assert one.wrapped is not None
        assert file["wrapped"]["silence"] == one.wrapped.silence == (level < SILENCE + 1e-6).sum()
        assert file["wrapped"]["share"] == one.wrapped.share


def test_settings_that_are_incomplete_write_nothing(tmp_path: Path) -> None:
    """One clear error."""
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "old.png")
    no = str(tmp_path / "no.wav")
    misuse = CliRunner().invoke(app, ["invert", str(tmp_path / "old.png"), "-o", no, "--legacy-logmel", "sr=22050"])
    assert misuse.exit_code == 2
    assert not (tmp_path / "no.wav").exists()
