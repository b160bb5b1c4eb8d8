"""Every preset called by a user, beside the system that it comes from: `python -m benchmarks.bench_front_ends`.

One thread; processor time, because a shared machine's clock also counts what others do; medians of the ratios of seven
or more alternations. The work is one clip of 30 s and a batch of 64 clips of 5 s, float32, as a NumPy array and as a
torch tensor. Origins without a batch take its clips one by one. Peers that are not installed are left out.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numba
import numpy as np
import torch
from numpy.typing import NDArray

import spectronorm as sn
from benchmarks.agreement.origins import running
from benchmarks.measure import Figure, alternate, ratio, report
from spectronorm.front_end import Mel
from spectronorm.nn import Preprocess, Spectrogram

ROUNDS = 7
PADDED = {"whisper"}
"""Presets whose origin pads every clip to 30 s before its transform, so that short clips are no comparison."""
Jobs = dict[str, Callable[[], Any]]
Wave = NDArray[np.float32]


def noise(*shape: int) -> Wave:
    """Noise at a tenth of full scale."""
    return (0.1 * np.random.default_rng(0).standard_normal(shape)).astype(np.float32)


def _eager(mel: bool) -> Callable[[Wave], Any]:
    """Torchaudio's Spectrogram or MelSpectrogram and AmplitudeToDB as they are written in torch."""
    window = torch.hann_window(400)
    filters = torch.from_numpy(sn.preset("torchaudio").band_runs().matrix.astype(np.float32))

    @torch.no_grad()
    def run(wave: Wave) -> Any:
        samples = torch.from_numpy(wave)
        if not mel:
            samples = (samples - samples.mean(-1, keepdim=True)) / samples.std(-1, keepdim=True, correction=0)
        power = torch.stft(samples, 400, 200, window=window, return_complex=True).abs().pow(2)
        return 10.0 * torch.log10((filters @ power if mel else power).clamp(min=1e-10))

    return run


def origins() -> dict[str, Callable[[Wave], Any]]:
    """Origin of each preset, if it runs here: a function of one clip `(sample,)`."""
    found = {name: origin.run for name, origin in running().items()}
    return {"fastaudio": _eager(mel=False), "torchaudio": _eager(mel=True), **found}


def preset_jobs(name: str, origin: Callable[[Wave], Any]) -> Jobs:
    """The calls of one preset, and its origin's."""
    front_end = sn.preset(name)
    module = Spectrogram(front_end)
    clip, batch = noise(30 * front_end.sample_rate), noise(64, 5 * front_end.sample_rate)
    clips = [np.ascontiguousarray(one) for one in batch]
    clip_tensor, batch_tensor = torch.from_numpy(clip), torch.from_numpy(batch)
    return {
        f"{name} clip, origin": lambda: origin(clip),
        f"{name} clip, NumPy": lambda: front_end(clip),
        f"{name} clip, torch": lambda: module(clip_tensor),
        f"{name} clip, float32": lambda: front_end(clip, precision="float32"),
        f"{name} batch, origin": lambda: [origin(one) for one in clips],
        f"{name} batch, NumPy": lambda: front_end(batch),
        f"{name} batch, torch": lambda: module(batch_tensor),
        f"{name} batch, float32": lambda: front_end(batch, precision="float32"),
    }


def preset_figures(seconds: Mapping[str, list[float]], name: str) -> Iterator[Figure]:
    """Ratio of the origin's time to ours."""
    for work in ("clip",) if name in PADDED else ("clip", "batch"):
        for way, goal in (("NumPy", 2), ("torch", 2), ("float32", 4)):
            value = ratio(seconds, f"{name} {work}, origin", f"{name} {work}, {way}")
            yield Figure(f"{name}, {work}, {way}: origin / ours", value, "x", f">= {goal}", value >= goal)


def pipeline_jobs() -> Jobs:
    """One pipeline on a batch: the README's five lines, and the module."""
    front_end = sn.preset("fastaudio")
    pipeline = sn.Pipeline(front_end, sn.Fixed(-14.0, 28.0).for_front_end(front_end))
    module, batch = Preprocess(pipeline), noise(64, 1, 80_000)
    tensor = torch.from_numpy(batch)
    return {"pipeline, NumPy": lambda: pipeline(batch), "pipeline, torch module": lambda: module(tensor)}


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


@numba.njit
def nothing(piece: Wave, queue: Wave, table: Wave, begin: int, end: int, into: Wave) -> bool:  # noqa: ARG001
    """Take the arguments of a stream's kernel."""
    return True


def stream_jobs() -> Jobs:
    """A waveform of 30 s as a whole and in pieces."""
    front_end, wave = sn.preset("torchaudio"), noise(30 * 16_000)

    def in_pieces(samples: int) -> Any:
        stream = front_end.stream()
        levels = [stream.add(wave[at : at + samples]) for at in range(0, len(wave), samples)]
        return [*levels, stream.flush()]

    room = np.zeros(1000)

    def calls() -> None:
        """Calls of a compiled function that does nothing, one for each piece, with a slice and room for a result."""
        for at in range(0, len(wave), 320):
            nothing(wave[at : at + 320], room, room, 0, 0, np.empty((128, 2), np.float32))

    assert np.array_equal(np.concatenate(in_pieces(320), axis=-1), front_end(wave))
    return {
        "calls for 20 ms that do nothing": calls,
        "stream, whole clip": lambda: front_end(wave),
        "stream, 20 ms": lambda: in_pieces(320),
        "stream, 0.2 s": lambda: in_pieces(3200),
        "stream, 2 s": lambda: in_pieces(32_000),
    }


def stream_figures(seconds: Mapping[str, list[float]]) -> Iterator[Figure]:
    """Pieces over the whole."""
    for piece, goal in (("20 ms", 1.5), ("0.2 s", 1.1), ("2 s", 1.1)):
        value = ratio(seconds, f"stream, {piece}", "stream, whole clip")
        yield Figure(f"stream in pieces of {piece} / whole clip", value, "x", f"<= {goal}", value <= goal)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", nargs="*", help="presets, or pipeline, streams, peers")
    options = parser.parse_args()
    torch.set_num_threads(1)
    figures: list[Figure] = []
    median_ms: dict[str, float] = {}

    def measured(name: str, jobs: Callable[[], Jobs]) -> dict[str, list[float]]:
        if options.only and name not in options.only:
            return {}
        seconds = alternate(jobs(), options.rounds, time.process_time)
        for job, times in seconds.items():
            median_ms[job] = 1e3 * float(np.median(times))
            print(f"  {job:48} {median_ms[job]:8.2f} ms", flush=True)
        return seconds

    for name, origin in origins().items():
        if seconds := measured(name, lambda: preset_jobs(name, origin)):  # noqa: B023
            figures += preset_figures(seconds, name)
    if seconds := measured("pipeline", pipeline_jobs):
        value = ratio(seconds, "pipeline, NumPy", "pipeline, torch module")
        figures.append(Figure("pipeline(batch) / Preprocess(batch)", value, "x", "<= 1.1", value <= 1.1))
    if seconds := measured("streams", stream_jobs):
        figures += stream_figures(seconds)
    if seconds := measured("peers", peer_jobs):
        figures += peer_figures(seconds)
    details = {"median_ms": median_ms, "rounds": options.rounds, "time": "processor"}
    report("Every preset beside its origin, one thread", figures, details, "front-ends.json")


if __name__ == "__main__":
    main()
