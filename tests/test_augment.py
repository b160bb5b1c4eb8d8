"""Augmentation: the same for a seed in NumPy and torch, clip by clip, and never counting the padding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import spectronorm as sn
from spectronorm.arrays import Affine
from spectronorm.augment import (
    Flip,
    FrameCrop,
    Gain,
    Mixup,
    Noise,
    RandomCrop,
    RandomResizedCrop,
    Rotation,
    SpecAugment,
    TimeShift,
)
from spectronorm.augment.noise import DrawnNoise
from spectronorm.augment.spec_augment import Masks

ON_WAVES = {
    "crop": RandomCrop(300),
    "crop without gate": RandomCrop(300, gate_dbfs=None),
    "shift": TimeShift(500),
    "shift with zeros": TimeShift(500, wrap=False),
    "gain": Gain(),
    "noise": Noise(),
}
ON_SPECTROGRAMS = {
    "masks": SpecAugment(time_mask_param=8, freq_mask_param=5, p=0.5),
    "resized crop": RandomResizedCrop(),
    "flip": Flip(frequency=0.5),
    "rotation": Rotation(10.0),
}
ALL = ON_WAVES | ON_SPECTROGRAMS


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def example(name: str, clips: int = 4, seed: int = 0) -> np.ndarray:
    shape = (clips, 1000) if name in ON_WAVES else (clips, 12, 40)
    return 0.1 * rng(seed).standard_normal(shape)


def one_of(drawn: Any, i: int) -> Any:
    """What was drawn for clip `i`."""
    if isinstance(drawn, Masks):
        return Masks(drawn.time[i], drawn.frequency[i])
    if isinstance(drawn, DrawnNoise):
        return DrawnNoise(drawn.snr_db[i], drawn.seed[i])
    return drawn[i]


def result(out: Any) -> Any:
    return out.wave if hasattr(out, "wave") else out


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=10)
@given(seed=st.integers(0, 999), data=st.data())
def test_batch_and_padding_invariance(name: str, seed: int, data: st.DataObject) -> None:
    """A clip of a padded batch becomes what it becomes alone and unpadded; padding stays as it was: a law."""
    x = example(name, 3, seed)
    longest = x.shape[-1]
    lengths = np.array(data.draw(st.lists(st.integers(1, longest), min_size=3, max_size=3)))
    for row, length in zip(x, lengths, strict=True):
        row[..., length:] = 0.0
    drawn = ALL[name].draw((3,), rng(seed))
    whole = result(ALL[name].apply(x, drawn, lengths))
    for i, length in enumerate(lengths):
        alone = result(ALL[name].apply(x[i, ..., :length], one_of(drawn, i)))
        kept = min(alone.shape[-1], int(length))
        np.testing.assert_allclose(whole[i, ..., :kept], alone[..., :kept], atol=1e-12)
        assert (whole[i, ..., length:] == 0.0).all()


@pytest.mark.parametrize("name", ALL)
def test_the_same_in_numpy_and_torch_for_a_seed(name: str) -> None:
    """One seed gives one result in both libraries, another seed another; dtype and shape stay."""
    x = example(name)
    a, b = (result(ALL[name](kind, rng(7))) for kind in (x, torch.from_numpy(x)))
    np.testing.assert_allclose(a, b.numpy(), atol=1e-12)
    assert not np.array_equal(a, result(ALL[name](x, rng(8))))
    single = result(ALL[name](torch.from_numpy(x).float(), rng(7)))
    assert single.dtype == torch.float32
    np.testing.assert_allclose(single.numpy(), a, atol=1e-5)
    channel = result(ALL[name](x[:, None], rng(7)))
    assert channel.shape[:2] == (4, 1)


@pytest.mark.parametrize("name", ["shift", "gain", "noise", "masks", "resized crop"])
def test_gradients_flow(name: str) -> None:
    """Torch tensors stay in the graph."""
    x = torch.from_numpy(example(name)).requires_grad_()
    result(ALL[name](x, rng())).square().sum().backward()
    assert x.grad is not None
    assert torch.isfinite(x.grad).all()


@settings(max_examples=25)
@given(seed=st.integers(0, 999), frames=st.integers(1, 60))
def test_masks_are_stretches_within_bounds(seed: int, frames: int) -> None:
    """Masks are whole frames or whole bands, no wider than asked for, filled with the fill, and never in padding."""
    x, lengths = rng(seed).standard_normal((5, 16, 60)), np.full(5, frames)
    for n_time_masks, axis, widest in ((1, 1, min(9, int(0.3 * frames))), (0, 2, 4)):
        augment = SpecAugment(n_time_masks, 9, 1 - n_time_masks, 4, p=0.3, fill=-7.0)
        drawn = augment.draw((5,), rng(seed))
        mask, out = augment.mask(x, drawn, lengths), augment.apply(x, drawn, lengths)
        assert (out[mask] == -7.0).all()
        assert (out[~mask] == x[~mask]).all()
        assert not mask[..., frames:].any()
        line = mask[..., :frames].all(axis=axis)
        np.testing.assert_array_equal(mask[..., :frames], np.broadcast_to(np.expand_dims(line, axis), (5, 16, frames)))
        assert (line.sum(axis=1) <= widest).all()
        assert (np.abs(np.diff(np.pad(line.astype(int), ((0, 0), (1, 1))), axis=1)).sum(axis=1) <= 2).all()


def test_mask_widths_and_places_are_uniform() -> None:
    """Over many clips every width from none to the widest, and every place, is equally likely."""
    augment = SpecAugment(n_time_masks=1, time_mask_param=4, n_freq_masks=0, p=1.0)
    mask = augment.mask(np.zeros((20_000, 1, 10)), augment.draw((20_000,), rng()))[:, 0]
    widths = np.bincount(mask.sum(axis=1), minlength=5) / 20_000
    np.testing.assert_allclose(widths, 0.2, atol=0.01)
    starts = np.bincount(mask[mask.sum(axis=1) == 4].argmax(axis=1), minlength=7)[:7]
    np.testing.assert_allclose(starts / starts.sum(), 1 / 7, atol=0.02)


def test_masks_on_levels_become_zero_after_normalization() -> None:
    """Filled for a normalizer's map, masked cells of a level are zero once normalized, band by band."""
    affine = Affine(np.linspace(-60, -20, 12)[:, None], np.full((12, 1), 9.0))
    augment = ALL["masks"].on_levels(affine)
    level = rng().normal(-40, 10, (3, 12, 40))
    drawn = augment.draw((3,), rng())
    mask = augment.mask(level, drawn)
    assert mask.any()
    np.testing.assert_allclose(affine(augment.apply(level, drawn))[mask], 0.0, atol=1e-12)
    assert ALL["masks"].on_levels(Affine(np.array([[3.0]]), np.array([[2.0]]))).fill == 3.0


@settings(max_examples=40)
@given(seed=st.integers(0, 9999), torch_too=st.booleans())
def test_no_crop_is_silent_while_the_clip_holds_a_louder_one(seed: int, torch_too: bool) -> None:
    """With a short sound in long silence the crop holds it; when all is below the gate, the loudest is taken."""
    generator = rng(seed)
    x = np.zeros((4, 5000))
    for i in range(4):
        at = generator.integers(0, 4990)
        x[i, at : at + 10] = (0.5, 0.5, 1e-5, 1e-5)[i]
    wave = torch.from_numpy(x) if torch_too else x
    crop = np.asarray(RandomCrop(100, gate_dbfs=-40.0)(wave, generator).wave)
    power = (crop**2).mean(axis=1)
    assert (power[:2] >= 10**-4.0).all()
    np.testing.assert_allclose(power[2:], 1e-11, rtol=1e-6)


def test_crops_that_pass_the_gate_are_equally_likely() -> None:
    """Starts are uniform over those that pass, and over all without a gate."""
    x = np.zeros(30)
    x[10:20] = 0.5
    many = np.broadcast_to(x, (20_000, 30))
    gated = RandomCrop(5, gate_dbfs=-6.9)  # only crops wholly inside the sound
    assert (gated(many, rng()).wave == 0.5).all()
    ramp = np.where(x > 0, 0.5 + 1e-6 * np.arange(30), 0.0)
    starts = np.rint((gated(np.broadcast_to(ramp, (20_000, 30)), rng()).wave[:, 0] - 0.5) * 1e6).astype(int)
    np.testing.assert_allclose(np.bincount(starts, minlength=16)[10:16] / 20_000, 1 / 6, atol=0.01)
    free = RandomCrop(5, gate_dbfs=None)(np.broadcast_to(np.arange(30.0), (20_000, 30)), rng()).wave[:, 0]
    np.testing.assert_allclose(np.bincount(free.astype(int), minlength=26) / 20_000, 1 / 26, atol=0.006)


def test_short_clips_are_padded_not_cropped() -> None:
    """A clip shorter than the crop is taken whole, and its length says so."""
    crop = RandomCrop(8)(np.ones((2, 5)), rng(), np.array([5, 3]))
    np.testing.assert_array_equal(crop.wave, [[1, 1, 1, 1, 1, 0, 0, 0], [1, 1, 1, 0, 0, 0, 0, 0]])
    assert crop.lengths.tolist() == [5, 3]


def test_shift_moves_by_what_was_drawn() -> None:
    """Later is positive; what leaves comes in again, or zeros do."""
    x, drawn = np.arange(1.0, 6.0)[None], np.array([2])
    np.testing.assert_array_equal(TimeShift(2).apply(x, drawn), [[4, 5, 1, 2, 3]])
    np.testing.assert_array_equal(TimeShift(2, wrap=False).apply(x, drawn), [[0, 0, 1, 2, 3]])
    np.testing.assert_array_equal(TimeShift(2).apply(x, -drawn, np.array([3])), [[3, 1, 2, 4, 5]])
    assert set(np.unique(TimeShift(2).draw((1000,), rng()))) == {-2, -1, 0, 1, 2}


def test_gain_is_in_decibels() -> None:
    """A gain of 20 dB is a factor of ten."""
    np.testing.assert_allclose(Gain(20, 20)(np.full((2, 3), 0.05), rng()), 0.5)


@pytest.mark.parametrize("recorded", [False, True])
def test_noise_has_the_ratio_that_was_drawn(recorded: bool) -> None:
    """The ratio of the powers over the real samples is what was drawn, exactly; silent clips stay silent."""
    x, lengths = example("noise", 5), np.array([1000, 500, 300, 1000, 1000])
    x[3] = 0.0
    augment = Noise(-5.0, 30.0)
    drawn = augment.draw((5,), rng())
    noise = rng(1).uniform(-1, 1, 1000) if recorded else None
    added = augment.apply(x, drawn, lengths, noise) - x
    for i in (0, 1, 2, 4):
        valid = slice(0, lengths[i])
        ratio = 10 * np.log10((x[i, valid] ** 2).mean() / (added[i, valid] ** 2).mean())
        np.testing.assert_allclose(ratio, drawn.snr_db[i], atol=1e-9)
        assert (added[i, lengths[i] :] == 0).all()
    assert (added[3] == 0).all()


def test_mixup_mixes_clips_and_labels_alike() -> None:
    """Each clip is its share of itself and the rest of its partner, and so are its labels and what of it is real."""
    x, labels = rng().standard_normal((6, 3, 10)), np.eye(6)
    lengths = np.array([10, 9, 8, 7, 6, 5])
    mixup = Mixup(0.4)
    drawn = mixup.draw((6,), rng())
    mixed = mixup.apply(x, labels, drawn, lengths)
    for i, (share, partner) in enumerate(zip(drawn.share, drawn.partner, strict=True)):
        np.testing.assert_allclose(mixed.x[i], share * x[i] + (1 - share) * x[partner])
        np.testing.assert_allclose(mixed.labels[i], share * labels[i] + (1 - share) * labels[partner])
        assert mixed.lengths[i] == max(lengths[i], lengths[partner])
    there = mixup(torch.from_numpy(x), torch.from_numpy(labels), rng(), torch.from_numpy(lengths))
    np.testing.assert_allclose(there.x.numpy(), mixed.x)
    assert there.lengths.tolist() == mixed.lengths.tolist()


def byol_a(x: torch.Tensor, drawn: np.ndarray) -> torch.Tensor:
    """BYOL-A's crop of one spectrogram, as its paper describes it, by torch's own bicubic interpolation."""
    bands, frames = x.shape
    canvas_bands, canvas_frames = bands, int(frames * 1.5)
    height = int(np.clip(int((0.6 + 0.9 * drawn[0]) * bands), 1, canvas_bands))
    width = int(np.clip(int((0.6 + 0.9 * drawn[1]) * frames), 1, canvas_frames))
    top, left = int(drawn[2] * (canvas_bands - height + 1)), int(drawn[3] * (canvas_frames - width + 1))
    canvas = torch.zeros(canvas_bands, canvas_frames, dtype=x.dtype)
    y = (canvas_frames - frames) // 2
    canvas[:, y : y + frames] = x
    window = canvas[None, None, top : top + height, left : left + width]
    return torch.nn.functional.interpolate(window, size=(bands, frames), mode="bicubic", align_corners=True)[0, 0]


def test_resized_crop_equals_bicubic_interpolation() -> None:
    """The batched crop gives what cutting and torch's bicubic interpolation give, clip by clip."""
    x = torch.from_numpy(rng().standard_normal((20, 24, 33)))
    augment = RandomResizedCrop()
    drawn = augment.draw((20,), rng())
    torch.testing.assert_close(
        augment.apply(x, drawn), torch.stack([byol_a(*pair) for pair in zip(x, drawn, strict=True)]), atol=1e-12, rtol=0
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda: SpecAugment(p=1.5),
        lambda: Flip(time=1.5),
        lambda: Rotation(-1.0),
        lambda: SpecAugment(n_time_masks=-1),
        lambda: RandomCrop(0),
        lambda: FrameCrop(0),
        lambda: FrameCrop(8, gate_db=-1.0),
        lambda: FrameCrop(8)(np.zeros((2, 3, 9)), rng()),
        lambda: RandomCrop(10, gate_dbfs=3.0),
        lambda: TimeShift(-1),
        lambda: Gain(3.0, 1.0),
        lambda: Noise(float("nan"), 1.0),
        lambda: Mixup(0.0),
        lambda: RandomResizedCrop(time_scale=(2.0, 1.0)),
        lambda: RandomResizedCrop(virtual_crop_scale=(0.5, 1.0)),
        lambda: Gain()(np.zeros((2, 10)), 0),
    ],
)
def test_bad_settings(make: Any) -> None:
    """Settings that break their rule, and a seed in place of a generator, are refused."""
    with pytest.raises(sn.errors.ArgumentError):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Gain()(np.zeros((2, 10), np.int16), rng()),
        lambda: SpecAugment()(np.zeros(10), rng()),
        lambda: Gain()(np.zeros((2, 10)), rng(), np.array([11, 10])),
        lambda: Gain()(np.zeros((2, 10)), rng(), np.array([0.5, 1.0])),
        lambda: Gain()(np.zeros((2, 10)), rng(), np.array([5])),
        lambda: Gain().apply(np.zeros((2, 10)), Gain().draw((3,), rng())),
        lambda: Noise()(np.zeros((2, 10)), rng(), noise=np.zeros(9)),
        lambda: SpecAugment(fill=(1.0, 2.0))(np.zeros((3, 10)), rng()),
        lambda: Mixup()(np.zeros((2, 10)), np.array([0, 1]), rng()),
        lambda: Mixup()(np.zeros((2, 10)), np.zeros((3, 4)), rng()),
    ],
)
def test_bad_arrays(make: Any) -> None:
    """Integers, missing axes, and lengths or draws that do not fit get one clear error."""
    with pytest.raises(sn.errors.ShapeError):
        make()


def test_frame_crops_pass_the_gate_and_are_equally_likely() -> None:
    """Crops are stretches within the gate of the loudest, each as likely; without a gate, of all."""
    x = np.broadcast_to(np.arange(12.0), (6000, 3, 12))
    power = np.full((6000, 12), 1e-6)
    power[:, 4:8] = 1.0
    for augment, starts in ((FrameCrop(3, gate_db=2.0), [3, 4, 5, 6]), (FrameCrop(3, gate_db=None), list(range(10)))):
        out = augment(x, rng(), power)
        assert out.shape == (6000, 3, 3)
        assert (np.diff(out, axis=-1) == 1).all()
        found, counts = np.unique(out[:, 0, 0], return_counts=True)
        assert found.tolist() == starts
        assert (abs(counts / 6000 - 1 / len(starts)) < 0.03).all()
        again = augment(torch.from_numpy(x.copy()), rng(), power)
        np.testing.assert_array_equal(again.numpy(), out)
    assert FrameCrop(12)(x, rng()).shape == x.shape
    with pytest.raises(sn.errors.ShapeError, match="does not fit 12 frames"):
        FrameCrop(3)(x, rng(), power[:, :5])


def test_test_crops_are_spread_over_what_passes() -> None:
    """The first, middle and last crop that pass, of each clip by its own power; one crop alone is the middle one."""
    x = np.broadcast_to(np.arange(12.0), (2, 3, 12))
    power = np.full((2, 12), 1e-6)
    power[0, 4:8] = power[1, 0:3] = 1.0
    crop = FrameCrop(2, gate_db=4.0)
    starts = [crop.spread(x, number, 3, power)[:, 0, 0].tolist() for number in range(3)]
    assert starts == [[3, 0], [5, 1], [7, 2]]
    assert crop.spread(x, 0, 1, power)[:, 0, 0].tolist() == starts[1]
    silent = FrameCrop(2).spread(x, 2, 3, np.zeros((2, 12)))[:, 0, 0]
    assert silent.tolist() == [10, 10]


def test_a_flip_reverses_what_was_drawn() -> None:
    """Valid frames are reversed in time, bands in frequency, padding stays, and twice is nothing."""
    x = rng(1).standard_normal((4, 3, 5))
    drawn = np.array([[False, False], [True, False], [False, True], [True, True]])
    out = Flip().apply(x, drawn, np.array([5, 3, 4, 5]))
    np.testing.assert_array_equal(out[0], x[0])
    np.testing.assert_array_equal(out[1], np.concatenate([x[1, :, 2::-1], x[1, :, 3:]], axis=1))
    np.testing.assert_array_equal(out[2], np.concatenate([x[2, ::-1, :4], x[2, :, 4:]], axis=1))
    np.testing.assert_array_equal(out[3], x[3, ::-1, ::-1])
    np.testing.assert_array_equal(Flip().apply(out, drawn, np.array([5, 3, 4, 5])), x)
    assert not Flip(time=0.0).draw((100,), rng()).any()


def test_a_rotation_turns_a_plane() -> None:
    """A spectrogram that rises over frames rises, away from the border, in the turned direction; 0 is nothing."""
    x = np.broadcast_to(np.arange(41.0), (1, 31, 41)).copy()
    np.testing.assert_allclose(Rotation().apply(x, np.zeros(1)), x)
    out = Rotation(30.0).apply(x, np.array([30.0]))[0, 12:19, 15:26]
    over_bands, over_frames = np.gradient(out)
    np.testing.assert_allclose(over_frames, np.cos(np.pi / 6), atol=1e-9)
    np.testing.assert_allclose(over_bands, np.sin(np.pi / 6), atol=1e-9)
