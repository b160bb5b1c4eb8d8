"""No public class tells a value in more than 200 characters, whatever its fields hold, or a table in over 8 kB."""

from __future__ import annotations

import dataclasses
import enum
import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from tests.test_api import public_objects

import spectronorm as sn
from spectronorm.html_summary import MOST_HTML_BYTES
from spectronorm.short_repr import MOST_CHARACTERS, with_bounded_repr

pytest.importorskip("torch")
CLASSES: dict[str, Any] = {
    path: one
    for path, one in public_objects().items()
    if inspect.isclass(one) and not issubclass(one, BaseException | enum.Enum)
}
TOLD_BY_CONTENT = {"Fixed", "Profile", "profile.Statistics", "audio.Source", "cleaning.Inspected"}
"""Classes whose representation reads its fields, so that it takes a real value; `real_values` has each of them."""
TREES = {"nn.Monitored", "nn.Normalize", "nn.Preprocess", "nn.Spectrogram", "nn.StreamStep"}
"""Modules of torch, which tell their parts line by line as every module does."""
WITH_SOUND = {"report.Player"}
"""Classes whose table holds a sound, which needs its bytes."""


class Wide:
    """A value with a long representation."""

    def __repr__(self) -> str:
        return f"Wide({'x' * 140})"


def value_of(kind: str) -> object:
    """A value of a field's kind that is long to tell."""
    for words, value in {
        ("Mapping", "dict["): {f"name {n}": "x" * 50 for n in range(100)},
        ("NDArray", "Floats", "Array", "Integers", "Tensor"): np.zeros(1000),
        ("tuple", "list", "Sequence", "Collection"): tuple("x" * 50 for _ in range(100)),
        ("bytes",): b"x" * 5000,
    }.items():
        if any(word in kind for word in words):
            return value
    if kind.startswith("str"):
        return "x" * 300
    return {"float": -12345.678901234567, "int": 2**31, "bool": True}.get(kind.partition(" ")[0], Wide())


def filled(cls: Any) -> Any:
    """A value of a dataclass or named tuple whose fields are all long, whatever the class allows."""
    if issubclass(cls, tuple):
        return cls(*(value_of(str(kind)) for kind in cls.__annotations__.values()))
    value = object.__new__(cls)
    for field in dataclasses.fields(cls):
        object.__setattr__(value, field.name, value_of(str(field.type)))
    return value


@pytest.mark.parametrize("path", [path for path, one in CLASSES.items() if dataclasses.is_dataclass(one)])
def test_a_long_value_is_cut(path: str) -> None:
    """A dataclass whose fields are all long is told in a line."""
    if path not in TOLD_BY_CONTENT:
        assert len(repr(filled(CLASSES[path]))) <= MOST_CHARACTERS


def test_other_classes_are_told_shortly() -> None:
    """A class that is neither a dataclass nor a module has Python's own line, or one that is cut."""
    others = {path: one for path, one in CLASSES.items() if not dataclasses.is_dataclass(one)}
    own = {path for path, one in others.items() if one.__repr__ is not object.__repr__}
    tuples = {path for path in own if issubclass(others[path], tuple)}
    assert all(len(repr(filled(others[path]))) <= MOST_CHARACTERS for path in tuples)
    assert own - tuples == {"Meter", *TREES}


def answer(folder: Path) -> Any:
    """The answer of an experiment with twenty arms of long names."""
    ex = sn.experiment
    rng = np.random.default_rng(0)
    items = [
        {"audio": (0.1 * rng.standard_normal(4000), 8000), "label": "ab"[n % 2], "fold": n // 4} for n in range(12)
    ]
    front_end = sn.FrontEnd(8000, bands=sn.Mel(8))
    arms = tuple(ex.Arm(f"{'<b>' * 30}{n}", front_end, sn.Fixed(-40.0 - n, 10.0)) for n in range(20))
    design = ex.Design(arms, ex.Training("linear", epochs=1), seeds=1)
    prepared = ex.prepare(ex.labelled_clips(sn.open_source(items)), design, folder)
    return ex.compare(prepared, ex.Results(folder, prepared.settings())).answer


@pytest.fixture(scope="module")
def real_values(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Values of long names and many columns, by the paths of their classes."""
    folder = tmp_path_factory.mktemp("clips")
    rows = ["path,fold,label"]
    for number in range(12):
        name = f"{'long-name-' * 15}{number}.wav"
        soundfile.write(folder / name, 0.1 * np.random.default_rng(number).standard_normal(4000), 8000)
        rows.append(f"{name},{number % 5 + 1},{'<script>alert(1)</script>' * 4}")
    (folder / "clips.csv").write_text("\n".join(rows) + "\n")
    source = sn.open_source(folder / "clips.csv")
    front_end = sn.FrontEnd(sample_rate=8000, bands=sn.Mel(32), level=sn.waveform.PeakLevel(-3.0))
    profile = sn.fit(source, front_end)
    fitted = sn.Standardize(per="band").fit(profile)
    values = {
        "Fixed": sn.Fixed.of(np.full(32, -40.123456789), variance=np.full(32, 90.0)),
        "Profile": profile,
        "FrontEnd": front_end,
        "Levels": sn.Levels(3, "dB", -100, 10, made_by="x" * 300),
        "Meter": sn.Meter(front_end),
        "Pipeline": sn.Pipeline(front_end, fitted),
        "normalize.FittedNormalizer": fitted,
        "profile.Statistics": profile.band,
        "audio.Source": source,
        "cleaning.Inspected": sn.cleaning.inspect(source),
        "experiment.Answer": answer(tmp_path_factory.mktemp("run")),
    }
    assert all(type(value) is CLASSES[path] for path, value in values.items())
    return values


def test_real_values_are_told_in_a_line(real_values: dict[str, Any]) -> None:
    """Classes whose representation reads its fields keep it short."""
    assert set(real_values) >= {*TOLD_BY_CONTENT, "Meter"}
    for path, value in real_values.items():
        assert len(repr(value)) <= MOST_CHARACTERS, path


def test_every_table_is_small(real_values: dict[str, Any]) -> None:
    """Each public class with a table for notebooks keeps it below 8 kB, with no markup of the data in it."""
    with_table = {path for path, one in CLASSES.items() if hasattr(one, "_repr_html_")} - WITH_SOUND
    assert with_table <= set(real_values)
    for path in with_table:
        html = real_values[path]._repr_html_()
        assert len(html.encode()) <= MOST_HTML_BYTES, path
        assert "<script" not in html, path
        assert "<b><b>" not in html, path


def test_modules_are_told_line_by_line(real_values: dict[str, Any]) -> None:
    """No line of a module's tree is longer than a value's."""
    from spectronorm.nn import Normalize, Preprocess, Spectrogram  # noqa: PLC0415

    pipeline = real_values["Pipeline"]
    for module in (Preprocess(pipeline), Spectrogram(pipeline.front_end), Normalize(pipeline.normalizer)):
        assert max(map(len, repr(module).splitlines())) <= MOST_CHARACTERS + 40


def test_a_value_that_fits_is_told_in_full() -> None:
    """Only a longer representation is replaced."""

    @with_bounded_repr
    @dataclasses.dataclass(frozen=True)
    class Pair:
        first: Any
        second: int = 0

    assert repr(Pair(1)).endswith("Pair(first=1, second=0)")
    assert repr(Pair("x" * 900)).startswith("Pair(first=")
    assert len(repr(Pair(Path("x" * 900)))) <= MOST_CHARACTERS
