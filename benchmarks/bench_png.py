"""Writing spectrogram images, against Pillow and OpenCV: CPU time and bytes, in alternation.

python -m benchmarks.bench_png

The images are 128 x 313 log-mel spectrograms of ESC-10 (SPECTRONORM_DATA), or else of espeak-ng's speech.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from benchmarks.measure import Figure, report
from benchmarks.recordings import data, espeak_clips
from benchmarks.table import show
from spectronorm.audio import read
from spectronorm.front_end import STFT, FrontEnd, Mel
from spectronorm.image_files.header import KEYWORD
from spectronorm.image_files.png import DEFLATE, encode_png
from spectronorm.images import ImageCodec, LevelRange

PEER = "Pillow default"
_SAMPLES = 312 * 256 + 1
_ROUNDS = 9


def waves() -> list[np.ndarray]:
    """24 waves of five seconds, or what there is."""
    folder = data()
    if folder is not None:
        paths = sorted((folder / "esc10" / "audio").glob("*.ogg"))[::17]
        return [read(path, 16_000)[:_SAMPLES] for path in paths]
    return [np.resize(wave, _SAMPLES) for wave in espeak_clips().values()]


def main() -> None:
    """Measure, print, write."""
    front_end = FrontEnd(sample_rate=16_000, stft=STFT(n_fft=1024, hop_length=256), bands=Mel(128))
    levels = [front_end(wave.astype(np.float64)) for wave in waves()]
    low, high = min(float(x.min()) for x in levels), max(float(x.max()) for x in levels)
    codec = ImageCodec(front_end, LevelRange(np.array(low), np.array(high), "extremes"))
    images = [codec.pixels(level) for level in levels]
    texts = [(pixels, header.to_text(pixels)) for pixels, header in images]
    writers: dict[str, Callable[[int], bytes]] = {
        PEER: lambda i: _pillow(*texts[i]),
        "Pillow level 1": lambda i: _pillow(*texts[i], compress_level=1),
        "OpenCV default (no text)": lambda i: cv2.imencode(".png", texts[i][0])[1].tobytes(),
        f"spectronorm ({DEFLATE})": lambda i: encode_png(texts[i][0], KEYWORD, texts[i][1]),
        "spectronorm, level to file bytes": lambda i: codec.encode(levels[i]),
    }
    rows = _measure(writers, len(images))
    show(rows, f"{len(images)} images of {images[0][0].shape[0]} x {images[0][0].shape[1]} pixels, one core")
    _check_readers([encode_png(pixels, KEYWORD, text) for pixels, text in texts], [pixels for pixels, _ in texts])
    report("PNG export against Pillow", _figures(rows), {"rows": rows}, "png.json")


def _measure(writers: dict[str, Callable[[int], bytes]], count: int) -> list[dict[str, Any]]:
    times: dict[str, list[float]] = {name: [] for name in writers}
    sizes = {name: sum(len(write(i)) for i in range(count)) / count for name, write in writers.items()}
    for _ in range(_ROUNDS):
        for name, write in writers.items():
            begin = time.process_time()
            for i in range(count):
                write(i)
            times[name].append((time.process_time() - begin) / count)
    medians = {name: float(np.median(values)) for name, values in times.items()}
    return [
        {
            "writer": name,
            "us an image": 1e6 * medians[name],
            "faster than Pillow": medians[PEER] / medians[name],
            "bytes": sizes[name],
            "bytes more": f"{sizes[name] / sizes[PEER] - 1:+.1%}",
        }
        for name in writers
    ]


def _pillow(pixels: np.ndarray, text: str, **settings: int) -> bytes:
    buffer, info = io.BytesIO(), PngInfo()
    info.add_itxt(KEYWORD, text, zip=True)
    Image.fromarray(pixels).save(buffer, "PNG", pnginfo=info, **settings)
    return buffer.getvalue()


def _check_readers(files: list[bytes], pixels: list[np.ndarray]) -> None:
    """Every file means the same pixels to Pillow and to OpenCV."""
    for content, wanted in zip(files, pixels, strict=True):
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(content))), wanted)
        by_opencv = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
        assert by_opencv is not None
        assert np.array_equal(by_opencv, wanted)
    print(f"\nPillow and OpenCV read all {len(files)} files to the same pixels")


def _figures(rows: list[dict[str, Any]]) -> list[Figure]:
    ours, peer = next(row for row in rows if row["writer"].startswith("spectronorm (")), rows[0]
    faster, more = ours["faster than Pillow"], ours["bytes"] / peer["bytes"] - 1
    return [
        Figure("speed over Pillow's default writer", faster, "x", ">= 8", faster >= 8.0),
        Figure("bytes more than Pillow's default writer", 100 * more, "%", "<= 10", more <= 0.1),
    ]


if __name__ == "__main__":
    main()
