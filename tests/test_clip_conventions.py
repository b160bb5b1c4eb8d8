"""Normalization of clips as SeamlessM4T and NeMo do it, and frames as vocoders cut them."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from benchmarks.agreement.sounds import synthetic

import spectronorm as sn
from spectronorm.errors import ArgumentError


def test_seamless_is_its_extractor() -> None:
    """Preset and PerClip together give what SeamlessM4TFeatureExtractor gives."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        transformers = pytest.importorskip("transformers")
        extractor = transformers.SeamlessM4TFeatureExtractor(stride=1)
        wave = synthetic(16_000)
        found = extractor(wave, sampling_rate=16_000, return_tensors="np")["input_features"][0].T
    level = sn.preset("seamless")(wave.astype(np.float64))
    ours = sn.PerClip("band", ddof=1, epsilon=1e-7).clip_affine(level)(level)
    np.testing.assert_allclose(ours, found[:, : ours.shape[1]], atol=1e-5)


def test_nemo_is_its_formula() -> None:
    """`(x - mean) / (torch.std(x) + 1e-5)`."""
    level = np.random.default_rng(0).normal(-4.0, 3.0, (5, 30))
    x = torch.from_numpy(level)
    expected = (x - x.mean(-1, keepdim=True)) / (x.std(-1, keepdim=True) + 1e-5)
    settings = sn.PerClip("band", ddof=1, epsilon=1e-5, epsilon_of="std")
    np.testing.assert_allclose(settings.clip_affine(level)(level), expected.numpy(), atol=1e-12)


@pytest.mark.parametrize("per", ["band", "global"])
def test_padded_clips_and_blocks_are_the_clip_alone(per: str) -> None:
    """Valid frames of a padded batch, and blocks of a long clip, give the clip's own map."""
    settings = sn.PerClip(per, ddof=1, epsilon=1e-6)
    level = np.random.default_rng(1).normal(-30.0, 8.0, (4, 50))
    alone = settings.clip_affine(level)
    batch = torch.from_numpy(np.stack([np.pad(level, ((0, 0), (0, 20))), np.pad(level, ((0, 0), (0, 20)))]))
    valid = torch.zeros(2, 1, 70, dtype=torch.bool)
    valid[..., :50] = True
    np.testing.assert_allclose(settings.clip_affine(batch, valid).scale[1].numpy(), alone.scale, rtol=1e-12)
    _, blocks = next(iter(settings.clip_blocks([level[:, :20], level[:, 20:]])))
    np.testing.assert_allclose(blocks.scale, alone.scale, rtol=1e-12)
    one = settings.clip_affine(level[:, :1])
    assert np.isfinite(one.scale).all()


@pytest.mark.parametrize("wrong", [{"ddof": 2}, {"epsilon": -1.0}, {"epsilon_of": "mean"}])
def test_odd_conventions_are_refused(wrong: dict[str, object]) -> None:
    """Only ddof 0 and 1, an epsilon of at least 0, and two places for it."""
    with pytest.raises(ArgumentError):
        sn.PerClip(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("samples", [1024, 1279, 1280, 5000, 22_050])
def test_every_whole_hop_has_a_frame(samples: int) -> None:
    """`frame_count="hop"` gives samples // hop frames, padded by hand or by the setting, measured or called."""
    front_end = sn.preset("hifigan")
    by_hand = sn.FrontEnd(22_050, stft=sn.STFT(1024, hop_length=256, power=1.0, center=False), bands=front_end.bands,
                          compress=front_end.compress)  # fmt: skip
    wave = 0.1 * np.random.default_rng(2).standard_normal(samples)
    level = front_end(wave)
    assert level.shape[1] == front_end.frames(samples) == samples // 256
    np.testing.assert_allclose(level, by_hand(np.pad(wave, 384, mode="reflect")), atol=1e-9)
    np.testing.assert_allclose(front_end.clip_level(wave.astype(np.float32)), level, atol=1e-5)
    np.testing.assert_allclose(front_end(torch.from_numpy(wave)).numpy(), level, atol=1e-9)


@pytest.mark.parametrize("samples", [400, 479, 480, 559, 560, 5000, 16_000, 16_081])
def test_frames_by_rounding_are_kaldis_without_snipped_edges(samples: int) -> None:
    """The preset `lhotse` gives as many frames as Kaldi with mirrored edges, with its values, measured or called."""
    knf = pytest.importorskip("kaldi_native_fbank")
    options = knf.FbankOptions()
    options.frame_opts.dither, options.frame_opts.snip_edges = 0.0, False
    options.mel_opts.num_bins, options.mel_opts.high_freq = 80, -400.0
    wave = (0.1 * np.random.default_rng(samples).standard_normal(samples)).astype(np.float32)
    fbank = knf.OnlineFbank(options)
    fbank.accept_waveform(16_000, wave.tolist())
    fbank.input_finished()
    origin = np.stack([fbank.get_frame(i) for i in range(fbank.num_frames_ready)], axis=1)
    front_end = sn.preset("lhotse")
    level = front_end(wave.astype(np.float64))
    assert level.shape == origin.shape == (80, front_end.frames(samples)) == (80, (samples + 80) // 160)
    np.testing.assert_allclose(level, origin, atol=1e-3)
    np.testing.assert_allclose(front_end.clip_level(wave), level, atol=1e-5)
    np.testing.assert_allclose(front_end(torch.from_numpy(wave.astype(np.float64))).numpy(), level, atol=1e-9)
    stream = front_end.stream()
    pieces = [stream.add(piece.astype(np.float64)) for piece in np.array_split(wave, 7)] + [stream.flush()]
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), level)


@pytest.mark.parametrize(("name", "frames"), [("hifigan", 4000 // 256), ("lhotse", 25)])
def test_hops_and_lengths_of_a_padded_batch(name: str, frames: int) -> None:
    """Torch pads each clip of a padded batch at its own end."""
    front_end = sn.preset(name)
    wave = 0.1 * np.random.default_rng(3).standard_normal(6000)
    batch = torch.from_numpy(np.stack([wave, np.where(np.arange(6000) < 4000, wave, 0.0)]))
    level = sn.nn.Spectrogram(front_end)(batch, torch.tensor([6000, 4000]))
    np.testing.assert_allclose(level[1, :, :frames].numpy(), front_end(wave[:4000]), atol=1e-9)


@pytest.mark.parametrize("frames", [1, 2, 3, 6, 7, 12, 13, 100])
@pytest.mark.parametrize(("window", "hop"), [(7, 6), (1, 1), (4, 3), (5, 8)])
def test_stacked_frames_are_those_of_a_low_frame_rate(frames: int, window: int, hop: int) -> None:
    """First frame repeated in front, last one behind, `ceil(frame / hop)` frames; NumPy, torch and batches alike."""
    level = np.random.default_rng(frames).standard_normal((2, 3, frames))
    columns = [level[0, :, :1]] * ((window - 1) // 2) + [level[0]]
    long = np.concatenate([*columns, np.repeat(level[0, :, -1:], window + hop, axis=1)], axis=1)
    expected = [long[:, hop * i : hop * i + window].T.reshape(-1) for i in range(-(-frames // hop))]
    stacked = sn.front_end.stack_frames(level, window, hop)
    np.testing.assert_array_equal(stacked[0], np.transpose(expected))
    np.testing.assert_array_equal(sn.front_end.stack_frames(torch.from_numpy(level), window, hop).numpy(), stacked)


def test_stacked_frames_need_frames() -> None:
    """No frame, no band axis and odd numbers are refused."""
    for level, settings in ((np.zeros((3, 0)), {}), (np.zeros(3), {}), (np.zeros((3, 4)), {"hop": 0})):
        with pytest.raises(sn.errors.SpectronormError):
            sn.front_end.stack_frames(level, **settings)


def test_a_sound_comes_back_from_frames_by_rounding() -> None:
    """Inversion knows how much was padded in front, and gives each length back."""
    front_end = sn.FrontEnd(8000, stft=sn.STFT(256, hop_length=64, frame_count="round", pad_mode="symmetric"))
    wave = 0.3 * np.sin(2 * np.pi * 440 * np.arange(4040) / 8000)
    found = sn.inversion.invert(front_end(wave), front_end, length=4040)
    assert found.shape == (4040,)
    spectra = [np.abs(np.fft.rfft(one[500:3500])) for one in (wave, found)]
    assert np.corrcoef(*spectra)[0, 1] > 0.99


def test_hop_needs_a_hop_within_the_window() -> None:
    """A hop beyond the window, or frames that are not centred, are refused."""
    for settings in ({"hop_length": 2000}, {"center": False}):
        with pytest.raises(ArgumentError, match="hop"):
            sn.STFT(1024, frame_count="hop", **settings)  # type: ignore[arg-type]
