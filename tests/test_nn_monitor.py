"""In a model: watching changes nothing, adapting does what an update does, and batch normalization follows inputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch import nn

import spectronorm as sn
from monitored import FRONT_END, STANDARDIZED, clips, devices, equalize, training
from spectronorm.errors import UpdateRefused
from spectronorm.monitor import Monitor, NewAudio, measure_new
from spectronorm.nn import Monitored, Preprocess, adapt_batchnorm


def module(every: int = 1) -> Monitored:
    profile, baseline = training()
    pipeline = sn.Pipeline(FRONT_END, sn.Standardize().fit(profile))
    return Monitored(Preprocess(pipeline), Monitor(profile, baseline, threshold=4.5), every=every)


def batch(count: int, seed: int = 2) -> torch.Tensor:
    return torch.from_numpy(np.stack(clips(count, seed)))


def dull(wave: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(np.stack([equalize(w, [0, 0.1, 0.4, 1], [0, 0, -8, -14]) for w in wave.numpy()]))


def test_watching_leaves_the_forward_pass_as_it_is() -> None:
    """Outputs and gradients are those of the preprocessing alone, in any shape, with padding and in half precision."""
    watched = module()
    plain = watched.preprocess
    x = batch(6).reshape(2, 3, -1)
    lengths = torch.tensor([[4_000, 3_000, 4_000], [2_000, 4_000, 1_000]])
    torch.testing.assert_close(watched(x), plain(x), rtol=0, atol=0)
    torch.testing.assert_close(watched(x, lengths), plain(x, lengths), rtol=0, atol=0)
    torch.testing.assert_close(watched(x.half()), plain(x.half()), rtol=0, atol=0)
    gradients = []
    for one in (watched, plain):
        y = x.clone().requires_grad_()
        one(y).square().sum().backward()
        gradients.append(y.grad)
    torch.testing.assert_close(*gradients)
    assert watched.monitor.clips == 24


def test_the_monitor_sees_what_it_would_see_alone() -> None:
    """One clip in `every`, across batches, at its own length; clips that cannot be used are counted, not raised."""
    profile, baseline = training()
    watched = module(every=3)
    alone = Monitor(profile, baseline, threshold=4.5)
    for start, count in ((0, 5), (5, 1), (6, 4)):
        watched(batch(10)[start : start + count], torch.full((count,), 3_500))
    for wave in clips(10, 2)[::3]:
        alone.add(wave[:3_500])
    assert watched.monitor.clips == 4
    assert watched.monitor.verdict().statistic == pytest.approx(alone.verdict().statistic, abs=0.05)
    with pytest.raises(sn.errors.ArgumentError, match="the wave peaks at"):
        watched(batch(9) * 1e30)
    assert watched.monitor.bad == 0
    wave, level = batch(9), watched.preprocess.spectrogram(batch(9))
    watched._watch(wave, level + 1e30, None)  # levels beyond the grid
    assert watched.monitor.bad == 3
    assert watched.monitor.clips == 4


def test_adapting_moves_the_normalizer() -> None:
    """Behind a dull microphone, adapting brings each band's mean back near zero, and the alarm is gone."""
    watched = module()
    x = dull(batch(64))
    before = watched(x).mean(dim=(0, 2))
    assert watched.report().diagnosis.kind.value == "equalization"
    found = watched.adapt()
    after = watched(x).mean(dim=(0, 2))
    assert before.abs().max() > 0.5
    assert after.abs().max() < 0.25
    np.testing.assert_array_equal(watched.preprocess.pipeline().normalizer.affine.shift[:, 0], found.profile.band.mean)  # type: ignore[union-attr]
    assert not watched.monitor.verdict().alarm


def test_adapting_has_the_guards_of_an_update() -> None:
    """Other content, too few clips, a normalizer of other statistics, no clips: refused, and nothing has changed."""
    tones = devices()["tones"][1]
    watched = module()
    with pytest.raises(sn.errors.ArgumentError, match="empty"):
        watched.adapt()
    shift = watched.preprocess.normalize.shift.clone()
    watched(batch(8))
    with pytest.raises(UpdateRefused, match="too few"):
        watched.adapt()
    watched(torch.from_numpy(np.stack([tones(wave) for wave in clips(40, 2)])))  # type: ignore[operator]
    with pytest.raises(UpdateRefused, match="unknown-change"):
        watched.adapt()
    torch.testing.assert_close(watched.preprocess.normalize.shift, shift, rtol=0, atol=0)
    profile, baseline = training()
    held_out = sn.Pipeline(FRONT_END, sn.Standardize().fit(profile.without(fold=1)))
    other = Monitored(Preprocess(held_out), Monitor(profile, baseline, threshold=4.5), every=1)
    other(batch(40))
    with pytest.raises(sn.errors.ArgumentError, match="not fitted"):
        other.adapt()
    with pytest.raises(sn.errors.FrontEndMismatch):
        Monitored(watched.preprocess, Monitor(training(STANDARDIZED)[0], threshold=4.5))
    with pytest.raises(sn.errors.ArgumentError, match="every"):
        Monitored(watched.preprocess, Monitor(profile, baseline, threshold=4.5), every=0)


# Batch normalization


def model() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.5), nn.Flatten(), nn.LazyLinear(2)
    )


def inputs(count: int = 32) -> torch.Tensor:
    return torch.randn(count, 1, 8, 10, generator=torch.Generator().manual_seed(1)) * 3 + 2


def test_running_statistics_become_those_of_the_inputs() -> None:
    """Mean and variance are the averages over batches, weights and modes stay, and undoing puts the old ones back."""
    net = model().eval()
    x = inputs()
    net(x)
    state = {name: value.clone() for name, value in net.state_dict().items()}
    adapted = adapt_batchnorm(net, list(torch.split(x, 16)))
    seen = net[0](x).detach()
    torch.testing.assert_close(net[1].running_mean, seen.mean(dim=(0, 2, 3)), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(net[1].running_var, seen.var(dim=(0, 2, 3)), rtol=0.1, atol=0.05)
    assert adapted.layers == ("1",)
    assert adapted.clips == 32
    assert not any(part.training for part in net.modules())
    assert net[1].momentum == 0.1
    adapted.undo(net)
    for name, value in net.state_dict().items():
        torch.testing.assert_close(value, state[name], rtol=0, atol=0)
    net.train()
    adapt_batchnorm(net, [x])
    assert all(part.training for part in net.modules())


def test_a_failing_model_is_left_in_its_modes() -> None:
    """When the model raises, modes and momenta are what they were."""
    net = model().train()
    net(inputs())
    with pytest.raises(RuntimeError):
        adapt_batchnorm(net, [torch.zeros(20, 7, 7)])
    assert all(part.training for part in net.modules())
    assert net[1].momentum == 0.1


def test_batch_normalization_has_guards_too(tmp_path: Path) -> None:
    """Few clips, no such layer, no inputs, silence: refused unless forced; noise and a band limit are no reasons."""
    net = model()
    net(inputs())
    with pytest.raises(UpdateRefused, match="too few"):
        adapt_batchnorm(net, [inputs(8)])
    assert adapt_batchnorm(net, [inputs(8)], force=True).objections
    with pytest.raises(sn.errors.ArgumentError, match="no batch normalization"):
        adapt_batchnorm(nn.Linear(2, 2), [inputs()])
    with pytest.raises(sn.errors.ArgumentError, match="no inputs"):
        adapt_batchnorm(net, [])
    profile, baseline = training()

    def judged(name: str) -> NewAudio:
        folder = tmp_path / name
        folder.mkdir()
        for number, wave in enumerate(clips(40, 2)):
            soundfile.write(folder / f"{number}.wav", devices()[name][1](wave), 8_000, subtype="FLOAT")  # type: ignore[operator]
        return measure_new(folder, profile, baseline)

    adapt_batchnorm(net, [inputs()], judged("noise"))
    adapt_batchnorm(net, [inputs()], judged("telephone"))
    with pytest.raises(UpdateRefused, match="silence"):
        adapt_batchnorm(net, [inputs()], judged("dead"))
