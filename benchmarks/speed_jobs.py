"""What bench_speed times: our pass, bare reading, and the passes that people write by hand.

Each job takes a folder of audio, and gives mean and standard deviation of each band where it finds them. Clips are
sorted by name. The two posts are followed in what they do, not in their words: the first standardizes the wave, takes
`torch.stft` of batches of clips cut to five seconds, and keeps running means and deviations, one of all cells and one
of each band; the second takes librosa's mel spectrogram of each file and averages the extremes of the files.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

RATE, N_FFT, HOP = 16_000, 400, 200
SECONDS, BATCH = 5, 64
AMIN = 1e-10


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix in (".wav", ".ogg"))


def bare(folder: Path) -> Any:
    """B: what anybody must do before a spectrogram."""
    return lambda: _read_all(files(folder))


def _read_all(paths: list[Path]) -> None:
    for path in paths:
        samples, rate = soundfile.read(path, dtype="float32")
        soxr.resample(samples, rate, RATE, quality="HQ")


def ours(folder: Path) -> Any:
    return _ours(folder, workers=1)


def ours_by_overlap_save(folder: Path) -> Any:
    """With the resampler of our own, which is named in the profile."""
    return _ours(folder, workers=1, resampler="overlap_save")


def ours_on_two_cores(folder: Path) -> Any:
    return _ours(folder, workers=2)


def _ours(folder: Path, workers: int, resampler: str = "soxr_hq") -> Any:
    import spectronorm as sn  # noqa: PLC0415

    front_end = sn.FrontEnd.from_dict(sn.preset("fastaudio").to_dict() | {"resampler": resampler})
    source, engine = sn.open_source(folder), sn.engines.ThreadEngine(workers)

    def work() -> Any:
        profile = sn.fit(source, front_end, engine=engine, max_bad=0.0)
        return {"mean": profile.band.mean.tolist(), "std": profile.band.std.tolist(), "clips": profile.clips}

    return work


def with_librosa(folder: Path) -> Any:
    """The same band statistics: standardized wave, power in dB, sums in float64."""
    import librosa  # noqa: PLC0415

    def work() -> Any:
        total = squares = np.zeros(N_FFT // 2 + 1)
        low, high, frames, clips = np.full(N_FFT // 2 + 1, np.inf), np.full(N_FFT // 2 + 1, -np.inf), 0, 0
        for path in files(folder):
            wave, _ = librosa.load(path, sr=RATE)
            wave = (wave - wave.mean()) / (wave.std() or 1.0)
            spectrum = librosa.stft(wave, n_fft=N_FFT, hop_length=HOP, pad_mode="reflect")
            level = 10 * np.log10(np.maximum(np.abs(spectrum) ** 2, AMIN))
            total = total + level.sum(axis=1, dtype=np.float64)
            squares = squares + np.square(level, dtype=np.float64).sum(axis=1)
            low, high = np.minimum(low, level.min(axis=1)), np.maximum(high, level.max(axis=1))
            frames, clips = frames + level.shape[1], clips + 1
        return _figures(total / frames, squares / frames, clips)

    return work


def _figures(mean: NDArray[np.float64], square: NDArray[np.float64], clips: int) -> dict[str, Any]:
    return {"mean": mean.tolist(), "std": np.sqrt(square - mean * mean).tolist(), "clips": clips}


def second_post(folder: Path) -> Any:
    """At librosa's own 22050 Hz, as the post has it."""
    return _second_post(folder, None)


def second_post_at_16_khz(folder: Path) -> Any:
    """At our rate and with a standardized wave, so that the work is the same but for 64 mel bands."""
    return _second_post(folder, RATE)


def _second_post(folder: Path, rate: int | None) -> Any:
    import librosa  # noqa: PLC0415

    n_mels = 64

    def work() -> Any:
        lows, highs = 0.0, 0.0
        paths = files(folder)
        for path in paths:
            if rate is None:
                wave, used = librosa.load(path)
            else:
                wave, used = librosa.load(path, sr=rate)
                wave = (wave - wave.mean()) / (wave.std() or 1.0)
            mel = librosa.feature.melspectrogram(y=wave, sr=used, n_mels=n_mels, n_fft=2 * HOP, hop_length=HOP)
            level = np.log(mel + 1e-9)
            lows, highs = lows + float(level.min()), highs + float(level.max())
        return {"lowest": lows / len(paths), "highest": highs / len(paths), "clips": len(paths)}

    return work


def first_post(folder: Path) -> Any:
    """Batches of a DataLoader, eager torch, float32, two running recorders."""
    import torch  # noqa: PLC0415
    from torch.utils.data import DataLoader, Dataset  # noqa: PLC0415

    torch.set_num_threads(1)
    window = torch.hann_window(N_FFT)

    class Clips(Dataset[Any]):
        paths = files(folder)

        def __len__(self) -> int:
            return len(self.paths)

        def __getitem__(self, index: int) -> Any:
            samples, rate = soundfile.read(self.paths[index], dtype="float32")
            wave = torch.from_numpy(soxr.resample(samples, rate, RATE, quality="HQ"))[: SECONDS * RATE]
            wave = torch.nn.functional.pad(wave, (0, SECONDS * RATE - len(wave)))
            return ((wave - wave.mean()) / wave.std()).unsqueeze(0)

    def batches() -> Iterator[Any]:
        for waves in DataLoader(Clips(), batch_size=BATCH):
            z = torch.stft(waves.squeeze(1), N_FFT, HOP, window=window, return_complex=True)
            yield 10 * torch.log10(z.abs().pow(2).clamp(min=AMIN)).unsqueeze(1)

    def work() -> Any:
        recorders = [_Recorder((0, 1, 2, 3)), _Recorder((0, 1, 3))]
        for level in batches():
            for recorder in recorders:
                recorder.update(level)
        banded = recorders[1]
        return {"mean": banded.mean.flatten().tolist(), "std": banded.std.flatten().tolist(), "clips": len(Clips())}

    return work


class _Recorder:
    """Running mean and deviation of a batch's cells over some axes, pooled with the weights of the batches."""

    def __init__(self, axes: tuple[int, ...]) -> None:
        self._axes, self._seen = axes, 0
        self.mean: Any = 0.0
        self.std: Any = 0.0

    def update(self, batch: Any) -> None:
        mean = batch.mean(dim=self._axes, keepdim=True)
        std = batch.std(dim=self._axes, keepdim=True)
        m, n = float(self._seen), float(batch.shape[0])
        pooled = m / (m + n) * self.mean + n / (m + n) * mean
        variance = m / (m + n) * self.std**2 + n / (m + n) * std**2 + m * n / (m + n) ** 2 * (self.mean - mean) ** 2
        self.mean, self.std, self._seen = pooled, variance**0.5, self._seen + batch.shape[0]
