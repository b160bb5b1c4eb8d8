"""Profiles of few clips keep the rate of false alarms; one clip is refused."""

from __future__ import annotations

import numpy as np
import pytest

import spectronorm as sn
from spectronorm.errors import ArgumentError
from spectronorm.monitor import FalseAlarms, Monitor

FRONT_END = sn.FrontEnd(8000, bands=sn.Mel(16))


def recordings(count: int, generator: np.random.Generator) -> list[np.ndarray]:
    """Noise with a level and a tilt of its own in each clip."""
    waves = []
    for _ in range(count):
        wave = generator.standard_normal(4000)
        share = generator.uniform(-0.8, 0.8)
        wave[1:] += share * wave[:-1]
        waves.append(10 ** (generator.normal(-30, 6) / 20) * wave)
    return waves


def test_a_profile_of_twenty_clips_knows_how_little_it_knows() -> None:
    """Unchanged clips seldom alarm: what twenty clips leave uncertain is part of the threshold."""
    alarms = 0
    for trial in range(12):
        generator = np.random.default_rng(trial)
        profile = sn.fit([(wave, 8000) for wave in recordings(20, generator)], FRONT_END)
        monitor = Monitor(profile, false_alarms=FalseAlarms.parse("1/1000 clips"))
        alarms += any(monitor.add(wave).alarm for wave in recordings(60, generator))
    assert alarms <= 3  # One in a thousand clips is one in seventeen streams.


def test_a_profile_of_one_clip_is_refused() -> None:
    """One clip shows no variation between clips, so no rate of false alarms can be kept."""
    profile = sn.fit([(wave, 8000) for wave in recordings(1, np.random.default_rng(0))], FRONT_END)
    with pytest.raises(ArgumentError, match="one clip shows no variation, so no threshold can be set"):
        Monitor(profile)
