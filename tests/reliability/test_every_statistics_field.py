"""Every field of every file of statistics, with every odd value: one error of our family, or numbers that normalize."""

from __future__ import annotations

import io
import json
import pickle
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import spectronorm as sn
from interop.cases import BANDS, SAMPLE_FILES, SAMPLES, Sample
from spectronorm.errors import SpectronormError
from spectronorm.interop.statistics import STATISTICS_FORMATS
from spectronorm.interop.statistics.torch_file import torch_bytes

from .odd_values import texts, variants

LEVELS = sn.Levels(BANDS, "dB", -200.0, 200.0)
LEVEL = np.linspace(-90.0, 10.0, BANDS * 5).reshape(BANDS, 5)
NUMBER = re.compile(r"(?<![\w.<])[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w.>])")
WORDS = [
    "nan",
    "inf",
    "-inf",
    "1e999",
    "-1",
    "0",
    "1e308",
    "1e-320",
    "",
    "x",
    "null",
    "[]",
    "9" * 400,
    "9" * 5000,
    "1 2",
]
ARRAYS = [
    np.zeros(0),
    np.zeros(BANDS),
    np.full(BANDS, np.nan),
    np.full(BANDS, -1.0),
    np.full(BANDS, 1e308),
    np.full(BANDS, np.inf),
    np.ones((BANDS, 2)),
    np.array(3.0),
    np.ones(BANDS, dtype=complex),
    np.ones(BANDS, dtype=bool),
    np.ones(BANDS, dtype="U3"),
    np.ones(BANDS, dtype=np.uint8),
    np.ones(BANDS, dtype="M8[s]"),
    np.ones(BANDS, dtype=[("a", float)]),
    np.ones(BANDS, dtype=np.float16),
]


def of_json(sample: Sample) -> Iterator[tuple[str, bytes]]:
    for name, text in texts(json.loads(sample.path.read_text())):
        yield name, text.encode(errors="surrogatepass")


def of_words(sample: Sample) -> Iterator[tuple[str, bytes]]:
    """Another word in place of the first, second, middle and last number of a text."""
    text = sample.path.read_text()
    found = list(NUMBER.finditer(text))
    for at in {0, 1, len(found) // 2, len(found) - 1}:
        for word in WORDS:
            yield f"number {at}: {word:.20}", (text[: found[at].start()] + word + text[found[at].end() :]).encode()
    for index, line in enumerate(text.splitlines(keepends=True)):
        yield f"line {index} missing", text.replace(line, "", 1).encode()
        yield f"line {index} twice", text.replace(line, line + line, 1).encode()


def zipped(members: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return held.getvalue()


def npy(array: Any) -> bytes:
    held = io.BytesIO()
    np.save(held, array)
    return held.getvalue()


def of_archive(sample: Sample) -> Iterator[tuple[str, bytes]]:
    """Every member missing; each array another one; every fifth odd value of the fields of each JSON text."""
    with zipfile.ZipFile(sample.path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for name, data in members.items():
        yield f"{name} missing", zipped({n: d for n, d in members.items() if n != name})
        if name.endswith(".npy"):
            for array in ARRAYS:
                yield f"{name}: {array.dtype} {array.shape}", zipped({**members, name: npy(array)})
        if name.endswith(".json"):
            for what, changed in islice(texts(json.loads(data)), 0, None, 5):
                yield f"{name} {what}", zipped({**members, name: changed.encode(errors="surrogatepass")})


def of_npy(sample: Sample) -> Iterator[tuple[str, bytes]]:
    for array in ARRAYS:
        for whole in (array, np.stack([array, array]), np.stack([np.atleast_1d(array)[..., ::-1]] * 3)):
            yield f"{whole.dtype} {whole.shape}", npy(whole)
    sound = np.load(sample.path, allow_pickle=False)
    for at in ((0, 0), (0, -1), (1, 0), (1, -1)):
        for value in (np.nan, np.inf, 1e308, -1e308, -1.0, 0.0, 1e-320):
            changed = sound.astype(np.float64)
            changed[at] = value
            yield f"{at}: {value}", npy(changed)


def of_dict(sample: Sample) -> Iterator[tuple[str, bytes]]:
    """The names of a pickle or torch archive, with odd values, arrays and tensors."""
    names = {
        "lhotse": ("norm_means", "norm_stds"),
        "speechbrain": ("count", "glob_mean", "glob_std"),
    }[sample.format]
    plain = {name: 7 if name == "count" else [1.0] * BANDS for name in names}
    archived = sample.path.suffix != ".pkl"
    for what, changed in variants(plain):
        try:
            data = pickle.dumps(changed, 2)
        except (ValueError, UnicodeEncodeError):
            continue
        yield what, zipped({"x/data.pkl": data}) if archived else data
    for name in names:
        for array in ARRAYS:
            if array.dtype.kind in "fiub" and archived:
                values: dict[str, Any] = {n: 7 if n == "count" else np.ones(BANDS) for n in names}
                with np.errstate(over="ignore"):  # 1e308 is infinite in single precision
                    data = torch_bytes({**values, name: array}, ordered=True)
                yield f"{name}: {array.dtype} {array.shape}", data
            if not archived:
                yield f"{name}: {array.dtype} {array.shape}", pickle.dumps({**plain, name: array}, 2)


def odd_files(sample: Sample) -> Iterable[tuple[str, bytes]]:
    if sample.format in ("lhotse", "speechbrain"):
        return of_dict(sample)
    start = sample.path.read_bytes()[:6]
    if start.startswith(b"PK"):
        return of_archive(sample)
    if start.startswith(b"\x93NUMPY"):
        return of_npy(sample)
    return of_json(sample) if start.lstrip().startswith(b"{") else of_words(sample)


def is_binary(sample: Sample) -> bool:
    """Tell if a file is neither a text nor a container that the walk knows; mutations change its bytes."""
    return sample.path.suffix == ".onnx" or sample.path.read_bytes()[:2] == b"\0B"


WALKED = [sample for sample in SAMPLE_FILES if not is_binary(sample)]


@pytest.mark.parametrize("sample", WALKED, ids=lambda sample: sample.file)
def test_every_field_of_statistics(sample: Sample, tmp_path: Path) -> None:
    """What is taken makes finite features, by its name and by being recognized, and is saved and loaded."""
    path = tmp_path / sample.path.name
    worse, tried = [], 0
    for what, data in odd_files(sample):
        tried += 1
        path.write_bytes(data)
        for name in (sample.format, None):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error")
                    fitted = sn.interop.statistics.read(path, LEVELS, name)
                    assert np.isfinite(fitted(LEVEL)).all()
                    again = sn.Pipeline.from_container(*sn.Pipeline(LEVELS, fitted).to_container(), path)
                    assert np.array_equal(again.normalizer(LEVEL), fitted(LEVEL))
            except SpectronormError:
                continue
            except Exception as error:
                worse.append(f"{what} as {name}: {type(error).__name__}: {error}"[:200])
    assert tried > 20
    assert not worse, f"{len(worse)} of {tried}: " + "\n".join(worse[:40])


def test_the_walk_meets_every_format() -> None:
    """Each registered format has a sample here, but for one whose file is no text: its bytes are mutated elsewhere."""
    assert {sample.format for sample in WALKED} == set(STATISTICS_FORMATS) - {"sherpa"}
    assert SAMPLES.is_dir()
