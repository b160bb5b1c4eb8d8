"""What bench_speed times besides the pass: a training batch, images, and sound from magnitudes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from benchmarks.speed_jobs import files

MEAN, STD = -14.0, 28.0
CLIPS = 8


def ours(folder: Path) -> Any:
    import torch  # noqa: PLC0415

    from benchmarks.bench_torch import pipeline  # noqa: PLC0415
    from spectronorm.nn import Preprocess  # noqa: PLC0415

    del folder
    torch.set_num_threads(1)
    module, wave = Preprocess(pipeline()), _noise()
    return lambda: _some(module(wave))


def eager(folder: Path) -> Any:
    import torch  # noqa: PLC0415

    from benchmarks.bench_torch import ByHand  # noqa: PLC0415

    del folder
    torch.set_num_threads(1)
    module, wave = ByHand(), _noise()
    return lambda: _some(module(wave))


def _noise() -> Any:
    import torch  # noqa: PLC0415

    return 0.1 * torch.randn(64, 1, 80_000, generator=torch.Generator().manual_seed(0))


def _some(x: Any) -> list[float]:
    """A few of the values, to compare."""
    assert x.shape == (64, 1, 201, 401)
    values: list[float] = x[::9, 0, ::20, ::40].flatten().tolist()
    return values


def png(folder: Path) -> Any:
    from spectronorm.image_files.header import KEYWORD  # noqa: PLC0415
    from spectronorm.image_files.png import encode_png  # noqa: PLC0415

    images = _images(folder)
    return lambda: _written([encode_png(pixels, KEYWORD, text) for pixels, text in images])


def png_by_pillow(folder: Path) -> Any:
    from PIL import Image  # noqa: PLC0415
    from PIL.PngImagePlugin import PngInfo  # noqa: PLC0415

    from spectronorm.image_files.header import KEYWORD  # noqa: PLC0415

    def write(pixels: Any, text: str) -> bytes:
        buffer, info = io.BytesIO(), PngInfo()
        info.add_itxt(KEYWORD, text, zip=True)
        Image.fromarray(pixels).save(buffer, "PNG", pnginfo=info)
        return buffer.getvalue()

    images = _images(folder)
    return lambda: _written([write(pixels, text) for pixels, text in images])


def _images(folder: Path) -> list[tuple[Any, str]]:
    """Log-mel spectrograms of 128 x 313 pixels, with their headers."""
    import spectronorm as sn  # noqa: PLC0415
    from spectronorm.images import ImageCodec, LevelRange  # noqa: PLC0415

    front_end = sn.FrontEnd(sample_rate=16_000, stft=sn.STFT(n_fft=1024, hop_length=256), bands=sn.Mel(128))
    levels = [front_end(wave) for wave in _waves(folder, 312 * 256 + 1)]
    low, high = min(float(x.min()) for x in levels), max(float(x.max()) for x in levels)
    codec = ImageCodec(front_end, LevelRange(np.array(low), np.array(high), "extremes"))
    return [(pixels, header.to_text(pixels)) for pixels, header in map(codec.pixels, levels)]


def _written(images: list[bytes]) -> dict[str, Any]:
    from PIL import Image  # noqa: PLC0415

    pixels = [int(np.asarray(Image.open(io.BytesIO(image)), dtype=np.int64).sum()) for image in images[:2]]
    return {"bytes": sum(map(len, images)), "pixels": pixels}


def _waves(folder: Path, length: int) -> list[Any]:
    waves = [soundfile.read(path)[0] for path in files(folder)[: 3 * CLIPS]]
    return [np.resize(wave, length) for wave in waves]


def librosa_griffin_lim(folder: Path) -> Any:
    """32 iterations of fast Griffin-Lim from random phases, librosa's default."""
    import librosa  # noqa: PLC0415

    clips = _magnitudes(folder)
    return lambda: _convergence(
        clips,
        [librosa.griffinlim(m.astype(np.float32), hop_length=256, length=n, random_state=0) for m, n, _ in clips],
    )


def fast_inversion(folder: Path) -> Any:
    return _inversion(folder, "fast")


def good_inversion(folder: Path) -> Any:
    return _inversion(folder, "good")


def _inversion(folder: Path, quality: str) -> Any:
    from spectronorm.inversion import invert  # noqa: PLC0415

    clips, front_end = _magnitudes(folder), _front_end()
    return lambda: _convergence(
        clips, [invert(x, front_end, length=n, method="griffin_lim", quality=quality) for _, n, x in clips]
    )


def _front_end() -> Any:
    import spectronorm as sn  # noqa: PLC0415

    return sn.FrontEnd(sample_rate=16_000, stft=sn.STFT(n_fft=1024, hop_length=256))


def _magnitudes(folder: Path) -> list[tuple[Any, int, Any]]:
    """Magnitudes, lengths and levels of speech by espeak-ng, or of the first clips."""
    from benchmarks.recordings import espeak_clips  # noqa: PLC0415

    front_end = _front_end()
    waves = list(espeak_clips().values())[:CLIPS] or _waves(folder, 80_000)[:CLIPS]
    made = []
    for wave in waves:
        wide = np.asarray(wave, dtype=np.float64)
        made.append((np.sqrt(front_end.stft(wide)), len(wide), front_end(wide)))
    return made


def _convergence(clips: list[tuple[Any, int, Any]], waves: list[Any]) -> float:
    """The mean spectral convergence, in dB."""
    from spectronorm.inversion.quality import spectral_convergence  # noqa: PLC0415

    front_end = _front_end()
    found = [np.sqrt(front_end.stft(np.asarray(wave, dtype=np.float64))) for wave in waves]
    return float(np.mean([spectral_convergence(ours, m) for ours, (m, _, _) in zip(found, clips, strict=True)]))
