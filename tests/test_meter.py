"""Levels that somebody else computes: a meter measures them as exactly as a pass measures audio."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import spectronorm as sn
from spectronorm.errors import ArgumentError, ShapeError
from spectronorm.profile import LevelCounter, Measurement, Profile
from spectronorm.storage import container

torch = pytest.importorskip("torch")
from spectronorm.nn import Normalize, Preprocess  # noqa: E402

LEVELS = sn.Levels(8, "dB", -120, 60, made_by="torchaudio", settings={"n_fft": 400})
UNITS = {
    "dB": (-40.0, 12.0, -200.0, 200.0),
    "ln": (-9.0, 3.0, -40.0, 20.0),
    "log10": (-4.0, 1.3, -20.0, 10.0),
    "magnitude": (900.0, 80.0, 0.0, 1e4),
    "normalized": (0.0, 1.0, -20.0, 20.0),
    "tiny power": (5e-7, 1e-8, 0.0, 1e-5),
}


def clips(count: int = 20, seed: int = 0, bands: int = 8, mean: float = -40.0, std: float = 12.0) -> list[Any]:
    rng = np.random.default_rng(seed)
    return [rng.normal(mean, std, (bands, int(rng.integers(5, 40)))).astype(np.float32) for _ in range(count)]


def padded(some: list[NDArray[Any]]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """A batch with NaN in its padding, which must never be looked at."""
    lengths = np.array([clip.shape[-1] for clip in some])
    batch = np.full((len(some), *some[0].shape[:-1], lengths.max()), np.nan, np.float32)
    for row, clip in zip(batch, some, strict=True):
        row[..., : clip.shape[-1]] = clip
    return batch, lengths


def packed(profile: Profile) -> bytes:
    return container.pack(*profile.to_container())


def measured(some: list[Any], levels: sn.Levels = LEVELS, batch: int = 8) -> sn.Meter:
    meter = sn.Meter(levels, "bft" if levels.channels == 1 else "bcft")
    for start in range(0, len(some), batch):
        x, lengths = padded(some[start : start + batch])
        meter.add(x, lengths=lengths)
    return meter


@pytest.mark.parametrize("unit", UNITS)
def test_the_figures_are_those_of_float64_sums(unit: str) -> None:
    """Mean and std lie within a step of the grid, extremes are exact, quantiles lie within a cell: in every unit."""
    mean, std, low, high = UNITS[unit]
    levels = sn.Levels(8, unit, low, high)
    some = clips(mean=mean, std=std)
    band = measured(some, levels).profile().band
    every = np.concatenate(some, axis=1).astype(np.float64)
    step, cell = levels.resolution, levels.grid.cell_width
    assert np.abs(band.mean - every.mean(axis=1)).max() <= step
    assert np.abs(band.std - every.std(axis=1)).max() <= step
    assert np.abs(band.min - every.min(axis=1)).max() <= step / 2
    assert np.abs(band.max - every.max(axis=1)).max() <= step / 2
    for q in (0.1, 0.5, 0.9):
        below = np.quantile(every, q, axis=1, method="lower"), np.quantile(every, q, axis=1, method="higher")
        assert (band.quantile(q) >= below[0] - cell).all()
        assert (band.quantile(q) <= below[1] + cell).all()


@settings(max_examples=20, deadline=None)
@given(st.sampled_from([1, 3, 8, 64]), st.booleans(), st.sampled_from(["bft", "btf", "tfb", "fbt"]), st.integers(0, 99))
def test_batches_layouts_libraries_and_order_change_no_byte(size: int, torches: bool, layout: str, seed: int) -> None:
    """The profile is one and the same whatever the batches are, whoever made them and in whatever order they come."""
    some = clips()
    folds = np.arange(len(some)) % 3
    order = np.random.default_rng(seed).permutation(len(some))
    meter = sn.Meter(LEVELS)
    for start in range(0, len(some), size):
        chosen = order[start : start + size]
        x, lengths = padded([some[i] for i in chosen])
        x = x.transpose(["bft".index(axis) for axis in layout])
        if torches:
            meter.add(
                torch.from_numpy(x), lengths=torch.from_numpy(lengths), groups={"fold": folds[chosen]}, layout=layout
            )
        else:
            meter.add(x, lengths=lengths, groups={"fold": folds[chosen].tolist()}, layout=layout)
    alone = sn.Meter(LEVELS, "ft")
    for clip, fold in zip(some, folds, strict=True):
        alone.add(clip.astype(np.float64), groups={"fold": int(fold)})
    assert packed(meter.profile()) == packed(alone.profile())


def test_a_mask_is_as_good_as_lengths() -> None:
    """A boolean mask up to each clip's end counts what the lengths count."""
    x, lengths = padded(clips())
    mask = np.arange(x.shape[-1]) < lengths[:, None]
    by_mask = sn.Meter(LEVELS, "bft").add(torch.from_numpy(x), valid=torch.from_numpy(mask))
    assert packed(by_mask.profile()) == packed(measured(clips()).profile())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_counts_as_the_numbers_that_it_holds(dtype: Any) -> None:
    """Levels in half precision are counted as the values they stand for."""
    x = torch.from_numpy(clips(1)[0]).to(dtype)
    one, two = (sn.Meter(LEVELS, "ft").add(y).profile() for y in (x, x.double().numpy()))
    assert packed(one) == packed(two)


def test_meters_add_up_and_go_on_where_they_were(tmp_path: Path) -> None:
    """Two halves added, a saved meter and a checkpoint's state all end in the profile of one pass."""
    some, whole = clips(), packed(measured(clips()).profile())
    assert packed((measured(some[:7]) + measured(some[7:])).profile()) == whole
    assert packed(sum([measured(some[:7]), measured(some[7:])]).profile()) == whole
    first = measured(some[:8])
    first.save(tmp_path / "meter.safetensors")
    torch.save(first.state_dict(), tmp_path / "state.pt")
    loaded = sn.Meter.load(tmp_path / "meter.safetensors", LEVELS, "bft")
    resumed = sn.Meter(LEVELS, "bft")
    resumed.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    for meter in (loaded, resumed):
        assert meter.clips == 8
        x, lengths = padded(some[8:])
        meter.update(x, lengths=lengths)
        assert packed(meter.compute()) == whole
    assert measured(some[:7]).profile() + measured(some[7:]).profile() == measured(some).profile()
    first.reset()
    assert first.clips == 0
    with pytest.raises(sn.errors.ArgumentError, match="no clip"):
        first.profile()


def test_a_damaged_state_is_refused(tmp_path: Path) -> None:
    """A state that is none, of other levels or cut short is one clear error."""
    meter = measured(clips())
    meter.save(tmp_path / "meter")
    with pytest.raises(sn.errors.FrontEndMismatch, match="high"):
        sn.Meter.load(tmp_path / "meter", sn.Levels(8, "dB", -120, 70, made_by="torchaudio", settings={"n_fft": 400}))
    with pytest.raises(sn.errors.FileFormatError):
        meter.load_state_dict({})
    state = meter.state_dict()["meter"].numpy()
    with pytest.raises(sn.errors.FileFormatError):
        meter.load_state_dict({"meter": state[: len(state) // 2]})
    meter.profile().save(tmp_path / "profile")
    with pytest.raises(sn.errors.FileFormatError, match="not the state of a meter"):
        sn.Meter.load(tmp_path / "profile", LEVELS)


def test_our_own_levels_give_the_integers_of_the_pass() -> None:
    """Levels of our front end, given to a meter, give the integers of counting audio in all that levels decide."""
    front_end = sn.FrontEnd(8_000, bands=sn.Mel(12))
    rng = np.random.default_rng(3)
    waves = [rng.normal(0, 0.1, int(rng.integers(2_000, 9_000))).astype(np.float32) for _ in range(9)]
    waves.append(np.zeros(4_000, np.float32))
    counter, meter = LevelCounter(front_end), sn.Meter(front_end, "ft")
    for wave in waves:
        counter.add(wave)
        meter.add(front_end.clip_level(wave))
    by_audio, by_levels = counter.measurement(), meter.profile().total
    of_waves = {"samples", "rms", "peak", "length", "digests"}
    for name in {f.name for f in fields(Measurement)} - of_waves:
        assert np.array_equal(getattr(by_audio, name), getattr(by_levels, name)), name
    audio = Profile(front_end, {(): by_audio})
    with pytest.raises(sn.errors.ArgumentError, match="from levels"):
        audio + meter.profile()


def test_what_needs_samples_names_who_made_the_levels(tmp_path: Path) -> None:
    """A pipeline of foreign levels normalizes, but refuses waves, modules of waves and exports in one sentence."""
    profile = measured(clips()).profile()
    fitted = sn.Standardize().fit(profile)
    pipeline = sn.Pipeline(LEVELS, fitted)
    for call in (lambda: pipeline(np.zeros(16_000)), lambda: Preprocess(pipeline), lambda: LEVELS(np.zeros(9))):
        with pytest.raises(sn.errors.ArgumentError, match="made elsewhere by 'torchaudio'"):
            call()
    pipeline.save(tmp_path / "p")
    assert sn.load(tmp_path / "p") == pipeline
    profile.save(tmp_path / "q")
    assert sn.load(tmp_path / "q") == profile
    x = torch.from_numpy(clips()[0])
    assert np.allclose(Normalize(fitted)(x).numpy(), fitted(x.numpy()), atol=1e-5)
    assert torch.equal(fitted.inverse(fitted(x)).round(decimals=3), x.round(decimals=3))
    module = Normalize(fitted)
    module.load_state_dict(module.state_dict())


BAD = {
    "bands": (lambda m: m.add(np.zeros((2, 9, 8)), layout="bft"), ShapeError, "9 bands.*frame has 8"),
    "axes": (lambda m: m.add(np.zeros((8, 9)), layout="bft"), ShapeError, "is not layout='bft'"),
    "no layout": (lambda m: m.add(np.zeros((2, 8, 9))), ArgumentError, "never guessed|no guess"),
    "layout": (lambda m: m.add(np.zeros((2, 8, 9)), layout="bcft"), ArgumentError, "layout='bcft'"),
    "integers": (lambda m: m.add(np.zeros((2, 8, 9), np.int16), layout="bft"), ShapeError, "int16"),
    "objects": (lambda m: m.add(np.full((2, 8, 9), None), layout="bft"), ShapeError, "object"),
    "torch integers": (lambda m: m.add(torch.zeros(2, 8, 9).long(), layout="bft"), ShapeError, "int64"),
    "list": (lambda m: m.add([[[0.0]]], layout="bft"), ShapeError, "list"),
    "nothing": (lambda m: m.add(np.zeros((0, 8, 9)), layout="bft"), ArgumentError, "no clips"),
    "no frames": (lambda m: m.add(np.zeros((2, 8, 0)), layout="bft"), ArgumentError, "no frames"),
    "nan": (
        lambda m: m.add(np.full((1, 8, 9), np.nan), layout="bft"),
        ArgumentError,
        "72 of its 72 values are NaN",
    ),
    "range": (
        lambda m: m.add(np.full((1, 8, 9), 61.0), layout="bft"),
        ArgumentError,
        "clip 0.*61 dB.*-120 … 60",
    ),
    "infinity": (lambda m: m.add(np.full((1, 8, 9), np.inf), layout="bft"), ArgumentError, "infinite"),
    "long": (
        lambda m: m.add(np.zeros((1, 8, 9)), lengths=[10], layout="bft"),
        ArgumentError,
        "10 frames.*1 … 9",
    ),
    "zero": (lambda m: m.add(np.zeros((1, 8, 9)), lengths=[0], layout="bft"), ArgumentError, "0 frames"),
    "lengths": (
        lambda m: m.add(np.zeros((1, 8, 9)), lengths=[1, 2], layout="bft"),
        ShapeError,
        "lengths of shape",
    ),
    "floats": (lambda m: m.add(np.zeros((1, 8, 9)), lengths=[1.5], layout="bft"), ShapeError, "whole number"),
    "holes": (
        lambda m: m.add(np.zeros((1, 8, 3)), valid=np.array([[True, False, True]]), layout="bft"),
        ArgumentError,
        "holes",
    ),
    "both": (
        lambda m: m.add(np.zeros((1, 8, 1)), lengths=[1], valid=np.array([[True]]), layout="bft"),
        ArgumentError,
        "not both",
    ),
    "groups": (
        lambda m: m.add(np.zeros((2, 8, 9)), groups={"fold": [1]}, layout="bft"),
        ShapeError,
        "1 values for 2",
    ),
    "ragged": (
        lambda m: m.add(np.zeros((2, 8, 9)), lengths=[[1], [1, 2]], layout="bft"),
        ShapeError,
        "one value a clip",
    ),
    "masked": (
        lambda m: m.add(np.ma.masked_array(np.zeros((1, 8, 9)), mask=True), layout="bft"),
        ShapeError,
        "masked array",
    ),
    "sparse": (lambda m: m.add(torch.zeros(1, 8, 9).to_sparse(), layout="bft"), ShapeError, "cannot be read"),
    "no data": (lambda m: m.add(torch.zeros(1, 8, 9, device="meta"), layout="bft"), ShapeError, "cannot be read"),
    "no group": (
        lambda m: m.add(np.zeros((1, 8, 9)), groups={"fold": None}, layout="bft"),
        ArgumentError,
        "a text or a number",
    ),
    "nan group": (
        lambda m: m.add(np.zeros((1, 8, 9)), groups={"fold": np.nan}, layout="bft"),
        ArgumentError,
        "a text or a number",
    ),
    "nameless": (lambda m: m.add(np.zeros((1, 8, 9)), groups={"": 1}, layout="bft"), ArgumentError, "needs a name"),
    "no mapping": (
        lambda m: m.add(np.zeros((2, 8, 9)), groups=3, layout="bft"),
        ArgumentError,
        "name columns",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_batch_is_one_clear_error_and_nothing_is_counted(what: str) -> None:
    """A bad batch raises an error that says why, and the profile stays what it was to the byte."""
    call, error, message = BAD[what]
    meter = measured(clips())
    before = packed(meter.profile())
    with pytest.raises(error, match=message):
        call(meter if "layout" not in what else sn.Meter(LEVELS))
    assert packed(meter.profile()) == before


def test_the_last_clip_of_a_batch_may_spoil_it_all() -> None:
    """When one clip is bad, the good ones before it are not counted either."""
    meter = sn.Meter(LEVELS, "bft")
    x = np.zeros((3, 8, 5))
    x[2, 1, 1] = np.nan
    with pytest.raises(sn.errors.ArgumentError, match="clip 2 of the batch"):
        meter.add(x)
    assert meter.clips == 0


def _rank(rank: int, world: int, port: int, folder: str) -> None:
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    torch.distributed.init_process_group("gloo", rank=rank, world_size=world)
    some = [*clips(9), *clips(1, seed=5), np.full((8, 5), -30, np.float32), np.full((8, 5), -30, np.float32)]
    sampler = torch.utils.data.DistributedSampler(some + some[:1], world, rank, shuffle=True, seed=1)
    meter = sn.Meter(LEVELS, "bft")
    mine = [index % len(some) if index < len(some) else 3 for index in sampler]
    for start in range(0, len(mine), 2):
        x, lengths = padded([some[index] for index in mine[start : start + 2]])
        meter.add(x, lengths=lengths)
    Path(folder, f"{rank}.bin").write_bytes(packed(meter.gathered(clips=len(some) + 1).profile()))
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()


@pytest.mark.parametrize("world", [2, 4])
def test_ranks_gather_what_a_single_process_measures(world: int, tmp_path: Path) -> None:
    """Every rank of a distributed run gets the single process's bytes, with the sampler's repetitions counted once."""
    some = [*clips(9), *clips(1, seed=5), np.full((8, 5), -30, np.float32), np.full((8, 5), -30, np.float32)]
    port = 20_000 + os.getpid() % 20_000 + world
    torch.multiprocessing.spawn(_rank, (world, port, str(tmp_path)), nprocs=world)
    whole = packed(measured([*some, some[3]]).profile())
    assert [(tmp_path / f"{rank}.bin").read_bytes() == whole for rank in range(world)] == [True] * world


def test_without_a_process_group_nothing_is_gathered() -> None:
    """Gathering outside a distributed run is refused with what to do."""
    with pytest.raises(sn.errors.ArgumentError, match="init_process_group"):
        measured(clips()).gathered()


def test_channels_are_pooled_as_asked() -> None:
    """Per band, channel and shared band take the means that NumPy takes over these axes."""
    levels = sn.Levels(4, "dB", -120, 60, channels=3)
    x = np.random.default_rng(0).normal(-20, 5, (6, 3, 4, 30)) + np.arange(3)[:, None, None]
    profile = sn.Meter(levels, "bcft").add(x).profile()
    axes = {"global": (0, 1, 2, 3), "band": (0, 3), "channel": (0, 2, 3), "shared-band": (0, 1, 3)}
    for per, over in axes.items():
        fitted = sn.Standardize(per=per, min_scale=0).fit(profile)
        wanted = (x - x.mean(over, keepdims=True)) / x.std(over, keepdims=True)
        assert np.abs(fitted(x) - wanted).max() < 1e-5
        assert np.abs(fitted.inverse(fitted(x)) - x).max() < 1e-9
        assert sn.MinMax(per=per, min_scale=0).fit(profile)(x).min() >= -1e-6
        assert np.isfinite(sn.Robust(per=per).fit(profile)(x)).all()
    with pytest.raises(sn.errors.ShapeError, match="3 channels and 4 bands"):
        fitted(x[:, 0])
    with pytest.raises(sn.errors.ShapeError, match="2 channels"):
        sn.Meter(levels, "bcft").add(x[:, :2])


def test_the_figures_are_tables_of_pandas_and_xarray() -> None:
    """A profile gives its figures by band, or by channel and band, to pandas and xarray."""
    pytest.importorskip("pandas")
    profile = measured(clips()).profile()
    frame = profile.to_frame()
    assert frame.index.name == "band"
    assert np.array_equal(frame["mean"], profile.band.mean)
    assert frame.attrs["unit"] == "dB"
    two = sn.Levels(4, "dB", -120, 60, channels=2)
    stacked = measured([clip.reshape(2, 4, -1) for clip in clips()], two).profile()
    assert stacked.to_frame().loc[(1, 2), "std"] == stacked.band.std[6]
    pytest.importorskip("xarray")
    found = stacked.to_xarray()
    assert dict(found.sizes) == {"channel": 2, "band": 4}
    assert float(found["max"][1, 3]) == stacked.band.max[7]


def test_a_square_batch_that_cannot_confirm_its_layout_is_told_once() -> None:
    """A square shape says nothing about the layout; a first batch of another shape confirms it for the others."""
    square = np.full((2, 8, 8), -40.0)
    meter = sn.Meter(LEVELS, "bft")
    with pytest.warns(sn.errors.LayoutWarning, match="cannot confirm layout='bft'"):
        meter.add(square)
    meter.add(square)
    confirmed = sn.Meter(LEVELS, "bft").add(np.full((2, 8, 9), -40.0))
    confirmed.add(square)
    assert confirmed.clips == 4
    two = sn.Levels(8, "dB", -120, 60, channels=2)
    with pytest.warns(sn.errors.LayoutWarning, match="2 channels and 2 frames"):
        sn.Meter(two, "bcft").add(np.full((1, 2, 8, 2), -40.0))
    with pytest.warns(sn.errors.LayoutWarning, match="8 bands and 8 frames"):
        sn.Levels.like(square, unit="dB", layout="bft")


@pytest.mark.parametrize("given", [np.zeros((2, 8)), "profile.safetensors", None])
@pytest.mark.parametrize("name", ["band", "minmax", "robust", "clip", "sliding", "sliding-data-set", "none"])
def test_a_normalizer_says_what_it_is_fitted_to(given: Any, name: str) -> None:
    """An array, a path or nothing in place of a profile is one error that says how a profile is made."""
    with pytest.raises(ArgumentError, match="fitted to a Profile"):
        sn.normalize.normalizer(name).fit(given)
