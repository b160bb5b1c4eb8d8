"""Every front end on every odd signal: finite levels, finite JSON, and finite normalizations."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

import spectronorm as sn
from spectronorm.front_end.presets import PRESETS

from . import attacks

NORMALIZERS = ("none", "global", "band", "clip", "minmax", "robust")
SHAPES = {
    "two samples": {"n_fft": 2},
    "a prime": {"n_fft": 1009},
    "a large window": {"n_fft": 4096},
    "a hop beyond the window": {"n_fft": 256, "win_length": 256, "hop_length": 1000},
    "a small power": {"n_fft": 256, "power": 0.1},
    "a large power": {"n_fft": 256, "power": 8.0},
}
FRONT_ENDS = {
    **{name: sn.preset(name) for name in PRESETS},
    **{name: sn.FrontEnd(16_000, stft=sn.STFT(**shape), bands=sn.Linear()) for name, shape in SHAPES.items()},  # type: ignore[arg-type]
    "one band": sn.FrontEnd(16_000, bands=sn.Mel(1)),
    "a thousand bands": sn.FrontEnd(16_000, stft=sn.STFT(n_fft=2048), bands=sn.Mel(1000)),
    "a low rate": sn.FrontEnd(100, stft=sn.STFT(n_fft=32), bands=sn.Linear()),
}


def signals(samples: int) -> dict[str, np.ndarray]:
    """Waves in [-8, 8] that arithmetic may stumble over."""
    time, random = np.arange(samples), np.random.default_rng(0)
    noise = random.standard_normal(samples)
    return {
        "silence": np.zeros(samples),
        "impulse": np.eye(1, samples, samples // 2)[0],
        "constant": np.full(samples, 0.5),
        "square": np.sign(np.sin(time / 7)),
        "half the rate": np.where(time % 2, 1.0, -1.0),
        "denormals": np.where(time % 2, 1e-40, -1e-40),
        "quiet": 1e-8 * noise,
        "loud": np.clip(2.0 * noise, -8, 8),
        "a bit of sound": np.where(time > samples - 5, 0.5, 0.0),
        "ramp": np.linspace(-1, 1, samples),
    }


@pytest.mark.parametrize("name", FRONT_ENDS)
def test_every_finite_wave_gives_finite_numbers(name: str, tmp_path: Path) -> None:
    """One by one, and measured together."""
    front_end = FRONT_ENDS[name]
    samples = max(2 * front_end.min_samples, front_end.sample_rate // 2)
    waves = {label: wave.astype(np.float32) for label, wave in signals(samples).items()}
    for label, wave in waves.items():
        assert np.isfinite(front_end(wave)).all(), label
        soundfile.write(tmp_path / f"{label}.wav", wave, front_end.sample_rate, subtype="FLOAT")
    profile = sn.fit(tmp_path, front_end, engine=sn.engines.ThreadEngine(1), max_bad=0.5)
    json.dumps(profile.summary(), allow_nan=False)
    assert profile.clips >= len(waves) - 1
    for normalizer in NORMALIZERS:
        fitted = sn.normalizer(normalizer).fit(profile)
        for label, wave in waves.items():
            assert np.isfinite(fitted(front_end(wave))).all(), (normalizer, label)


def test_every_attack_has_a_group() -> None:
    """The table of `make attacks` counts each file of this folder once."""
    listed = sorted(module for modules in attacks.GROUPS.values() for module in modules)
    assert listed == sorted(path.stem.removeprefix("test_") for path in Path(__file__).parent.glob("test_*.py"))
