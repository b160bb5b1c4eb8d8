"""Images that were forged, damaged or re-encoded: one clear error each."""

from __future__ import annotations

import io
import json
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from tests.voices import synthetic_voice

import spectronorm as sn
from spectronorm.errors import FileFormatError
from spectronorm.image_files.png import encode_png
from spectronorm.images import ImageCodec, LevelRange, decode

FRONT_END = sn.FrontEnd(stft=sn.STFT(n_fft=512, hop_length=128), bands=sn.Mel(40))


@pytest.fixture
def level() -> np.ndarray:
    return FRONT_END(synthetic_voice(0.5).astype(np.float64))


# What a forger, a careless program or a broken disk makes of an image: each gets the good file's bytes and text.
Mutation = Callable[[bytes, str, np.ndarray], bytes]


def _with_text(change: Callable[[dict[str, Any]], None], *, sign: bool = True) -> Mutation:
    """A header with something changed, and by default a checksum that fits again."""

    def mutate(data: bytes, text: str, pixels: np.ndarray) -> bytes:
        del data
        plain = json.loads(text)
        change(plain)
        if sign:
            from spectronorm.image_files.header import _checksum  # noqa: PLC0415

            plain.pop("checksum")
            plain["checksum"] = _checksum(plain)
        return encode_png(pixels, "spectronorm", json.dumps(plain, sort_keys=True, separators=(",", ":")))

    return mutate


def _resaved(pixels: np.ndarray, text: str | None = None, kind: str = "PNG") -> bytes:
    buffer, info = io.BytesIO(), PngInfo()
    if text is not None:
        info.add_itxt("spectronorm", text)
    options = {"pnginfo": info} if kind == "PNG" else {}
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def _bomb(data: bytes, text: str, pixels: np.ndarray) -> bytes:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    return data[:8] + chunk + data[33:]


def _flip(data: bytes, text: str, pixels: np.ndarray) -> bytes:
    broken = bytearray(data)
    broken[data.index(b"IDAT") + 20] ^= 0x10
    return bytes(broken)


BAD: dict[str, tuple[Mutation, str]] = {
    "no metadata": (lambda d, t, p: _resaved(p), "carries no spectronorm header"),
    "re-encoded as JPEG": (lambda d, t, p: _resaved(p, kind="JPEG"), "not a PNG"),
    "edited pixels": (lambda d, t, p: _resaved(np.where(p > 200, 0, p).astype(np.uint8), t), "pixels are not those"),
    "resized": (lambda d, t, p: _resaved(p[:, ::2].copy(), t), "is damaged"),
    "colour": (lambda d, t, p: _resaved(np.stack([p] * 3, axis=-1), t), "in colour"),
    "16 bits told, 8 found": (
        _with_text(lambda h: h.update(bits=16)),
        "written with 16 bits per pixel but has 8: it was re-encoded",
    ),
    "altered header": (_with_text(lambda h: h.update(length=1), sign=False), "checksum"),
    "checksum gone": (lambda d, t, p: encode_png(p, "spectronorm", t.replace("checksum", "check")), "checksum"),
    "NaN in JSON": (lambda d, t, p: encode_png(p, "spectronorm", t.replace('"offset":0.0', '"offset":NaN')), "JSON"),
    "infinity in JSON": (
        lambda d, t, p: encode_png(p, "spectronorm", t.replace('"offset":0.0', '"offset":1e999')),
        "JSON",
    ),
    "not JSON": (lambda d, t, p: encode_png(p, "spectronorm", "{" * 100_000), "JSON"),
    "a list": (lambda d, t, p: encode_png(p, "spectronorm", "[]"), "not a JSON object"),
    "future format": (_with_text(lambda h: h.update(format=9, version="9.0")), "spectronorm '9.0'.*format 2"),
    "forged range": (_with_text(lambda h: h["range"].update(low=[5.0], high=[-5.0])), "low < high"),
    "range of text": (_with_text(lambda h: h["range"].update(low=["a"], high=["b"])), "must be numbers"),
    "range of other bands": (_with_text(lambda h: h["range"].update(low=[0.0] * 3, high=[1.0] * 3)), "3 bands"),
    "forged frames": (_with_text(lambda h: h.update(frames=10**9)), "frames=1000000000"),
    "forged length": (_with_text(lambda h: h.update(length=10**12)), "length=1000000000000"),
    "negative scale": (_with_text(lambda h: h["waveform"].update(scale=-1.0)), "scale"),
    "other front end": (_with_text(lambda h: h["front_end"]["bands"].update(n_mels=41)), "fingerprint"),
    "huge FFT": (_with_text(lambda h: h["front_end"]["stft"].update(n_fft=2**31)), "n_fft"),
    "missing field": (_with_text(lambda h: h.pop("range")), "range"),
    "damaged pixels": (_flip, "damaged or cut off"),
    "cut off": (lambda d, t, p: d[: len(d) // 2], "damaged or cut off"),
    "without its end": (lambda d, t, p: d[:-12], "."),
    "bomb": (_bomb, "60000 x 60000"),
    "text bomb": (lambda d, t, p: encode_png(p, "spectronorm", " " * 50_000_000), "damaged or cut off"),
    "empty": (lambda d, t, p: b"", "not a PNG"),
    "text": (lambda d, t, p: b"hello", "not a PNG"),
}


@pytest.mark.parametrize("name", BAD)
def test_every_bad_image_gets_one_clear_error(name: str, level: np.ndarray, tmp_path: Path) -> None:
    """No crash, no guess: a FileFormatError that names the file and the reason."""
    codec = ImageCodec(FRONT_END, LevelRange.of_level(level))
    pixels, header = codec.pixels(level)
    mutate, match = BAD[name]
    path = tmp_path / "bad.png"
    path.write_bytes(mutate(codec.encode(level), header.to_text(pixels), pixels))
    with pytest.raises(FileFormatError, match=match) as caught:
        decode(path)
    assert str(path) in str(caught.value)


def test_a_lossless_copy_is_still_good(level: np.ndarray, tmp_path: Path) -> None:
    """Another program may compress the same pixels and text anew."""
    codec = ImageCodec(FRONT_END, LevelRange.of_level(level))
    pixels, header = codec.pixels(level)
    (tmp_path / "copy.png").write_bytes(_resaved(pixels, header.to_text(pixels)))
    np.testing.assert_array_equal(decode(tmp_path / "copy.png").level, codec.decode(pixels))


def test_no_file_and_no_folder_is_an_error(tmp_path: Path) -> None:
    """Both are told by name."""
    for path in (tmp_path, tmp_path / "none.png"):
        with pytest.raises(FileFormatError, match=re.escape(str(path))):
            decode(path)
