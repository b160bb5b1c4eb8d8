"""Read the statistics that spectronorm writes with the programs that they are for; `--write` updates the docs.

Origins that cannot be imported here are stored outputs: `python -m benchmarks.statistics_origins --store` keeps them
where they are installed (kaldi_native_io, kaldiio, keras with a backend, skops with scikit-learn). ESPnet, FunASR,
NeMo, PaddleSpeech and SpeechBrain need much else, but their code that reads statistics does not: `pip install --no-deps
--target FOLDER espnet funasr nemo_toolkit paddlespeech speechbrain typeguard`. Of the last three that code is run from
its source.
"""

from __future__ import annotations

import ast
import hashlib
import json
import math
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import spectronorm as sn
from spectronorm.interop.statistics import STATISTICS_FORMATS, write_statistics
from spectronorm.storage.atomic import write_text

BANDS = 8
STORED = Path(__file__).parent / "agreement" / "stored" / "statistics.npz"
PAGE = Path(__file__).parents[1] / "docs" / "other-programs.md"
START, END = "<!-- origins: begin -->", "<!-- origins: end -->"
Numbers = NDArray[np.float64]


def numbers() -> tuple[Numbers, Numbers, Numbers]:
    """Means and deviations of eight bands, and levels `(band, frame)` in their range."""
    rng = np.random.default_rng(17)
    mean, std = rng.uniform(-12, 14, BANDS), rng.uniform(2, 15, BANDS)
    return mean, std, mean[:, None] + std[:, None] * rng.uniform(-3, 3, (BANDS, 50))


def _kaldi_native_io(path: Path, x: Numbers) -> Any:
    return _from_matrix(import_module("kaldi_native_io").DoubleMatrix.read(str(path)).numpy(), x)


def _kaldiio(path: Path, x: Numbers) -> Any:
    return _from_matrix(import_module("kaldiio").load_mat(str(path)).astype(np.float64), x)


def _from_matrix(matrix: Numbers, x: Numbers) -> Any:
    count = matrix[0, -1]
    mean = matrix[0, :-1] / count
    std = np.sqrt(np.maximum(matrix[1, :-1] / count - mean**2, 1e-20))
    return (x - mean[:, None]) / std[:, None]


def _keras(path: Path, x: Numbers) -> Any:
    os.environ.setdefault("KERAS_BACKEND", "jax")
    model = import_module("keras").models.load_model(path, safe_mode=True)
    return np.asarray(model(x.T[None].astype(np.float32)))[0].T


def _skops(path: Path, x: Numbers) -> Any:
    io = import_module("skops.io")
    assert io.get_untrusted_types(file=path) == []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the version of scikit-learn that a file names is another one
        return io.load(path, trusted=[]).transform(x.T).T


def _torch(path: Path, x: Numbers) -> Any:
    state = import_module("torch").load(path, weights_only=True)
    names = ("glob_mean", "glob_std") if "glob_mean" in state else ("norm_means", "norm_stds")
    mean, std = (state[name].double().numpy()[:, None] for name in names)
    return (x - mean) / std


def _transformers(path: Path, x: Numbers) -> Any:
    extractor = import_module("transformers").AutoFeatureExtractor.from_pretrained(path.parent)
    return (x - np.reshape(extractor.per_bin_mean, (-1, 1))) / np.reshape(extractor.per_bin_stddev, (-1, 1))


def _onnx(path: Path, x: Numbers) -> Any:
    found = {one.key: one.value for one in import_module("onnx").load(path).metadata_props}
    shift, factor = (np.array(found[name].split(","), np.float64)[:, None] for name in ("neg_mean", "inv_stddev"))
    return (x + shift) * factor


def _yaml(path: Path, x: Numbers) -> Any:
    fixed = import_module("yaml").safe_load(path.read_text())["preprocessor"]["normalize"]
    return (x - np.reshape(fixed["fixed_mean"], (-1, 1))) / np.reshape(fixed["fixed_std"], (-1, 1))


def _numpy(path: Path, x: Numbers) -> Any:
    with np.load(path) as found:
        mean = found["sum"] / found["count"]
        std = np.sqrt(np.maximum(found["sum_square"] / found["count"] - mean**2, 1e-20))
    return (x - mean[:, None]) / std[:, None]


def _espnet(path: Path, x: Numbers) -> Any:
    layer = import_module("espnet2.layers.global_mvn").GlobalMVN(path)
    torch = import_module("torch")
    return layer(torch.from_numpy(x.T[None].copy()))[0][0].numpy().T


def _funasr(path: Path, x: Numbers) -> Any:
    front_end, torch = import_module("funasr.frontends.wav_frontend"), import_module("torch")
    return front_end.apply_cmvn(torch.from_numpy(x.T.copy()), front_end.load_cmvn(str(path))).numpy().T


def _from_source(package: str, file: str, wanted: list[str], **names: Any) -> dict[str, Any]:
    """Functions and classes of an installed package, run from their source: the rest of it imports what is not here."""
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise ImportError(f"{package} is not installed")
    source = Path(found.submodule_search_locations[0]) / file
    module = ast.parse(source.read_text(encoding="utf-8"))
    module.body = [one for one in module.body if isinstance(one, ast.FunctionDef | ast.ClassDef) and one.name in wanted]
    exec(compile(module, str(source), "exec"), names)  # noqa: S102
    return names


def _paddlespeech(kind: str) -> Callable[[Path, Numbers], Any]:
    def run(path: Path, x: Numbers) -> Any:
        wanted = ["load_cmvn", "_load_json_cmvn", "_load_kaldi_cmvn"]
        names = _from_source("paddlespeech", "s2t/frontend/utility.py", wanted, np=np, json=json, math=math)
        mean, istd = names["load_cmvn"](str(path), kind)
        return (x - mean[:, None]) * istd[:, None]

    return run


def _speechbrain(path: Path, x: Numbers) -> Any:
    torch = import_module("torch")
    marks = dict.fromkeys(
        ("register_checkpoint_hooks", "mark_as_saver", "mark_as_loader", "mark_as_transfer"), lambda one: one
    )
    wanted = ["InputNormalization", "make_padding_mask", "get_mask_filled"]
    names = _from_source("speechbrain", "processing/features.py", wanted, torch=torch, **marks)
    layer = names["InputNormalization"]().eval()
    layer._load(path)
    return layer(torch.from_numpy(x.T[None].astype(np.float32)))[0].numpy().T


def _nemo(path: Path, x: Numbers) -> Any:
    normalize = import_module("yaml").safe_load(path.read_text())["preprocessor"]["normalize"]
    torch = import_module("torch")
    names = _from_source("nemo", "collections/asr/parts/preprocessing/features.py", ["normalize_batch"], torch=torch)
    batch = torch.from_numpy(x[None].copy())
    return names["normalize_batch"](batch, torch.tensor([x.shape[1]]), normalize)[0][0].numpy()


@dataclass(frozen=True)
class Reader:
    """Program that reads one format: its module and package, and a function to normalized levels."""

    format: str
    module: str
    package: str
    run: Callable[[Path, Numbers], Any]


READERS: Mapping[str, Reader] = {
    "kaldi by kaldi_native_io": Reader("kaldi", "kaldi_native_io", "kaldi_native_io", _kaldi_native_io),
    "kaldi by kaldiio": Reader("kaldi", "kaldiio", "kaldiio", _kaldiio),
    "espnet": Reader("espnet", "espnet2", "espnet", _espnet),
    "funasr": Reader("funasr", "funasr", "funasr", _funasr),
    "nemo": Reader("nemo", "nemo", "nemo_toolkit", _nemo),
    "wenet by paddlespeech": Reader("wenet", "paddlespeech", "paddlespeech", _paddlespeech("json")),
    "kaldi by paddlespeech": Reader("kaldi", "paddlespeech", "paddlespeech", _paddlespeech("kaldi")),
    "npz by paddlespeech": Reader("npz", "paddlespeech", "paddlespeech", _paddlespeech("npz")),
    "speechbrain": Reader("speechbrain", "speechbrain", "speechbrain", _speechbrain),
    "espnet by numpy": Reader("espnet", "numpy", "numpy", _numpy),
    "keras": Reader("keras", "keras", "keras", _keras),
    "sklearn by skops": Reader("sklearn", "skops", "skops", _skops),
    "speechbrain by torch.load": Reader("speechbrain", "torch", "torch", _torch),
    "lhotse by torch.load": Reader("lhotse", "torch", "torch", _torch),
    "hf by transformers": Reader("hf", "transformers", "transformers", _transformers),
    "sherpa by onnx": Reader("sherpa", "onnx", "onnx", _onnx),
    "nemo by PyYAML": Reader("nemo", "yaml", "PyYAML", _yaml),
}


def written(name: str, folder: Path) -> Path:
    """The file that spectronorm writes of `numbers` in this format."""
    mean, std, _ = numbers()
    fitted = sn.Fixed.of(mean, std=std).for_front_end(sn.FrontEnd(bands=sn.Mel(BANDS)))
    path = folder / ("preprocessor_config.json" if name == "hf" else f"x{STATISTICS_FORMATS.find(name).suffix}")
    write_statistics(path, fitted, name)
    return path


def outcomes() -> Iterator[tuple[str, str, Any, bytes]]:
    """Yield each reader with its version, its normalized levels, and a digest of the file that it was given."""
    _, _, x = numbers()
    for name, reader in READERS.items():
        with tempfile.TemporaryDirectory() as folder:
            path = written(reader.format, Path(folder))
            digest = hashlib.sha256(path.read_bytes()).digest()
            try:
                yield name, f"{reader.package} {version(reader.package)}", reader.run(path, x), digest
            except ImportError:
                with np.load(STORED) as kept:
                    if bytes(kept[f"{name}|digest"]) != digest:
                        raise SystemExit(
                            f"{name}: the file has changed since its output was stored; store it again"
                        ) from None
                    yield name, f"{kept[f'{name}|made_with']} (stored)", kept[name], digest


def table() -> str:
    """The figures as a Markdown table."""
    mean, std, x = numbers()
    expected = (x - mean[:, None]) / std[:, None]
    rows = [f"| {name} | {made} | {np.abs(found - expected).max():.1e} |" for name, made, found, _ in outcomes()]
    return "\n".join(["| format | read by | largest difference |", "|---|---|---|", *rows])


def store() -> None:
    """Keep the outputs of the origins that can be imported here."""
    _, _, x = numbers()
    kept: dict[str, Any] = {}
    if STORED.exists():
        with np.load(STORED) as before:
            kept |= dict(before)
    for name, reader in READERS.items():
        with tempfile.TemporaryDirectory() as folder:
            path = written(reader.format, Path(folder))
            try:
                kept[name] = reader.run(path, x)
            except ImportError as error:
                print(f"{name}: {error}")
                continue
            kept[f"{name}|digest"] = np.frombuffer(hashlib.sha256(path.read_bytes()).digest(), np.uint8)
            kept[f"{name}|made_with"] = np.array(f"{reader.package} {version(reader.package)}")
    np.savez_compressed(STORED, **kept)


def main() -> None:
    """Print the table; with `--write` put it into the docs, with `--store` keep outputs."""
    if "--store" in sys.argv[1:]:
        store()
        return
    text = table()
    print(text)
    if "--write" in sys.argv[1:]:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(START)
        write_text(PAGE, f"{before}{START}\n{text}\n{END}{rest.partition(END)[2]}", None)


if __name__ == "__main__":
    main()
