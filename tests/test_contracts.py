"""The shipped contracts, run over everything in the registries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import spectronorm as sn
from spectronorm import testing
from spectronorm.audio import SOURCES
from spectronorm.front_end.bands import BANDS
from spectronorm.front_end.compress import COMPRESSIONS
from spectronorm.front_end.waveform import WAVEFORM_LEVELS
from spectronorm.interop.statistics import STATISTICS_FORMATS
from spectronorm.normalize import normalizer_names


def subjects() -> Iterator[tuple[type[testing.Contract], str, Any]]:
    """Every built-in thing with its contract, by name."""
    for name in normalizer_names():
        yield testing.NormalizerContract, name, sn.normalizer(name)
    yield testing.NormalizerContract, "fixed", sn.Fixed(-30.0, 12.0)
    for contract, registry in (
        (testing.CompressionContract, COMPRESSIONS),
        (testing.BandsContract, BANDS),
        (testing.WaveformLevelContract, WAVEFORM_LEVELS),
        (testing.StatisticsFormatContract, STATISTICS_FORMATS),
    ):
        for name, cls in registry.classes().items():
            yield contract, name, cls()


TESTS = [
    pytest.param(contract, subject, test, id=f"{contract.__name__}-{name}-{test.removeprefix('test_')}")
    for contract, name, subject in subjects()
    for test in sorted(dir(contract))
    if test.startswith("test_")
]


@pytest.mark.parametrize(("contract", "subject", "test"), TESTS)
def test_everything_in_a_registry_keeps_its_contract(contract: type[testing.Contract], subject: Any, test: str) -> None:
    """Each built-in normalizer, compression, band layout, waveform level and format passes its shipped contract."""
    getattr(type(contract.__name__, (contract,), {"subject": subject})(), test)()


def _wav(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.1 * np.random.default_rng(0).standard_normal(4000), 16_000)
    return path


def _table(folder: Path) -> Path:
    _wav(folder / "a.wav")
    (folder / "table.csv").write_text("path,label\na.wav,x\n")
    return folder / "table.csv"


@pytest.mark.parametrize(("name", "place"), [("table", _table)])
def test_source_kinds_keep_their_contract(name: str, place: Any) -> None:
    """A built-in source kind recognizes, lists and reads an example."""
    contract: Any = type("Case", (testing.SourceContract,), {"subject": SOURCES.find(name)(), "place": place})()
    contract.test_the_example_is_recognized_and_read()
