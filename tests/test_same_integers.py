"""Profiles hold the integers that they held before the modules were moved and renamed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.digests import FOLDER, PRESETS, digests

import spectronorm as sn

BEFORE: dict[str, str] = json.loads((FOLDER / "profiles_of_version_0_1.json").read_text(encoding="utf-8"))


def test_every_profile_of_version_0_1_is_asked_for() -> None:
    """No stored digest is forgotten by the tests below."""
    assert sorted(BEFORE) == sorted(f"{data} {name}" for data, names in PRESETS.items() for name in names)


def test_sounds_made_of_integers_give_the_profiles_of_version_0_1(tmp_path: Path) -> None:
    """The tensors of every front end's profile are equal to the byte, on every machine."""
    found = dict(digests(sn, "made", tmp_path))

    assert found == {name: value for name, value in BEFORE.items() if name.startswith("made ")}


@pytest.mark.real_data
@pytest.mark.parametrize("data", ["esc10", "fsdd"])
def test_real_recordings_give_the_profiles_of_version_0_1(data: str, esc10: Path) -> None:
    """The tensors of every front end's profile of ESC-10 and of the spoken digits are equal to the byte."""
    if not (esc10.parent / data).is_dir():
        pytest.skip(f"SPECTRONORM_DATA has no {data}")
    found = dict(digests(sn, data, esc10))

    assert found == {name: value for name, value in BEFORE.items() if name.startswith(f"{data} ")}
