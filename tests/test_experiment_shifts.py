"""Simulated deployments do what their names say, and updates undo what they can undo."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import spectronorm as sn

torch = pytest.importorskip("torch")

from tests.experiment_cases import prepared, write_clips  # noqa: E402

from spectronorm.experiment import (  # noqa: E402
    Results,
    Training,
    run,
)
from spectronorm.experiment.answer.answer import answer  # noqa: E402
from spectronorm.experiment.clips.devices import SHIFTS, parse_shifts  # noqa: E402
from spectronorm.experiment.deploy import UPDATES, _halves, _of_few_classes  # noqa: E402
from spectronorm.experiment.training.models import make_model  # noqa: E402
from spectronorm.experiment.training.updates import updated_batch_norm, updated_input  # noqa: E402

RATE = 16_000


def gain_db(name: str, hz: float) -> float:
    """What the device does to a sine in the middle of a second."""
    sine = np.sin(2 * np.pi * hz * np.arange(RATE) / RATE).astype(np.float32)
    heard = SHIFTS[name](sine, RATE, 0)[2000:-2000]
    return float(10 * np.log10(np.mean(heard.astype(np.float64) ** 2) / 0.5))


@pytest.mark.parametrize(
    ("name", "hz", "expected"),
    [
        ("gain-20", 1000, -20.0),
        ("muffle", 300, 0.0),
        ("muffle", 2250, -12.0),
        ("muffle", 6000, -24.0),
        ("thin", 3000, 0.0),
        ("thin", 60, -24.0),
    ],
)
def test_equalization_is_as_stated(name: str, hz: float, expected: float) -> None:
    """A sine comes out with the gain that the response says, within half a decibel."""
    assert gain_db(name, hz) == pytest.approx(expected, abs=0.5)


def test_noise_has_its_ratio_and_depends_on_the_clip_alone() -> None:
    """The noise is 20 dB below the clip, the same again for the same clip, another for another."""
    wave = np.random.default_rng(0).standard_normal(RATE).astype(np.float32)
    noise = SHIFTS["noise20"](wave, RATE, 3) - wave
    assert 10 * np.log10(np.mean(noise**2) / np.mean(wave**2)) == pytest.approx(-20, abs=0.2)
    np.testing.assert_array_equal(SHIFTS["noise20"](wave, RATE, 3) - wave, noise)
    assert not np.array_equal(SHIFTS["noise20"](wave, RATE, 4) - wave, noise)


@pytest.mark.parametrize("name", SHIFTS)
def test_a_device_keeps_length_and_silence(name: str) -> None:
    """A silent clip stays silent and finite; every clip keeps its length."""
    heard = SHIFTS[name](np.zeros(777, dtype=np.float32), RATE, 0)
    assert heard.shape == (777,)
    assert not heard.any()


def test_updating_the_mean_undoes_an_equalization() -> None:
    """After a fixed gain in each band, the band's updated mean gives exactly what the model was trained on."""
    front_end = sn.FrontEnd(bands=sn.Mel(8))
    levels = np.random.default_rng(0).normal(-20, 6, (30, 8, 20)).astype(np.float32)
    mean, std = levels.mean(axis=(0, 2), dtype=float), levels.std(axis=(0, 2), dtype=float)
    on = sn.normalize.FittedOn(1, 1, ())
    fitted = sn.normalize.FittedNormalizer.with_map(sn.Standardize(per="band"), front_end, on, mean, std)
    equalized = levels + np.linspace(-12, 12, 8, dtype=np.float32)[:, None]
    for std_too in (False, True):
        updated = updated_input(fitted, equalized, std=std_too)
        np.testing.assert_allclose(updated(equalized), fitted(levels), atol=1e-4)
    scalar = sn.normalize.FittedNormalizer.with_map(sn.Standardize(per="global"), front_end, on, mean.mean(), 6.0)
    assert np.abs(updated_input(scalar, equalized, std=False)(equalized) - scalar(levels)).max() > 1
    assert updated_input(sn.PerClip().fit(_any_profile(front_end)), levels, std=False) is None


def _any_profile(front_end: sn.FrontEnd) -> sn.Profile:
    from spectronorm.profile import LevelCounter  # noqa: PLC0415

    counter = LevelCounter(front_end)
    counter.add(np.random.default_rng(0).standard_normal(4000).astype(np.float32))
    return sn.Profile(front_end, {(): counter.measurement()})


def test_a_batch_norm_update_takes_the_new_statistics_and_leaves_the_model() -> None:
    """The copy's first BatchNorm has the mean of its inputs' batches; the model itself is as it was."""
    model = make_model("tiny", 3, 16, (0,)).eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    x = 3 + torch.randn(64, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    adapted = updated_batch_norm(model, x, Training(batch_size=16))
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    with torch.no_grad():
        expected = model[0][0](x).mean(dim=(0, 2, 3))
    torch.testing.assert_close(adapted[0][1].running_mean, expected, atol=1e-5, rtol=1e-4)
    assert updated_batch_norm(torch.nn.Linear(2, 2), torch.zeros(4, 2), Training()) is None


def test_a_run_reports_each_shift_with_each_update(tmp_path: Path) -> None:
    """Shifts are scored for each arm with the updates that it allows, no clip being in its own update."""
    ready = prepared(
        write_clips(tmp_path / "clips", drowned=True, seed=1, clips=60), tmp_path / "run", shifts=("gain-20",)
    )
    results = Results(tmp_path / "run", ready.settings())
    blocks = list(run(ready, results))
    said = answer(results.done, ready.design, ready.clips, [])
    assert [(part.shift, part.update) for part in said.shifts] == [("gain-20", update) for update in UPDATES[:3]]
    quieter, mean = ({arm.arm: arm.mean for arm in part.arms} for part in said.shifts[:2])
    clean = {arm.arm: arm.mean for arm in said.accuracy.arms}
    assert quieter["band"] < clean["band"] - 0.1
    assert mean["band"] > clean["band"] - 0.1
    (adapt, test), (test_again, adapt_again) = _halves(ready.clips, ready.clips.test_clips(blocks[0].fold))
    assert not {ready.clips.groups[i] for i in adapt} & {ready.clips.groups[i] for i in test}
    assert (adapt == adapt_again).all()
    assert (test == test_again).all()


def test_an_update_from_few_classes_sees_no_others(tmp_path: Path) -> None:
    """With update_classes each update comes twice, the second from clips of so many classes, and differs."""
    ready = prepared(
        write_clips(tmp_path / "clips", drowned=True, seed=1, clips=60), tmp_path / "run", shifts=("gain-20",)
    )
    ready = replace(ready, design=replace(ready.design, update_classes=1))
    results = Results(tmp_path / "run", ready.settings())
    list(run(ready, results))
    said = answer(results.done, ready.design, ready.clips, [])
    assert [part.update for part in said.shifts] == [
        *UPDATES[:3],
        "mean, from 1 classes",
        "mean and std, from 1 classes",
    ]
    few, every = ({arm.arm: arm.mean for arm in part.arms} for part in (said.shifts[3], said.shifts[1]))
    assert few["band"] < every["band"]
    test = ready.clips.test_clips("1")
    chosen = _of_few_classes(ready.clips, test, 1)
    assert 0 < len(chosen) < len(test)
    assert len(set(ready.clips.labels[chosen].tolist())) == 1
    assert ready.settings()["update_classes"] == 1
    with pytest.raises(sn.errors.ArgumentError, match="needs shifts"):
        replace(ready.design, shifts=())


def test_training_through_a_device_measures_what_it_hears(tmp_path: Path) -> None:
    """Statistics are of the audio that the device gives, and the clips as recorded are then a shift."""
    table = write_clips(tmp_path / "clips", drowned=True, seed=1, clips=36)
    plain = prepared(table, tmp_path / "plain", epochs=1)
    heard = prepared(table, tmp_path / "heard", epochs=1, train_on="gain-20", shifts=("as-recorded",))
    loud, quiet = (ready.normalizer(ready.design.arm("band"), "1").affine for ready in (plain, heard))
    front_end = plain.design.arms[0].front_end
    above = quiet.shift > front_end.floor + 8
    np.testing.assert_allclose((loud.shift - quiet.shift)[above], 20.0, atol=2.0)
    levels = heard.waves.levels(front_end, heard.device("as-recorded"))
    np.testing.assert_allclose(levels, plain.waves.levels(front_end), atol=1e-3)
    assert heard.settings()["train_on"] == "gain-20"
    with pytest.raises(sn.errors.ArgumentError, match="train_on"):
        Results(tmp_path / "x", plain.settings())
        Results(tmp_path / "x", heard.settings())


def test_shift_names_are_checked() -> None:
    """All stands for all of them; an unknown one is refused with those that there are."""
    assert parse_shifts("all") == tuple(SHIFTS)[:5]
    with pytest.raises(sn.errors.ArgumentError, match="'tunnel' is unknown; use one of gain-20"):
        parse_shifts("muffle,tunnel")
