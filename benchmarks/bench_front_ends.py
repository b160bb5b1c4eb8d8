"""Every preset called by a user, beside the system that it comes from: `python -m benchmarks.bench_front_ends`.

One thread; processor time, because a shared machine's clock also counts what others do; medians of the ratios of seven
or more alternations. The work is one clip of 30 s and a batch of 64 clips of 5 s, float32, as a NumPy array and as a
torch tensor. Origins without a batch take its clips one by one. Peers that are not installed are left out.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numba
import numpy as np
import torch
from numpy.typing import NDArray

import spectronorm as sn
from benchmarks.agreement.origins import running
from benchmarks.front_ends_table import Part, Parts
from benchmarks.measure import Figure, alternate, ratio, report, write
from benchmarks.torch_origins import compiled, eager
from spectronorm.front_end import Decibel, Mel
from spectronorm.nn import Preprocess, Spectrogram

ROUNDS = 7
PADDED = {"whisper"}
"""Presets whose origin pads every clip to 30 s before its transform, so that short clips are no comparison."""
BATCHED = {"torchaudio", "fastaudio", "passt", "specgan"}
"""Presets whose origin takes a batch at once, as its users do."""
WAYS = {"NumPy": 2, "torch": 2, "NumPy in float32": 4, "torch in float32": 4}
"""Our ways, and the goal of each for the origin's time over ours."""
WORKS = ("clip", "batch")
STREAMED = ("torchaudio", "whisper", "kaldi", "logmel", "librosa")
PIECES = {"20 ms": 0.02, "0.2 s": 0.2, "2 s": 2.0}
TITLE, FILE = "Every preset beside its origin, one thread", "front-ends.json"
PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
Jobs = dict[str, Callable[[], Any]]
Wave = NDArray[np.float32]


def noise(*shape: int) -> Wave:
    """Noise at a tenth of full scale."""
    return (0.1 * np.random.default_rng(0).standard_normal(shape)).astype(np.float32)


def origins() -> dict[str, Callable[[Wave], Any]]:
    """Origin of each preset, as far as it runs here: a function of one clip `(sample,)`."""
    return {**eager(), **{name: origin.run for name, origin in running().items()}}


def preset_jobs(
    name: str, origin: Callable[[Wave], Any], faster: Callable[[Wave], Any] | None, works: Sequence[str] = WORKS
) -> Jobs:
    """The calls of one preset, its origin's, and those of the origin's compiled code."""
    front_end = sn.preset(name)
    module = Spectrogram(front_end)
    clip, batch = noise(30 * front_end.sample_rate), noise(64, 5 * front_end.sample_rate)
    clips = [np.ascontiguousarray(one) for one in batch]
    every = {
        "clip": (clip, lambda: origin(clip)),
        "batch": (batch, (lambda: origin(batch)) if name in BATCHED else lambda: [origin(one) for one in clips]),
    }
    jobs: Jobs = {}
    for work, (wave, by_origin) in ((work, every[work]) for work in works):
        tensor = torch.from_numpy(wave)
        jobs[f"{name} {work}, origin"] = by_origin
        if faster is not None:
            jobs[f"{name} {work}, compiled origin"] = partial(faster, wave)
        jobs[f"{name} {work}, NumPy"] = partial(front_end, wave)
        jobs[f"{name} {work}, torch"] = partial(module, tensor)
        jobs[f"{name} {work}, NumPy in float32"] = partial(front_end, wave, precision="float32")
        jobs[f"{name} {work}, torch in float32"] = partial(front_end, tensor, precision="float32")
    return jobs


def preset_figures(seconds: Mapping[str, list[float]], name: str) -> Iterator[Figure]:
    """Ratio of the origin's time to ours."""
    for work in ("clip",) if name in PADDED else WORKS:
        if f"{name} {work}, origin" not in seconds:
            continue
        for way, goal in WAYS.items():
            value = ratio(seconds, f"{name} {work}, origin", f"{name} {work}, {way}")
            yield Figure(f"{name}, {work}, {way}: origin / ours", value, "x", f">= {goal}", value >= goal)
        if f"{name} {work}, compiled origin" in seconds:
            value = ratio(seconds, f"{name} {work}, compiled origin", f"{name} {work}, torch")
            yield Figure(f"{name}, {work}, torch: compiled origin / ours", value, "x", "", met=True)


def pipeline_jobs() -> Jobs:
    """One pipeline on a batch: the README's five lines, and the module."""
    front_end = sn.preset("fastaudio")
    pipeline = sn.Pipeline(front_end, sn.Fixed(-14.0, 28.0).for_front_end(front_end))
    module, batch = Preprocess(pipeline), noise(64, 1, 80_000)
    tensor = torch.from_numpy(batch)
    return {"pipeline, NumPy": lambda: pipeline(batch), "pipeline, torch module": lambda: module(tensor)}


def pipeline_figures(seconds: Mapping[str, list[float]]) -> Iterator[Figure]:
    """The array's time over the module's."""
    value = ratio(seconds, "pipeline, NumPy", "pipeline, torch module")
    yield Figure("pipeline(batch) / Preprocess(batch)", value, "x", "<= 1.1", value <= 1.1)


def peer_jobs() -> Jobs:
    """Whisper's log-mel and Kaldi's fbank of 80 bands, beside native peers that are installed."""
    whisper, wave = sn.preset("whisper"), noise(30 * 16_000)
    kaldi = replace(sn.preset("kaldi"), bands=Mel(80, f_min=20.0, mel_scale="kaldi", norm=None))
    jobs: Jobs = {
        "whisper": lambda: whisper(wave, precision="float32"),
        "kaldi": lambda: kaldi(wave, precision="float32"),
    }
    try:
        import asrfront  # noqa: PLC0415

        jobs["whisper, asrfront"] = lambda: asrfront.whisper.log_mel(wave)
        jobs["kaldi, asrfront"] = lambda: asrfront.sensevoice.fbank_raw(wave)
    except (ImportError, OSError):
        pass
    try:
        import kaldi_native_fbank  # noqa: PLC0415

        jobs["kaldi, kaldi-native-fbank"] = lambda: _native_fbank(kaldi_native_fbank, wave)
    except (ImportError, OSError):
        pass
    return jobs


def _native_fbank(package: Any, wave: Wave) -> Any:
    options = package.FbankOptions()
    options.frame_opts.dither, options.mel_opts.num_bins = 0.0, 80
    fbank = package.OnlineFbank(options)
    fbank.accept_waveform(16_000, (wave * 32768.0).tolist())
    fbank.input_finished()
    return np.stack([fbank.get_frame(i) for i in range(fbank.num_frames_ready)], axis=1)


def peer_figures(seconds: Mapping[str, list[float]]) -> Iterator[Figure]:
    """Ours beside native code."""
    goals = {
        "whisper, asrfront": ("whisper", 1.3),
        "kaldi, asrfront": ("kaldi", 1.5),
    }
    for peer, (ours, goal) in goals.items():
        if peer in seconds:
            value = ratio(seconds, ours, peer)
            yield Figure(f"{ours}, 30 s: ours / asrfront", value, "x", f"<= {goal}", value <= goal)
    if "kaldi, kaldi-native-fbank" in seconds:
        value = ratio(seconds, "kaldi, kaldi-native-fbank", "kaldi")
        yield Figure("kaldi, 80 bands, 30 s: kaldi-native-fbank / ours", value, "x", ">= 6", value >= 6)


def nothing(piece: Any, table: Any, into: Any) -> bool:  # noqa: ARG001
    """Take the arguments of a stream's kernel."""
    return True


def streamed() -> dict[str, sn.FrontEnd]:
    """Front ends of streams by the names of their presets; a floor below a clip's highest level is left out."""
    chosen = {name: sn.preset(name) for name in STREAMED}
    return {name: one if one.compress.causal else replace(one, compress=Decibel()) for name, one in chosen.items()}


def stream_jobs() -> Jobs:
    """A waveform of 30 s as a whole and in pieces, and calls of compiled code that do nothing."""

    def in_pieces(front_end: sn.FrontEnd, wave: Wave, samples: int) -> list[Any]:
        stream = front_end.stream()
        levels = [stream.add(wave[at : at + samples]) for at in range(0, len(wave), samples)]
        return [*levels, stream.flush()]

    jobs: Jobs = {}
    for name, front_end in streamed().items():
        wave = noise(30 * front_end.sample_rate)
        jobs[f"{name}, whole clip"] = partial(front_end, wave)
        for piece, seconds in PIECES.items():
            jobs[f"{name}, {piece}"] = partial(in_pieces, front_end, wave, round(seconds * front_end.sample_rate))
        found = np.concatenate(in_pieces(front_end, wave, front_end.sample_rate // 50), axis=-1)
        assert np.array_equal(found, front_end(wave))
    room, compiled, wave = np.zeros(1000), cast("Any", numba.njit)(nothing), noise(30 * 16_000)

    def calls() -> None:
        """Calls of a compiled function that does nothing, one for each piece, with a slice and room for a result."""
        for at in range(0, len(wave), 320):
            compiled(wave[at : at + 320], room, np.empty((128, 2), np.float32))

    calls()
    return {"calls for 20 ms that do nothing": calls, **jobs}


def stream_figures(seconds: Mapping[str, list[float]]) -> Iterator[Figure]:
    """Pieces over the whole."""
    for name in STREAMED:
        for piece in PIECES:
            goal = 1.5 if piece == "20 ms" else 1.1
            value = ratio(seconds, f"{name}, {piece}", f"{name}, whole clip")
            yield Figure(f"{name} in pieces of {piece} / whole clip", value, "x", f"<= {goal}", value <= goal)


def parts(
    works: Sequence[str], *, compiling: bool
) -> Iterator[tuple[str, Callable[[], Jobs], Callable[[Mapping[str, list[float]]], Iterator[Figure]]]]:
    """A unit that is measured by itself: a name, its jobs, and the figures of their times."""
    faster = compiled() if compiling else {}
    for name, origin in sorted(origins().items()):
        yield name, partial(preset_jobs, name, origin, faster.get(name), works), partial(preset_figures, name=name)
    yield "pipeline", pipeline_jobs, pipeline_figures
    yield "streams", stream_jobs, stream_figures
    yield "peers", peer_jobs, peer_figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", nargs="*", help="presets, or pipeline, streams, peers; others keep their figures")
    parser.add_argument("--work", nargs="+", choices=WORKS, default=list(WORKS), help="one clip, a batch, or both")
    parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out")
    parser.add_argument("--no-docs", action="store_true", help="leave docs/benchmarks.md as it is")
    options = parser.parse_args()
    torch.set_num_threads(1)
    kept = Parts.read(FILE) if options.only else Parts()
    for name, jobs, figures_of in parts(options.work, compiling=not options.no_compile):
        if options.only and name not in options.only:
            continue
        seconds = alternate(jobs(), options.rounds, time.process_time)
        kept = kept.with_part(name, Part.of(seconds, list(figures_of(seconds)), options.rounds))
        for job, milliseconds in kept.found[name].median_ms.items():
            print(f"  {job:48} {milliseconds:8.2f} ms", flush=True)
        # After each part, so that a run that is stopped leaves what it has measured.
        write(TITLE, kept.figures(), {"parts": kept.to_dict(), "time": "processor"}, FILE)
    report(TITLE, kept.figures(), {"parts": kept.to_dict(), "time": "processor"}, FILE)
    if not options.no_docs:
        kept.put_table(PAGE)


if __name__ == "__main__":
    main()
