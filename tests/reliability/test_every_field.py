"""Every field of every format that is loaded, with every odd value: an error of our family, or a sound thing."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

import spectronorm as sn
from spectronorm.errors import ArgumentError, FileFormatError, SpectronormError
from spectronorm.experiment.arms.arms_file import parse_arms
from spectronorm.image_files import ImageCodec, LevelRange, decode, png
from spectronorm.image_files import header as image_header
from spectronorm.monitor import Monitor
from spectronorm.storage import container

from .conftest import write_clips
from .odd_values import ODD, texts, variants

FRONT_END = sn.FrontEnd(sample_rate=8_000, stft=sn.STFT(n_fft=64), bands=sn.Mel(3))
FRONT_ENDS = [
    FRONT_END,
    sn.FrontEnd(8_000, sn.waveform.PeakLevel(), sn.STFT(64), sn.bands.Gammatone(3), sn.compress.PCEN()),
    sn.FrontEnd(8_000, sn.waveform.PreEmphasis(), sn.STFT(64), sn.bands.Linear(), sn.compress.Ln()),
    sn.FrontEnd(8_000, sn.waveform.LoudnessLevel(), sn.STFT(64), sn.Mel(3), sn.compress.Log1p()),
    sn.FrontEnd(8_000, sn.waveform.ScaleWaveform(), sn.STFT(64), sn.Mel(3), sn.compress.Root()),
    sn.FrontEnd(8_000, sn.waveform.SlidingStandardizeWaveform(), sn.STFT(64), sn.Mel(3)),
]
NOISE = 0.1 * np.random.default_rng(0).standard_normal(4_000)


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> sn.Profile:
    """Of a few clips, one of them bad and one silent."""
    folder = tmp_path_factory.mktemp("measured")
    write_clips(folder, 20)
    (folder / "bad.wav").write_bytes(b"no audio")
    noted = {"list_files": True, "command": "spectronorm fit clips"}
    return sn.fit(folder, FRONT_END, group_by=["label"], max_bad=0.5, duration=0.2, **noted)


def refused_or_sound(odd: Iterable[tuple[str, Any]], read: Callable[[Any], None]) -> None:
    """Read each; whatever is raised is of our family."""
    worse, tried = [], 0
    for name, content in odd:
        tried += 1
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                read(content)
        except SpectronormError:
            continue
        except Exception as error:
            worse.append(f"{name}: {type(error).__name__}: {error}"[:200])
    assert tried > 20
    assert not worse, f"{len(worse)} of {tried}: " + "\n".join(worse[:40])


@pytest.mark.parametrize("front_end", FRONT_ENDS, ids=lambda f: f"{type(f.level).__name__}-{type(f.compress).__name__}")
def test_a_front_end_from_json(front_end: sn.FrontEnd) -> None:
    """What is taken makes finite levels and finite JSON."""

    def read(text: str) -> None:
        made = sn.FrontEnd.from_json(text)
        assert made.fingerprint
        if made.sample_rate > 16_000 or made.min_samples > len(NOISE) or made.stft.hop < 8:
            return
        assert np.isfinite(made(NOISE)).all()

    refused_or_sound(texts(front_end.to_dict()), read)


def test_levels_from_json() -> None:
    """What is taken describes itself with a fingerprint."""
    levels = sn.Levels(8, "dB", -80.0, 0.0, frame_rate=100.0, made_by="somebody", settings={"n_fft": 64})

    def read(text: str) -> None:
        assert sn.Levels.from_json(text).fingerprint

    read(levels.to_json())
    refused_or_sound(texts(json.loads(levels.to_json())), read)


def container_texts(header: dict[str, Any], tensors: container.Tensors) -> Iterable[tuple[str, bytes]]:
    """Files whose header has odd values, NaN and infinity as well."""
    for name, text in texts(header):
        yield name, bytes(safetensors.numpy.save(tensors, metadata={container.HEADER_KEY: text}))
    for name, changed in variants(header):
        try:
            yield f"{name}, packed", container.pack(changed, tensors)
        except (ValueError, UnicodeEncodeError):
            continue


def odd_tensors(header: dict[str, Any], tensors: container.Tensors) -> Iterable[tuple[str, bytes]]:
    """Files with each tensor missing, empty, of another type or shape, or with extreme numbers."""
    for name, tensor in tensors.items():
        changes = {
            "empty": tensor[:0],
            "scalar": np.zeros((), tensor.dtype),
            "flat": tensor.reshape(-1),
            "one more axis": tensor[None],
            "floats": tensor.astype(np.float32),
            "bools": tensor.astype(bool),
        }
        extremes = (
            [np.nan, np.inf, -np.inf, 1e308, -1.0]
            if np.issubdtype(tensor.dtype, np.floating)
            else [np.iinfo(tensor.dtype).min, np.iinfo(tensor.dtype).max, 1]
        )
        for value in extremes:
            with np.errstate(over="ignore"):  # 1e308 is infinite in single precision
                changes[f"all {value}"] = np.full_like(tensor, value)
        for what, changed in changes.items():
            yield f"{name}: {what}", container.pack(header, {**tensors, name: changed})
        yield f"{name}: missing", container.pack(header, {n: t for n, t in tensors.items() if n != name})
    yield "one more", container.pack(header, {**tensors, "other": np.zeros(3)})


def test_a_profile(profile: sn.Profile, tmp_path: Path) -> None:
    """What is taken sums up to finite JSON, leaves groups out, and normalizes."""
    path = tmp_path / "odd"

    def read(data: bytes) -> None:
        path.write_bytes(data)
        loaded = sn.Profile.load(path)
        json.dumps(loaded.summary(), allow_nan=False)
        sn.Standardize().fit(loaded)

    header, tensors = profile.to_container()
    refused_or_sound(container_texts(header, tensors), read)
    refused_or_sound(odd_tensors(header, tensors), read)


NORMALIZERS = ["none", "global", "band", "minmax", "robust", "clip", "sliding", "sliding-data-set"]


@pytest.mark.parametrize("name", NORMALIZERS)
def test_a_pipeline(name: str, profile: sn.Profile, tmp_path: Path) -> None:
    """What is taken maps a wave to finite numbers and sums up to finite JSON."""
    path = tmp_path / "odd"
    profile.save(tmp_path / "profile")
    sn.pipeline.open_fitted(tmp_path / "profile", name).save(path)
    header, tensors = container.load_tensors(path)

    def read(data: bytes) -> None:
        path.write_bytes(data)
        loaded = sn.Pipeline.load(path)
        json.dumps(loaded.summary(), allow_nan=False)
        assert np.isfinite(loaded(NOISE)).all()

    rest = header if name == "band" else {"normalizer": header["normalizer"], "fitted_on": header["fitted_on"]}
    whole = ((n, {**header, **changed}) for n, changed in variants(rest))
    refused_or_sound(((n, container.pack(changed, tensors)) for n, changed in whole), read)
    if name == "band":
        refused_or_sound(container_texts(header, tensors), read)
        refused_or_sound(odd_tensors(header, tensors), read)


def test_a_monitor(profile: sn.Profile, tmp_path: Path) -> None:
    """What is taken goes on and reports."""
    path = tmp_path / "odd"
    monitor = Monitor(profile, window=sn.monitor.Window(8, 4))
    for _ in range(20):
        monitor.add(NOISE)
    monitor.save(path)
    header, tensors = container.load_tensors(path)

    def read(data: bytes) -> None:
        path.write_bytes(data)
        loaded = Monitor.load(path, profile)
        loaded.add(NOISE)
        json.dumps(loaded.report().to_dict(), allow_nan=False)

    header["panes"].pop("front_end")  # the same as that above, tried for profiles
    refused_or_sound(((n, container.pack(c, tensors)) for n, c in variants({**header, "front_end": {}})), read)
    header, tensors = container.unpack(monitor_bytes(monitor, tmp_path), "a monitor")
    part = {"state": header["state"], "panes": {k: v for k, v in header["panes"].items() if k != "front_end"}}
    made = ((n, {**header, **c}) for n, c in variants(part))
    refused_or_sound(((n, container.pack(_with_front_end(c, header), tensors)) for n, c in made), read)
    refused_or_sound(odd_tensors(header, tensors), read)


def monitor_bytes(monitor: Monitor, folder: Path) -> bytes:
    """What a monitor saves."""
    monitor.save(folder / "saved")
    return (folder / "saved").read_bytes()


def _with_front_end(changed: dict[str, Any], header: dict[str, Any]) -> dict[str, Any]:
    panes = changed.get("panes")
    if not isinstance(panes, dict):
        return changed
    return {**changed, "panes": {**panes, "front_end": header["panes"]["front_end"]}}


def test_an_image(tmp_path: Path) -> None:
    """What is taken has finite levels; the checksum is made to fit, as a forger would."""
    level_range = LevelRange(np.array([-80.0]), np.array([0.0]), "fixed")
    path = tmp_path / "odd.png"
    path.write_bytes(ImageCodec(FRONT_END, level_range).encode(np.linspace(-80.0, 0.0, 3 * 8).reshape(3, 8)))
    sound = png.read_png(path)
    plain = json.loads(sound.texts[image_header.KEYWORD])
    del plain["checksum"]

    def read(changed: Any) -> None:
        checked = {**changed, "checksum": image_header._checksum(changed)}
        path.write_bytes(png.encode_png(sound.pixels, image_header.KEYWORD, json.dumps(checked)))
        assert np.isfinite(decode(path).level).all()

    refused_or_sound(variants(plain), read)


ARM = {
    "name": "a",
    "preset": "logmel",
    "level": "standardize",
    "stft": {"n_fft": 1024, "power": 2.0},
    "bands": {"kind": "mel", "n_mels": 16},
    "compress": {"kind": "decibel", "amin": 1e-8, "top_db": 80.0},
    "sample_rate": 8_000,
    "resampler": "soxr_hq",
    "normalize": {"kind": "robust", "per": "band", "quantiles": [0.2, 0.8]},
    "augment": [
        {"kind": "mixup", "alpha": 0.2},
        {"kind": "spec_augment", "n_time_masks": 1, "p": 0.2, "fill": 0.0},
        {"kind": "random_resized_crop", "virtual_crop_scale": [1.0, 1.5], "freq_scale": [0.6, 1.5]},
        {"kind": "frame_crop", "frames": 8, "gate_db": 10.0},
        {"kind": "gain", "min_db": -6.0, "max_db": 6.0},
        {"kind": "noise", "min_snr_db": 10.0, "max_snr_db": 40.0},
        {"kind": "time_shift", "max_samples": 10, "wrap": True},
    ],
    "test_crops": 2,
    "members": 2,
}


def test_arms(tmp_path: Path) -> None:
    """Arms of JSON and TOML: whole designs that describe themselves, or one error that names the file."""
    plain = {
        "arm": [ARM, {"name": "b"}, {"name": "c", "mean_of": ["a", "b"]}],
        "factors": {"level": ["as_recorded", "standardize"], "normalize": ["none", {"kind": "fixed", "shift": 1.0}]},
    }
    path = tmp_path / "arms.json"

    def read(text: str) -> None:
        path.write_text(text)
        json.dumps([arm.to_dict() for arm in parse_arms(str(path), FRONT_END)], allow_nan=False)

    read(json.dumps(plain))
    refused_or_sound(texts(plain), read)


@pytest.mark.parametrize(
    "text",
    [
        "[factors]\n" + "\n".join(f"a{i} = [1, 2, 3]" for i in range(40)),
        '[[arm]]\nname = "a"\nmembers = 1000000000\n[[arm]]\nname = "b"',
        "".join(
            f'[[arm]]\nname = "x{i}"\nmean_of = ["x{i - 1}", "x{i - 1}"]\n' if i else '[[arm]]\nname = "x0"\n'
            for i in range(60)
        ),
        '[[arm]]\nname = "a"\nlevel = ["peak"]\n[[arm]]\nname = "b"',
        '[[arm]]\nname = "a"\nsample_rate = inf\n[[arm]]\nname = "b"',
        '[[arm]]\nname = "a"\nstft.power = nan\n[[arm]]\nname = "b"',
        f"a = {'1' * 5000}",
        "a = " + "[" * 50_000,
        "arm = 2020-01-01",
        "x" * (1 << 21),
    ],
    ids=["factors", "members", "mean of means", "list", "inf", "nan", "digits", "deep", "date", "long"],
)
def test_arms_that_would_have_no_end(text: str, tmp_path: Path) -> None:
    """Numbers and nesting have bounds, before anything is multiplied."""
    (tmp_path / "arms.toml").write_text(text)
    with pytest.raises(ArgumentError, match=r"arms\.toml"):
        parse_arms(str(tmp_path / "arms.toml"), FRONT_END)


def test_a_sparse_file_is_refused_by_its_first_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing behind a header that tells of another length is read."""
    with (tmp_path / "zeros").open("wb") as file:
        file.truncate((1 << 32) - 1)
    good = container.pack({"kind": "profile"}, {"x": np.zeros(3)})
    with (tmp_path / "longer").open("wb") as file:
        file.write(good)
        file.truncate((1 << 32) - 1)
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("the whole file was read"))
    for name in ("zeros", "longer"):
        with pytest.raises(FileFormatError, match=name):
            sn.Profile.load(tmp_path / name)


def test_weights_have_a_bound_before_memory_is_asked_for() -> None:
    """Bands times bins of the largest settings would take 34 GB."""
    for bands in (sn.bands.Linear(), sn.Mel(8192), sn.bands.Gammatone(8192)):
        with pytest.raises(ArgumentError, match="weights"):
            sn.FrontEnd(bands=bands, stft=sn.STFT(n_fft=1 << 17))
    assert len(ODD) > 15
