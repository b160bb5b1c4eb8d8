"""Front ends equal librosa's numbers, and are one value in NumPy and torch, for a clip and for a batch."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import pytest
import scipy.signal
import torch
from hypothesis import given
from hypothesis import strategies as st

import spectronorm as sn
from spectronorm.front_end import PRESETS
from spectronorm.front_end.stft.window import window_values
from spectronorm.kernels.buffers import Workspace

RATE = 16_000
NOISE = 0.1 * np.random.default_rng(0).standard_normal(RATE)
CHIRP = librosa.chirp(fmin=50, fmax=7500, sr=RATE, duration=1.0).astype(np.float64)
SILENT_HALF = np.where(np.arange(RATE) < RATE // 2, 0.0, NOISE)
MEL_KINDS = list(itertools.product(["slaney", "htk"], ["slaney", None]))


@pytest.mark.parametrize("wave", [NOISE, CHIRP, SILENT_HALF], ids=["noise", "chirp", "silent half"])
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("pad_mode", ["constant", "reflect"])
class TestAgainstLibrosa:
    """Levels equal librosa's to 1e-4 dB wherever they are above the floor."""

    def stft(self, center: bool, pad_mode: str) -> sn.STFT:
        return sn.STFT(n_fft=512, win_length=400, hop_length=160, center=center, pad_mode=pad_mode)

    def librosa_settings(self, center: bool, pad_mode: str) -> dict[str, object]:
        return {"n_fft": 512, "win_length": 400, "hop_length": 160, "center": center, "pad_mode": pad_mode}

    def test_linear(self, wave: np.ndarray, center: bool, pad_mode: str) -> None:
        """Linear bands are `librosa.stft` in decibels."""
        level = sn.FrontEnd(RATE, stft=self.stft(center, pad_mode))(wave)
        spectrum = librosa.stft(wave, **self.librosa_settings(center, pad_mode))
        assert_above_floor(level, librosa.power_to_db(np.abs(spectrum) ** 2, top_db=None))

    @pytest.mark.parametrize(("mel_scale", "norm"), MEL_KINDS)
    def test_mel(self, wave: np.ndarray, center: bool, pad_mode: str, mel_scale: str, norm: str | None) -> None:
        """Mel bands are `librosa.feature.melspectrogram` in decibels, on both scales and norms."""
        bands = sn.Mel(64, f_min=20.0, f_max=7600.0, mel_scale=mel_scale, norm=norm)
        level = sn.FrontEnd(RATE, stft=self.stft(center, pad_mode), bands=bands)(wave)
        mel = librosa.feature.melspectrogram(
            y=wave,
            sr=RATE,
            n_mels=64,
            fmin=20.0,
            fmax=7600.0,
            htk=mel_scale == "htk",
            norm=norm,
            dtype=np.float64,
            **self.librosa_settings(center, pad_mode),
        )
        assert_above_floor(level, librosa.power_to_db(mel, top_db=None))


def assert_above_floor(level: np.ndarray, reference: np.ndarray) -> None:
    assert level.shape == reference.shape
    above = reference > -99.9
    assert above.any()
    np.testing.assert_allclose(level[above], reference[above], rtol=0, atol=1e-4)


def test_top_db_is_librosas_and_off_by_default() -> None:
    """`top_db` bounds a clip below its own peak, as librosa's does, and only if asked for."""
    spectrum = np.abs(librosa.stft(SILENT_HALF, n_fft=400, hop_length=200)) ** 2
    stft = sn.STFT(pad_mode="constant")
    limited = sn.FrontEnd(RATE, stft=stft, compress=sn.Decibel(top_db=80.0))(SILENT_HALF)
    np.testing.assert_allclose(limited, librosa.power_to_db(spectrum, top_db=80.0), atol=1e-4)
    assert sn.FrontEnd(RATE, stft=stft)(SILENT_HALF).min() == -100.0


def test_magnitudes_in_decibels_are_librosas_amplitude_to_db() -> None:
    """With `power=1` a level is `20 log10`, with amin and ref in magnitudes."""
    stft = sn.STFT(pad_mode="constant", power=1.0)
    level = sn.FrontEnd(RATE, stft=stft, compress=sn.Decibel(amin=1e-5, ref=2.0))(NOISE)
    magnitude = np.abs(librosa.stft(NOISE, n_fft=400, hop_length=200))
    np.testing.assert_allclose(level, librosa.amplitude_to_db(magnitude, ref=2.0, amin=1e-5, top_db=None), atol=1e-9)


@pytest.mark.parametrize("name", sorted(PRESETS))
@pytest.mark.parametrize("wave", [NOISE, CHIRP, SILENT_HALF], ids=["noise", "chirp", "silent half"])
class TestOneValue:
    """The same front end in every library, shape and path."""

    def test_numpy_and_torch_agree(self, name: str, wave: np.ndarray) -> None:
        """torch in, torch out, within 1e-4 of NumPy."""
        front_end = sn.preset(name)
        level = front_end(torch.as_tensor(wave))
        assert isinstance(level, torch.Tensor)
        assert level.dtype == torch.float64
        np.testing.assert_allclose(level.numpy(), front_end(wave), rtol=0, atol=1e-4)

    def test_float32_agrees_within_60_db_of_the_frames_peak(self, name: str, wave: np.ndarray) -> None:
        """In float32, torch differs from NumPy by rounding only: 1e-3 dB within 60 dB of each frame's peak."""
        front_end = sn.preset(name)
        exact = front_end(wave.astype(np.float32))
        assert exact.dtype == np.float32
        level = front_end(torch.as_tensor(wave, dtype=torch.float32)).numpy()
        in_60_db = {"dB": 60.0, "ln": 3.0 * front_end.stft.power * np.log(10), "log10": 3.0 * front_end.stft.power}[
            front_end.compress.unit
        ]
        audible = exact > exact.max(axis=0) - in_60_db
        np.testing.assert_allclose(level[audible], exact[audible], rtol=0, atol=1e-3)

    def test_batch_is_its_items(self, name: str, wave: np.ndarray) -> None:
        """A clip's level does not depend on the batch that it is in."""
        front_end = sn.preset(name)
        batch = np.stack([wave, 0.01 * NOISE, np.zeros(RATE)]).reshape(3, 1, -1)
        together = front_end(batch)
        for item, level in zip(batch, together, strict=True):
            np.testing.assert_allclose(level, front_end(item), rtol=0, atol=1e-6)

    def test_fast_path_is_the_plain_one(self, name: str, wave: np.ndarray) -> None:
        """What the pass counts is what the array code computes."""
        front_end = sn.preset(name)
        np.testing.assert_allclose(front_end.clip_level(wave), front_end.working_level(wave), rtol=0, atol=1e-8)

    def test_frames_and_bands_are_foretold(self, name: str, wave: np.ndarray) -> None:
        """`frames` and `n_bands` say a level's shape without computing it."""
        front_end = sn.preset(name)
        assert front_end(wave).shape == (front_end.n_bands, front_end.frames(len(wave)))


@pytest.mark.parametrize("pad_mode", ["constant", "edge", "reflect"])
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("power", [1.0, 2.0, 0.6])
def test_the_fast_path_knows_every_padding_and_power(pad_mode: str, center: bool, power: float) -> None:
    """Whatever the STFT's settings, and with buffers used again, the fast path computes the plain level."""
    stft = sn.STFT(128, 100, 48, center=center, pad_mode=pad_mode, power=power)
    workspace = Workspace()
    for bands in (sn.Linear(), sn.Linear(drop_nyquist=True), sn.Mel(10)):
        front_end = sn.FrontEnd(RATE, stft=stft, bands=bands)
        for wave in (NOISE[:5000], CHIRP[:300], NOISE[:129]):
            blocks = [level[:, :count].copy() for _, count, level in front_end.clip_blocks(wave, workspace)]
            level = np.concatenate(blocks, axis=1)
            np.testing.assert_allclose(level, front_end.working_level(wave), rtol=0, atol=1e-8)


def test_standardized_waveform_is_safe_on_constant_clips() -> None:
    """Mean 0 and std 1, and zero for silence and for DC with rounding."""
    standardize = sn.waveform.StandardizeWaveform()
    out = standardize(np.stack([5 + 3 * NOISE, np.full(RATE, 0.1), np.zeros(RATE)]))
    np.testing.assert_allclose([out[0].mean(), out[0].std()], [0, 1], atol=1e-12)
    assert not out[1:].any()
    assert not standardize(torch.full((RATE,), 0.1)).any()


@given(
    n_fft=st.integers(8, 64),
    hop_length=st.integers(1, 64),
    center=st.booleans(),
    pad_mode=st.sampled_from(["constant", "edge", "reflect", "symmetric"]),
    extra=st.integers(0, 200),
)
def test_frame_count_is_foretold_for_any_settings(
    n_fft: int, hop_length: int, center: bool, pad_mode: str, extra: int
) -> None:
    """`frames` is the number of frames for every length, padding and hop."""
    stft = sn.STFT(n_fft, hop_length=hop_length, center=center, pad_mode=pad_mode)
    wave = np.random.default_rng(0).standard_normal(n_fft + extra)
    padded = np.pad(wave, n_fft // 2, mode=pad_mode) if center else wave
    expected = 1 + (len(padded) - n_fft) // hop_length
    assert stft(wave).shape == (n_fft // 2 + 1, expected) == (stft.bins, stft.frames(len(wave)))
    np.testing.assert_array_equal(stft.padded(wave), padded)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_json_round_trip_keeps_value_and_fingerprint(name: str) -> None:
    """A front end survives JSON, and its fingerprint with it."""
    front_end = sn.preset(name)
    again = sn.FrontEnd.from_json(front_end.to_json())
    assert again == front_end
    assert again.fingerprint == front_end.fingerprint


def test_fingerprint_tells_settings_apart_and_not_their_spelling() -> None:
    """Defaults spelled out are the same front end; any other setting is another one, and is named."""
    assert sn.FrontEnd(stft=sn.STFT(400, 400, 200)).fingerprint == sn.FrontEnd().fingerprint
    other = sn.FrontEnd(stft=sn.STFT(400, hop_length=160), bands=sn.Mel(64))
    assert other.fingerprint != sn.FrontEnd().fingerprint
    text = "; ".join(sn.FrontEnd().differences(other))
    assert "stft.hop_length: 200 here, 160 there" in text
    assert "bands.n_mels: absent here, 64 there" in text


def test_inverse_of_compressions_recovers_values() -> None:
    """Compressing and back gives the values, down to the floor."""
    values = np.array([[1e-8, 1e-3, 1.0, 50.0]])
    for compress, power in itertools.product([sn.Decibel(), sn.Decibel(ref=3.0), sn.Ln(1e-9)], [1.0, 2.0]):
        smallest = compress.inverse(np.array(compress.floor(power)), power)
        expected = np.maximum(values, smallest)
        np.testing.assert_allclose(compress.inverse(compress(values, power), power), expected, rtol=1e-6)


@pytest.mark.parametrize("name", ["hann", "hamming", "blackman", "blackmanharris"])
@pytest.mark.parametrize("length", [1, 2, 25, 400, 1023])
def test_windows_are_scipys(name: str, length: int) -> None:
    """Every window is SciPy's to the last bit or two, periodic and symmetric."""
    for suffix, periodic in (("", True), ("_symmetric", False)):
        expected = scipy.signal.get_window(name, length, fftbins=periodic)
        np.testing.assert_allclose(window_values(name + suffix, length, length), expected, rtol=0, atol=1e-15)


BAD_SETTINGS = [
    (lambda: sn.STFT(n_fft=0), "n_fft=0"),
    (lambda: sn.STFT(n_fft=400, win_length=512), "win_length=512"),
    (lambda: sn.STFT(hop_length=-1), "hop_length=-1"),
    (lambda: sn.STFT(window="hannn"), "window='hannn'"),
    (lambda: sn.STFT(pad_mode="mirror"), "pad_mode='mirror'"),
    (lambda: sn.STFT(power=0), "power=0"),
    (lambda: sn.Mel(0), "n_mels=0"),
    (lambda: sn.Mel(mel_scale="bark"), "mel_scale='bark'"),
    (lambda: sn.Mel(norm="l2"), "norm='l2'"),
    (lambda: sn.FrontEnd(16_000, bands=sn.Mel(f_max=9000.0)), "f_max=9000"),
    (lambda: sn.Mel(f_min=500.0, f_max=400.0), "f_min=500"),
    (lambda: sn.Decibel(amin=0), "amin=0"),
    (lambda: sn.Decibel(top_db=-1), "top_db=-1"),
    (lambda: sn.Ln(offset=0), "offset=0"),
    (lambda: sn.FrontEnd(compress=sn.Decibel(amin=1e-60)), "amin"),
    (lambda: sn.FrontEnd(sample_rate=1), "sample_rate=1"),
    (lambda: sn.FrontEnd(resampler="sinc"), "resampler='sinc'"),
    (lambda: sn.FrontEnd(bands=sn.Ln()), "bands="),
    (lambda: sn.FrontEnd.from_dict({"stft": {"n_ftt": 3}}), "n_ftt"),
    (lambda: sn.FrontEnd.from_dict({"bands": {"kind": "bark"}}), "bands.kind='bark'"),
    (lambda: sn.FrontEnd.from_dict({"sample_rte": 3}), "sample_rte"),
    (lambda: sn.FrontEnd.from_json("[1]"), "object"),
    (lambda: sn.FrontEnd.from_json("{"), "not JSON"),
    (lambda: sn.preset("fastudio"), "preset='fastudio'"),
]


@pytest.mark.parametrize("kind", [sn.FrontEnd, sn.Levels])
@pytest.mark.parametrize("text", ["{", "[1]", '{"sample_rate": 1, "levels": 1}'], ids=["cut", "list", "value"])
def test_a_file_that_describes_nothing_is_named(kind: Any, text: str, tmp_path: Path) -> None:
    """Of several files on a command line, the message says which one."""
    path = tmp_path / "described.json"
    path.write_text(text)
    with pytest.raises(sn.errors.ArgumentError, match=re.escape(f"{path}: ")):
        kind.load(path)


@pytest.mark.parametrize(("make", "message"), BAD_SETTINGS, ids=[message for _, message in BAD_SETTINGS])
def test_a_bad_setting_is_named(make: object, message: str) -> None:
    """Every setting that breaks its rule is refused by name, at construction."""
    with pytest.raises(sn.errors.ArgumentError, match="=".join(map(str, message.split("=")))):
        make()  # type: ignore[operator]


@pytest.mark.parametrize(
    ("wave", "message"),
    [
        (np.zeros(16_000, np.int16), "int16"),
        (np.zeros(399), "399 samples"),
        (np.float64(0.0) * np.ones(()), "without axes"),
        ([0.0] * 16_000, "list"),
        (torch.zeros(16_000, dtype=torch.int32), "int32"),
    ],
    ids=["integers", "short", "no axis", "list", "torch integers"],
)
def test_a_bad_wave_is_refused(wave: object, message: str) -> None:
    """Integers, clips shorter than a window and things that are no arrays get one clear error."""
    with pytest.raises(sn.errors.ShapeError, match=message):
        sn.FrontEnd()(wave)


def test_importing_spectronorm_imports_nothing_heavy() -> None:
    """`import spectronorm` leaves torch, matplotlib and every engine but the local one alone."""
    heavy = {"torch", "matplotlib", "jinja2", "pyarrow", "dask", "scipy.signal"}
    code = f"import sys, spectronorm; print(sorted({heavy} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert out.strip() == "[]"


@pytest.mark.parametrize("kind", [np.int16, np.int32, np.int64, np.uint32])
def test_numpy_integers_are_numbers(kind: type) -> None:
    """A setting that is a NumPy integer is the setting that is the Python integer, to the fingerprint."""
    plain = sn.FrontEnd(8000, stft=sn.STFT(400, hop_length=160), bands=sn.Mel(40))
    numbers = sn.FrontEnd(kind(8000), stft=sn.STFT(kind(400), hop_length=kind(160)), bands=sn.Mel(kind(40)))
    assert numbers == plain
    assert numbers.fingerprint == plain.fingerprint
    assert type(numbers.sample_rate) is type(numbers.stft.n_fft) is type(numbers.bands.n_mels) is int  # type: ignore[attr-defined]
    assert sn.front_end.fix_frames(np.ones((1, 2)), kind(3)).shape == (1, 3)


@pytest.mark.parametrize("value", [True, np.True_, 40.0, "40", None, 0, -1, np.int64(-1), np.float64(40)])
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("n_mels", sn.Mel),
        ("n_bands", sn.bands.Gammatone),
        ("n_fft", sn.STFT),
        ("sample_rate", sn.FrontEnd),
        ("workers", sn.engines.ThreadEngine),
        ("workers", sn.engines.AutoEngine),
        ("length", sn.normalize.SlidingStandardize),
        ("frames", sn.augment.FrameCrop),
        ("clips", sn.monitor.Window),
    ],
)
def test_only_whole_numbers_are_whole_numbers(name: str, make: Callable[[object], object], value: object) -> None:
    """Bools, floats, text and numbers out of range are refused by name, wherever a whole number is due."""
    with pytest.raises(sn.errors.ArgumentError, match=f"^{name}=.*must be a whole number"):
        make(value)
