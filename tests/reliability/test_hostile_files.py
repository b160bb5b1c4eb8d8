"""Files of our own that were made or changed by somebody else: a sound one is read, any other is one clear error."""

from __future__ import annotations

import json
import os
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

import spectronorm as sn
from spectronorm.errors import FileFormatError, SpectronormError
from spectronorm.pipeline import load
from spectronorm.storage import container

from .attack import FRONT_END
from .conftest import write_clips

Change = Callable[[dict[str, Any], dict[str, np.ndarray]], None]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A sound profile and a sound pipeline."""
    folder = tmp_path_factory.mktemp("saved")
    write_clips(folder / "clips", 6)
    (folder / "clips" / "bad.wav").write_bytes(b"no audio")
    profile = sn.fit(folder / "clips", FRONT_END, group_by=["label"], max_bad=0.5)
    profile.save(folder / "profile")
    sn.Pipeline(FRONT_END, sn.Standardize().fit(profile)).save(folder / "pipeline")
    return {name: (folder / name).read_bytes() for name in ("profile", "pipeline")}


def at(*path: str | int, value: Any) -> Change:
    """Set one value of the header."""

    def change(header: dict[str, Any], tensors: dict[str, np.ndarray]) -> None:
        del tensors
        place: Any = header
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return change


def tensor(name: str, change: Callable[[np.ndarray], np.ndarray | None]) -> Change:
    """Change one tensor, or take it out."""

    def apply(header: dict[str, Any], tensors: dict[str, np.ndarray]) -> None:
        del header
        changed = change(tensors.pop(name).copy())
        if changed is not None:
            tensors[name] = changed

    return apply


def first(value: float) -> Callable[[np.ndarray], np.ndarray]:
    """Another first number."""

    def change(array: np.ndarray) -> np.ndarray:
        array.flat[0] = value
        return array

    return change


HUGE = 1 << 62
PROFILES: dict[str, Change] = {
    "kind": at("kind", value="image"),
    "format": at("format", value=999),
    "format text": at("format", value="2"),
    "no groups": at("groups", value=[]),
    "groups none": at("groups", value=None),
    "groups text": at("groups", value="abc"),
    "clips 0": at("groups", 0, "clips", value=0),
    "clips -5": at("groups", 0, "clips", value=-5),
    "clips float": at("groups", 0, "clips", value=3.0),
    "clips true": at("groups", 0, "clips", value=True),
    "clips huge": at("groups", 0, "clips", value=HUGE),
    "population less": at("groups", 0, "population", value=1),
    "samples 0": at("groups", 0, "samples", value=0),
    "flat more": at("groups", 0, "flat", value=4),
    "flat without cells": at("groups", 0, "flat", value=1),
    "key number": at("groups", 0, "key", value=[["label", 5]]),
    "key twice": at("groups", 0, "key", value=[["label", "low"]]),
    "key nested": at("groups", 0, "key", value=[[["label"], "low"]]),
    "fingerprint": at("fingerprint", value="0" * 16),
    "front end missing": at("front_end", value={}),
    "sample rate": at("front_end", "sample_rate", value=16_000),
    "sample rate huge": at("front_end", "sample_rate", value=HUGE),
    "n_fft huge": at("front_end", "stft", "n_fft", value=1 << 40),
    "n_fft negative": at("front_end", "stft", "n_fft", value=-256),
    "hop 0": at("front_end", "stft", "hop_length", value=0),
    "hop text": at("front_end", "stft", "hop_length", value="128"),
    "n_mels huge": at("front_end", "bands", "n_mels", value=1 << 40),
    "window list": at("front_end", "stft", "window", value=["hann"]),
    "window number": at("front_end", "stft", "window", value=8),
    "unknown setting": at("front_end", "stft", "evil", value=1),
    "unknown band kind": at("front_end", "bands", "kind", value="__class__"),
    "band kind list": at("front_end", "bands", "kind", value=[]),
    "amin 0": at("front_end", "compress", "amin", value=0),
    "duration 0": at("duration", value=0),
    "duration text": at("duration", value="5"),
    "duration true": at("duration", value=True),
    "version number": at("version", value=1),
    "exclude_floor number": at("exclude_floor", value=1),
    "left_out text": at("left_out", value="fold=1"),
    "left_out numbers": at("left_out", value=[1]),
    "bad reason": at("bad", 0, "reason", value="because"),
    "bad path": at("bad", 0, "path", value=5),
    "bad list": at("bad", value={"path": "x"}),
    "flagged none": at("flagged", value=None),
    "count 0": tensor("count", first(0)),
    "count -1": tensor("count", first(-1)),
    "count more": tensor("count", first(HUGE)),
    "count float": tensor("count", lambda a: a.astype(np.float64)),
    "count shape": tensor("count", lambda a: a[:, :-1].copy()),
    "count missing": tensor("count", lambda _: None),
    "total huge": tensor("total", first(HUGE)),
    "lowest above highest": tensor("lowest", first(1 << 40)),
    "lowest below the grid": tensor("lowest", first(-(1 << 40))),
    "highest beyond": tensor("highest", first(1 << 40)),
    "floor more": tensor("on_floor", first(HUGE)),
    "floor negative": tensor("on_floor", first(-1)),
    "lowest above the floor": tensor("lowest_above", first(-(1 << 40))),
    "flat count": tensor("flat_count", first(1)),
    "negative variance": tensor("squares", lambda a: a * 0),
    "squares denormal": tensor("squares", first(1 << 40)),
    "products denormal": tensor("products", first(-1)),
    "histogram": tensor("histogram", first(9)),
    "histogram short": tensor("histogram", lambda a: a[:-1].copy()),
    "histogram long": tensor("histogram", lambda a: np.append(a, a[:1])),
    "histogram signed": tensor("histogram", lambda a: a.astype(np.int64)),
    "histogram first": tensor("histogram_first", first(-HUGE)),
    "histogram length": tensor("histogram_length", first(HUGE)),
    "histogram length 0": tensor("histogram_length", first(0)),
    "rms negative": tensor("rms", first(-1)),
    "peak": tensor("peak", first(5)),
    "length": tensor("length", lambda a: a * 2),
    "digests order": tensor("digests", lambda a: a[::-1].copy()),
    "digests short": tensor("digests", lambda a: a[:-1].copy()),
    "digests shape": tensor("digests", lambda a: a[:, :8].copy()),
}
PIPELINES: dict[str, Change] = {
    "kind": at("kind", value=None),
    "format": at("format", value=0),
    "fingerprint": at("fingerprint", value=""),
    "normalizer unknown": at("normalizer", "kind", value="os.system"),
    "normalizer list": at("normalizer", "kind", value=[1]),
    "normalizer setting": at("normalizer", "evil", value=1),
    "normalizer scope": at("normalizer", "per", value="universe"),
    "normalizer min_scale": at("normalizer", "min_scale", value=-1),
    "fitted on nothing": at("fitted_on", "clips", value=0),
    "fitted on text": at("fitted_on", "frames", value="many"),
    "fitted on groups": at("fitted_on", "groups", value=[1]),
    "fitted on no data": at("fitted_on", "data", value=None),
    "left out": at("fitted_on", "left_out", value=[None]),
    "shift nan": tensor("shift", first(np.nan)),
    "shift inf": tensor("shift", first(np.inf)),
    "scale 0": tensor("scale", first(0.0)),
    "scale negative": tensor("scale", first(-1.0)),
    "scale nan": tensor("scale", first(np.nan)),
    "scale float32": tensor("scale", lambda a: a.astype(np.float32)),
    "scale shape": tensor("scale", lambda a: a[:-1].copy()),
    "scale missing": tensor("scale", lambda _: None),
}


def changed(data: bytes, change: Change) -> bytes:
    """The file with one thing changed."""
    header, tensors = container.unpack(data, "a file")
    change(header, tensors)
    return container.pack(header, tensors)


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_that_no_measuring_can_give_is_refused(name: str, saved: dict[str, bytes], tmp_path: Path) -> None:
    """One wrong value, count, shape or name: FileFormatError, whatever it is."""
    _refused(changed(saved["profile"], PROFILES[name]), tmp_path)


@pytest.mark.parametrize("name", PIPELINES)
def test_a_pipeline_that_no_fitting_can_give_is_refused(name: str, saved: dict[str, bytes], tmp_path: Path) -> None:
    """One wrong value: FileFormatError."""
    _refused(changed(saved["pipeline"], PIPELINES[name]), tmp_path)


def _refused(data: bytes, folder: Path) -> None:
    path = folder / "hostile"
    path.write_bytes(data)
    with pytest.raises(FileFormatError, match="hostile"):
        load(path)


def with_header(text: str) -> bytes:
    """A safetensors file with this text where our header stands."""
    return bytes(safetensors.numpy.save({"x": np.zeros(1)}, metadata={container.HEADER_KEY: text}))


OTHER_FILES: dict[str, bytes] = {
    "empty": b"",
    "text": b"hello",
    "zeros": bytes(4096),
    "pickle": pickle.dumps({"mean": 1.0}),
    "header of 2^63 bytes": struct.pack("<Q", 1 << 63) + b"{}",
    "header of 100 MB": struct.pack("<Q", 100_000_000) + b"{}",
    "no metadata": bytes(safetensors.numpy.save({"x": np.zeros(1)})),
    "not our metadata": bytes(safetensors.numpy.save({"x": np.zeros(1)}, metadata={"format": "pt"})),
    "NaN": with_header('{"kind": NaN}'),
    "1e999": with_header('{"kind": "profile", "format": 1e999}'),
    "list": with_header("[]"),
    "number": with_header("5"),
    "cut off": with_header('{"kind": "prof'),
    "deep": with_header("[" * 100_000),
    "doubled name": with_header('{"kind": "profile", "kind": "pipeline"}'),
    "only a kind": with_header('{"kind": "profile", "format": 2}'),
    "a pipeline's kind": with_header('{"kind": "pipeline", "format": 2}'),
}


@pytest.mark.parametrize("name", OTHER_FILES)
def test_a_file_that_is_not_ours_is_refused(name: str, tmp_path: Path) -> None:
    """Nothing is unpickled, no header is believed."""
    _refused(OTHER_FILES[name], tmp_path)


@pytest.mark.parametrize("kind", ["profile", "pipeline"])
def test_a_cut_file_is_refused_wherever_it_is_cut(kind: str, saved: dict[str, bytes], tmp_path: Path) -> None:
    """Every length but the whole one."""
    data = saved[kind]
    for length in range(0, len(data), max(1, len(data) // 60)):
        _refused(data[:length], tmp_path)
    _refused(data + b"\0", tmp_path)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused_never_worse(data: st.DataObject, saved: dict[str, bytes]) -> None:
    """Any bytes changed anywhere: a value that passes every check, or an error of our family."""
    kind = data.draw(st.sampled_from(["profile", "pipeline"]))
    raw = bytearray(saved[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        header, tensors = container.unpack(bytes(raw), "a file")
        cls = sn.Profile if kind == "profile" else sn.Pipeline
        loaded = cls.from_container(header, tensors, Path("a file"))
    except SpectronormError:
        return
    json.dumps(loaded.summary(), allow_nan=False)


def test_a_folder_a_pipe_or_nothing_is_refused_at_once(tmp_path: Path) -> None:
    """Loading does not wait for a FIFO."""
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    for name in ("fifo", "folder", "nothing", "fifo/x"):
        with pytest.raises(FileFormatError):
            sn.Profile.load(tmp_path / name)


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    """A sparse terabyte costs nothing to make, and must cost nothing to refuse."""
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(FileFormatError, match="at most"):
        sn.Profile.load(tmp_path / "huge")
