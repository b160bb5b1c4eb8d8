"""A batch `[64, 1, 80000]` to normalized `[64, 1, 201, 401]` on the CPU, against what people write by hand.

Run with `python -m benchmarks.bench_torch [--threads N]`. The peers are eager torch.stft code (the first post's
pipeline), the same through torch.compile, and nnAudio's STFT (`pip install --no-deps nnAudio`; left out where missing).
Then one 5 s clip in onnxruntime, by ONNX's STFT operator and by convolution; and with `$SPECTRONORM_DATA/esc10`, how
far exported models and float32 modules are from NumPy on ten real clips, and what an epoch costs with decoded audio
cached.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader

import spectronorm as sn
from benchmarks.measure import Figure, alternate, ratio, report
from spectronorm.nn import ClipDataset, Preprocess, export_onnx

ROUNDS = 7
MEAN, STD = -14.0, 28.0


class ByHand(nn.Module):
    """What people write: standardize the wave, torch.stft, decibels, one mean and standard deviation."""

    window: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(400))

    def forward(self, wave: Tensor) -> Tensor:
        wave = (wave - wave.mean(-1, keepdim=True)) / wave.std(-1, keepdim=True, correction=0)
        z = torch.stft(wave.flatten(0, 1), 400, 200, window=self.window, return_complex=True)
        level = 10.0 * torch.log10(z.abs().pow(2).clamp(min=1e-10))
        return ((level - MEAN) / STD).unsqueeze(1)


class WithNNAudio(nn.Module):
    """The same with nnAudio's STFT by convolution."""

    def __init__(self, stft: nn.Module) -> None:
        super().__init__()
        self.stft = stft

    def forward(self, wave: Tensor) -> Tensor:
        wave = (wave - wave.mean(-1, keepdim=True)) / wave.std(-1, keepdim=True, correction=0)
        magnitudes = self.stft(wave.flatten(0, 1))
        return ((10.0 * torch.log10(magnitudes.pow(2).clamp(min=1e-10)) - MEAN) / STD).unsqueeze(1)


def nn_audio() -> nn.Module | None:
    try:
        from nnAudio.features.stft import STFT  # noqa: PLC0415
    except (ImportError, OSError):
        return None
    with contextlib.redirect_stdout(io.StringIO()):  # it prints
        return WithNNAudio(STFT(n_fft=400, hop_length=200, output_format="Magnitude", verbose=False))


def pipeline(name: str = "fastaudio") -> sn.Pipeline:
    front_end = sn.preset(name)
    shift, scale = (MEAN, STD) if name == "fastaudio" else (-6.0, 4.0)
    return sn.Pipeline(front_end, sn.Fixed(shift, scale).for_front_end(front_end))


def jobs() -> dict[str, Callable[[], Any]]:
    """Each variant as a call on one fixed batch; all give the same within float32."""
    wave = 0.1 * torch.randn(64, 1, 80_000, generator=torch.Generator().manual_seed(0))
    wanting = wave.clone().requires_grad_()
    module, by_hand = Preprocess(pipeline()), ByHand()
    calls: dict[str, Callable[[], Any]] = {
        "spectronorm": lambda: module(wave),
        "spectronorm, gradient wanted": lambda: module(wanting),
        "by hand": lambda: by_hand(wave),
        "by hand, gradient wanted": lambda: by_hand(wanting),
    }
    for name, compiled in (
        ("spectronorm, compiled", torch.compile(module)),
        ("by hand, compiled", torch.compile(by_hand)),
    ):
        calls[name] = partial(compiled, wave)
    peer = nn_audio()
    if peer is not None:
        calls["nnAudio"] = lambda: peer(wave)
    expected = by_hand(wave)
    for name, call in calls.items():
        got = call()
        assert got.shape == (64, 1, 201, 401), name
        assert (got - expected).abs().median() < 1e-4, name
    return calls


def onnx_jobs(folder: Path, threads: int) -> dict[str, Callable[[], Any]]:
    """One clip of 5 s in onnxruntime, by operator and by convolution, in both precisions."""
    import onnxruntime  # noqa: PLC0415

    wave = (0.1 * np.random.default_rng(0).standard_normal((1, 80_000))).astype(np.float32)
    calls: dict[str, Callable[[], Any]] = {}
    for dft in ("stft", "convolution"):
        for precision in ("float64", "float32"):
            path = export_onnx(
                pipeline(), folder / f"{dft}-{precision}.onnx", dft=dft, precision=precision, tolerance=None
            )
            session = onnxruntime.InferenceSession(path, _options(onnxruntime, threads))
            calls[f"onnx {dft} {precision}"] = partial(session.run, None, {"wave": wave})
    return calls


def _options(onnxruntime: Any, threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 3
    return options


def real_audio() -> Path | None:
    folder = Path(os.environ.get("SPECTRONORM_DATA", "")) / "esc10"
    return folder if os.environ.get("SPECTRONORM_DATA") and folder.is_dir() else None


def _run(session: Any, wave: NDArray[Any]) -> Any:
    return session.run(None, {"wave": wave})[0]


def _in_float32(module: nn.Module, wave: NDArray[Any]) -> Any:
    return module(torch.from_numpy(wave).requires_grad_()).detach().numpy()


def distances(folder: Path, source: Path) -> list[Figure]:
    """The largest distance from NumPy over ten real clips, in normalized units."""
    import onnxruntime  # noqa: PLC0415

    figures = []
    for name, case in (("fastaudio", pipeline()), ("logmel", pipeline("logmel"))):
        paths = sorted((source / "audio").glob("*.ogg"))[::40]
        waves = [sn.read(path, int(case.front_end.sample_rate)) for path in paths]
        expected = [case(wave.astype(np.float64)) for wave in waves]

        def figure(what: str, goal: float, call: Callable[[NDArray[Any]], Any]) -> Figure:
            value = max(float(np.abs(call(w[None])[0] - x).max()) for w, x in zip(waves, expected, strict=True))  # noqa: B023
            return Figure(f"{name}: {what} from NumPy", value, "", f"<= {goal:g}", value <= goal)  # noqa: B023

        for dft in ("stft", "convolution"):
            for precision, goal in (("float64", 1e-4), ("float32", 10.0)):
                path = export_onnx(case, folder / "model.onnx", dft=dft, precision=precision, tolerance=None)
                session = onnxruntime.InferenceSession(path, _options(onnxruntime, 1))
                figures.append(figure(f"onnx {dft} {precision}", goal, partial(_run, session)))
        figures.append(figure("torch float32", 10.0, partial(_in_float32, Preprocess(case))))
    return figures


def cache_figure(folder: Path, source: Path) -> Figure:
    """An epoch over 80 clips with the cache filled, over one that decodes."""
    some = sn.audio.Source(sn.open_source(source).clips[::5])
    front_end = sn.preset("fastaudio")
    plain = ClipDataset(some, front_end, duration=5.0)
    cached = ClipDataset(some, front_end, duration=5.0, cache=folder / "cache")

    def epoch(dataset: ClipDataset) -> None:
        for _ in DataLoader(dataset, batch_size=16):
            pass

    seconds = alternate({"decoded": partial(epoch, plain), "cached": partial(epoch, cached)}, 3)
    value = ratio(seconds, "cached", "decoded")
    return Figure("an epoch from the cache / decoding", value, "x", "<= 0.2", value <= 0.2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    threads = parser.parse_args().threads
    torch.set_num_threads(threads)
    with torch.no_grad():
        compiled_first = jobs()
    seconds = alternate(compiled_first, ROUNDS)
    figures = [
        _figure(seconds, "spectronorm", peer, goal) for peer, goal in (("by hand", 0.25), ("by hand, compiled", 0.5))
    ]
    if "nnAudio" in seconds:
        figures.append(_figure(seconds, "spectronorm", "nnAudio", 0.25))
    figures += [
        _figure(seconds, "spectronorm, compiled", "by hand, compiled", 1.3),
        _figure(seconds, "spectronorm, gradient wanted", "by hand, gradient wanted", 1.3),
    ]
    with tempfile.TemporaryDirectory() as folder:
        onnx_seconds = alternate(onnx_jobs(Path(folder), threads), 3 * ROUNDS)
        source = real_audio()
        real = [] if source is None else [*distances(Path(folder), source), cache_figure(Path(folder), source)]
    for precision in ("float64", "float32"):
        pair = f"onnx convolution {precision}", f"onnx stft {precision}"
        figures.append(_figure(onnx_seconds, *pair, 0.5))
    figures += real
    median_ms = {name: 1e3 * float(np.median(times)) for name, times in (seconds | onnx_seconds).items()}
    for name, value in median_ms.items():
        print(f"  {name:40} {value:8.1f} ms")
    details = {"threads": threads, "torch": torch.__version__, "median_ms": median_ms, "rounds": ROUNDS}
    report("A batch [64, 1, 80000] to [64, 1, 201, 401] on the CPU", figures, details, "torch.json")


def _figure(seconds: dict[str, list[float]], name: str, peer: str, goal: float) -> Figure:
    value = ratio(seconds, name, peer)
    return Figure(f"{name} / {peer}", value, "x", f"<= {goal:g}", value <= goal)


if __name__ == "__main__":
    main()
