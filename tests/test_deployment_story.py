"""The whole story on real recordings: train small, deploy behind a dull microphone and in noise, watch, and mend."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "examples"))
from deployment_story import tell


@pytest.mark.real_data
def test_a_dull_microphone_is_mended_and_noise_is_not_updated(esc10: Path) -> None:
    """Alarm and equalization, updated back to within two points; alarm and noise, no update, batch norm adapted."""
    story = tell(esc10)
    clean, dull, noise = (story[name] for name in ("as in training", "dull microphone", "noise at 20 dB"))
    assert clean.alarm_at is None
    assert dull.alarm_at is not None
    assert dull.kind == "equalization"
    assert not dull.refused
    assert dull.accuracy < clean.accuracy - 0.1
    assert dull.updated is not None
    assert dull.updated >= clean.accuracy - 0.02
    assert noise.alarm_at is not None
    assert noise.kind == "added-noise"
    assert noise.refused
    assert noise.batchnorm_adapted is not None
    assert noise.batchnorm_adapted >= noise.accuracy + 0.08
