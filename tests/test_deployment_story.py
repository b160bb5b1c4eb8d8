"""The whole story: train small, deploy behind a dull microphone and in noise, watch, and mend."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import soundfile

from spectronorm.demo.sounds import SOUNDS

sys.path.insert(0, str(Path(__file__).parent.parent / "examples"))
import deployment_story
from deployment_story import Chapter, tell

RATE = 16_000


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    """Ten kinds of synthesized sound, eight clips of each in five folds, at random levels over a faint background."""
    folder = tmp_path / "sounds"
    (folder / "audio").mkdir(parents=True)
    (folder / "meta").mkdir()
    rows = ["filename,fold,target,category"]
    for target, (kind, sound) in enumerate(SOUNDS.items()):
        for number in range(40):
            generator = np.random.default_rng((target, number))
            wave = sound(RATE, 2.0, generator)
            wave = wave / np.abs(wave).max() + 10.0 ** (generator.uniform(-70, -45) / 20) * generator.standard_normal(
                len(wave)
            )
            name = f"{kind}-{number}.wav"
            level = 10.0 ** (generator.normal(-12.0, 4.0) / 20)
            soundfile.write(folder / "audio" / name, np.clip(level * wave, -1, 1), RATE, subtype="FLOAT")
            rows.append(f"{name},{number % 5 + 1},{target},{kind}")
    (folder / "meta" / "esc50.csv").write_text("\n".join(rows) + "\n")
    return folder


def check(story: Mapping[str, Chapter], within: float, *, strange: bool = False) -> None:
    """No alarm, no update; alarm, equalization, updated back; alarm, noise, and batch normalization adapted.

    `strange`: the sounds are so few in kind that the noise is not named. A change without a name is adapted to only if
    the clips are diverse, which noise prevents.
    """
    clean, dull, noise = (story[name] for name in ("as in training", "dull microphone", "noise at 20 dB"))
    assert clean.alarm_at is None
    assert clean.refused
    assert clean.batchnorm_adapted is None
    assert dull.alarm_at is not None
    assert dull.kind == "equalization"
    assert not dull.refused
    assert dull.accuracy < clean.accuracy - 0.1
    assert dull.updated is not None
    assert dull.updated >= clean.accuracy - within
    assert noise.alarm_at is not None
    if strange:
        assert noise.kind == "unknown-change"
        assert noise.refused
        assert noise.batchnorm_adapted is None
    else:
        assert noise.kind == "added-noise"
        assert noise.batchnorm_adapted is not None


@pytest.mark.real_data
def test_a_dull_microphone_and_noise_are_mended(esc10: Path) -> None:
    """On ESC-10: an update of means and stds mends the microphone, adapted batch normalization most of the noise."""
    story = tell(esc10)
    check(story, within=0.02)
    noise = story["noise at 20 dB"]
    assert noise.batchnorm_adapted is not None
    assert noise.batchnorm_adapted >= noise.accuracy + 0.08


def test_the_story_holds_on_synthesized_sounds(sounds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without real data: sounds that are easy to tell, which noise does not hide, but a dull microphone does."""
    monkeypatch.setattr(deployment_story, "SECONDS", 2.0)
    monkeypatch.setattr(deployment_story, "EPOCHS", 12)
    check(tell(sounds), within=0.03, strange=True)
