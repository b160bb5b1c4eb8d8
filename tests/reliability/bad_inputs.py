"""A generator of bad audio files, each with the outcome it must have; nothing here is shipped, all is made anew."""

from __future__ import annotations

import io
import os
import socket
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

RATE = 16_000
OK = frozenset({"ok"})
BROKEN = frozenset({"truncated", "unreadable", "empty", "header-lies"})
"""What a damaged file may be called: which of them depends on where the damage is."""


@dataclass(frozen=True)
class Case:
    """One file to make, its name, and the outcomes that are right."""

    name: str
    make: Callable[[Path], None]
    outcomes: frozenset[str]
    suffix: str = ".wav"

    def write(self, folder: Path) -> Path:
        path = folder / f"{self.name}{self.suffix}"
        self.make(path)
        return path


def tone(seconds: float = 0.5, rate: int = RATE, channels: int = 1, seed: int = 0) -> np.ndarray:
    """A tone with a little noise, `(sample, channel)`."""
    t = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(seed).standard_normal((len(t), channels)) * 0.01
    return (0.3 * np.sin(2 * np.pi * 440 * t)[:, None] + noise).astype(np.float32)


def encoded(file_format: str, subtype: str | None = None, samples: np.ndarray | None = None, rate: int = RATE) -> bytes:
    """A file's bytes, as libsndfile writes them."""
    file = io.BytesIO()
    soundfile.write(file, tone(rate=rate) if samples is None else samples, rate, format=file_format, subtype=subtype)
    return file.getvalue()


def wav(
    data: bytes,
    *,
    channels: int = 1,
    rate: int = RATE,
    bits: int = 16,
    tag: int = 1,
    size: int | None = None,
    align: int | None = None,
) -> bytes:
    """A WAV file written by hand, so that its header can lie."""
    align = channels * bits // 8 if align is None else align
    fmt = struct.pack("<HHIIHH", tag, channels, rate, (rate * align) & 0xFFFFFFFF, align & 0xFFFF, bits)
    body = b"WAVEfmt " + struct.pack("<I", len(fmt)) + fmt
    body += b"data" + struct.pack("<I", len(data) if size is None else size) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def pcm(samples: np.ndarray | None = None) -> bytes:
    """Samples as 16-bit integers."""
    """A WAV file written by hand, so that its header can lie."""
    samples = tone() if samples is None else samples
    return (samples * 32767).astype("<i2").tobytes()


def _bytes(data: bytes | Callable[[], bytes]) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(data if isinstance(data, bytes) else data()) and None


def _samples(samples: Callable[[], np.ndarray], subtype: str = "FLOAT", rate: int = RATE) -> Callable[[Path], None]:
    return lambda path: soundfile.write(path, samples(), rate, format="WAV", subtype=subtype)


CONTAINERS = {
    "wav": ("WAV", "PCM_16"), "wavfloat": ("WAV", "FLOAT"), "aiff": ("AIFF", "PCM_16"), "au": ("AU", "PCM_16"),
    "caf": ("CAF", "PCM_16"), "w64": ("W64", "PCM_16"), "rf64": ("RF64", "PCM_16"), "flac": ("FLAC", "PCM_16"),
    "ogg": ("OGG", "VORBIS"), "opus": ("OGG", "OPUS"), "mp3": ("MP3", "MPEG_LAYER_III"),
    "wavadpcm": ("WAV", "MS_ADPCM"), "svx": ("SVX", "PCM_16"), "nist": ("NIST", "PCM_16"),
}  # fmt: skip


def truncated() -> Iterator[Case]:
    """Every container, cut in the header, in the middle and near the end."""
    for name, (file_format, subtype) in CONTAINERS.items():
        for percent in (2, 50, 90):

            def cut(file_format: str = file_format, subtype: str = subtype, percent: int = percent) -> bytes:
                whole = encoded(file_format, subtype)
                return whole[: max(1, len(whole) * percent // 100)]

            yield Case(f"truncated-{name}-{percent}", _bytes(cut), BROKEN)


def _patched(file_format: str, subtype: str, offset: int, patch: bytes) -> Callable[[], bytes]:
    def make() -> bytes:
        whole = bytearray(encoded(file_format, subtype))
        whole[offset : offset + len(patch)] = patch
        return bytes(whole)

    return make


def _flac_claims(samples: int) -> Callable[[], bytes]:
    def make() -> bytes:
        whole = bytearray(encoded("FLAC", "PCM_16"))
        field = int.from_bytes(whole[18:26], "big")
        whole[18:26] = ((field >> 36 << 36) | samples).to_bytes(8, "big")
        return bytes(whole)

    return make


def _crc(data: bytes, bits: int, polynomial: int) -> int:
    value, top, mask = 0, 1 << (bits - 1), (1 << bits) - 1
    for byte in data:
        value ^= byte << (bits - 8)
        for _ in range(8):
            value = ((value << 1) ^ polynomial if value & top else value << 1) & mask
    return value


def flac_bomb(frames: int = 8_000, block: int = 65_535) -> bytes:
    """13 bytes a frame of digital silence: 100 kB that decode to 2 GB."""
    info = block.to_bytes(2, "big") * 2 + bytes(6) + ((RATE << 44) | (15 << 36) | frames * block).to_bytes(8, "big")
    stream = bytearray(b"fLaC\x80\0\0\x22" + info + bytes(16))
    for number in range(frames):
        header = b"\xff\xf8\x70\x08" + chr(number).encode() + (block - 1).to_bytes(2, "big")
        frame = header + bytes([_crc(header, 8, 0x07)]) + b"\0\0\0"
        stream += frame + _crc(frame, 16, 0x8005).to_bytes(2, "big")
    return bytes(stream)


def header_lies() -> Iterator[Case]:
    """Headers that contradict the data, or reason."""
    data = pcm()
    good = len(data)
    yield Case("data-size-huge", _bytes(wav(data, size=1 << 30)), BROKEN)
    yield Case("data-size-twice", _bytes(wav(data, size=2 * good)), BROKEN)
    yield Case("data-size-unknown-0xffffffff", _bytes(wav(data, size=0xFFFFFFFF)), OK)
    yield Case("data-size-0", _bytes(wav(data, size=0)), BROKEN | OK)
    yield Case("channels-0", _bytes(wav(data, channels=0, align=2)), BROKEN)
    yield Case("channels-65535", _bytes(wav(data, channels=65535)), BROKEN)
    yield Case("bits-0", _bytes(wav(data, bits=0, align=2)), BROKEN)
    yield Case("bits-255", _bytes(wav(data, bits=255, align=2)), BROKEN)
    yield Case("rate-0", _bytes(wav(data, rate=0)), BROKEN)
    yield Case("rate-1", _bytes(wav(data, rate=1)), frozenset({"header-lies"}))
    yield Case("rate-99", _bytes(wav(data, rate=99)), frozenset({"header-lies"}))
    yield Case("rate-4GHz", _bytes(wav(data, rate=4_000_000_000)), BROKEN)
    yield Case("rate-negative", _bytes(wav(data, rate=0xFFFFFFFF)), BROKEN)
    yield Case("codec-unknown", _bytes(wav(data, tag=0x7777)), BROKEN)
    yield Case("codec-mp3-in-wav", _bytes(wav(data, tag=0x55)), BROKEN)
    yield Case("riff-size-0", _bytes(wav(data)[:4] + bytes(4) + wav(data)[8:]), OK)
    yield Case("no-data-chunk", _bytes(wav(data)[:36]), BROKEN)
    yield Case("no-fmt-chunk", _bytes(b"RIFF\x24\0\0\0WAVEdata" + struct.pack("<I", good) + data), BROKEN)
    yield Case("flac-claims-2-36", _bytes(_flac_claims((1 << 36) - 1)), BROKEN)
    yield Case("flac-claims-1-more", _bytes(_flac_claims(8001)), BROKEN)
    yield Case("flac-claims-unknown", _bytes(_flac_claims(0)), BROKEN | OK)
    yield Case("flac-bomb", _bytes(flac_bomb), frozenset({"too-large"}))
    yield Case("aiff-channels-0", _bytes(_patched("AIFF", "PCM_16", 20, b"\0\0")), BROKEN)
    yield Case("au-offset-beyond", _bytes(_patched("AU", "PCM_16", 4, b"\x7f\xff\xff\xff")), BROKEN)
    yield Case("au-channels-0", _bytes(_patched("AU", "PCM_16", 20, bytes(4))), BROKEN)
    yield Case("w64-size-huge", _bytes(_patched("W64", "PCM_16", 16, b"\xff" * 7 + b"\x7f")), BROKEN | OK)
    yield Case("ogg-page-flipped", _bytes(_patched("OGG", "VORBIS", 0x60, b"\xff" * 16)), BROKEN)


def empty_or_misnamed() -> Iterator[Case]:
    """Nothing, nearly nothing, and other things under the name of audio."""
    yield Case("zero-bytes", _bytes(b""), frozenset({"empty"}))
    yield Case("one-byte", _bytes(b"R"), BROKEN)
    yield Case("riff-only", _bytes(b"RIFF\0\0\0\0WAVE"), BROKEN)
    for name in ("wav", "aiff", "au", "caf", "w64", "flac", "mp3", "ogg"):
        file_format, subtype = CONTAINERS[name]
        nothing = _bytes(lambda f=file_format, s=subtype: encoded(f, s, np.zeros((0, 1), np.float32)))
        yield Case(f"header-only-{name}", nothing, BROKEN)
    yield Case("text", _bytes(b"this is not audio\n" * 100), BROKEN)
    yield Case("html", _bytes(b"<!doctype html><title>404</title>" * 50), BROKEN)
    yield Case("json", _bytes(b'{"error": "not found"}'), BROKEN)
    yield Case("png", _bytes(b"\x89PNG\r\n\x1a\n" + bytes(1000)), BROKEN)
    yield Case("zeros", _bytes(bytes(4096)), BROKEN)
    yield Case("random", _bytes(np.random.default_rng(1).bytes(4096)), BROKEN)
    yield Case("pickle", _bytes(b"\x80\x04\x95\x1e\0\0\0\0\0\0\0\x8c\x05posix\x94\x8c\x06system\x94\x93\x94."), BROKEN)
    yield Case("zip", _zip, BROKEN)
    yield Case("flac-named-wav", _bytes(lambda: encoded("FLAC")), OK)
    yield Case("wav-named-mp3", _bytes(lambda: encoded("WAV")), OK, ".mp3")
    yield Case("ogg-named-flac", _bytes(lambda: encoded("OGG", "VORBIS")), OK, ".flac")


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "hello")


def _with(value: float, at: int = 100) -> Callable[[], np.ndarray]:
    def make() -> np.ndarray:
        samples = tone().astype(np.float64)
        samples[at] = value
        return samples

    return make


def values() -> Iterator[Case]:
    """Samples that are not, or not plausibly, sound."""
    bad = frozenset({"not-finite"})
    far = frozenset({"out-of-range"})
    yield Case("one-nan", _samples(_with(np.nan)), bad)
    yield Case("last-nan", _samples(_with(np.nan, -1)), bad)
    yield Case("all-nan", _samples(lambda: np.full((8000, 1), np.nan)), bad)
    yield Case("inf", _samples(_with(np.inf)), bad)
    yield Case("minus-inf", _samples(_with(-np.inf)), bad)
    yield Case("nan-in-double", _samples(_with(np.nan), "DOUBLE"), bad)
    yield Case("1e38", _samples(_with(1e38)), far)
    yield Case("1e300-in-double", _samples(_with(1e300), "DOUBLE"), bad | far)
    yield Case("int16-scaled-float", _samples(lambda: tone() * 32768), far)
    yield Case("fifty-times", _samples(lambda: tone() * 50), far)
    yield Case("twice-full-scale", _samples(lambda: tone() * 6), OK)
    yield Case("denormal", _samples(lambda: tone() * 1e-40), OK)
    yield Case("very-quiet", _samples(lambda: tone() * 1e-9), OK)
    yield Case("silent", _samples(lambda: np.zeros((8000, 1))), frozenset({"silent"}))
    yield Case("silent-stereo-flac", _bytes(lambda: encoded("FLAC", None, np.zeros((8000, 2)))), frozenset({"silent"}))
    yield Case("silent-44k", _samples(lambda: np.zeros((22050, 1)), rate=44_100), frozenset({"silent"}))
    yield Case("dc", _samples(lambda: np.full((8000, 1), 0.5)), frozenset({"constant"}))
    yield Case("dc-44k", _samples(lambda: np.full((22050, 1), 0.5), rate=44_100), frozenset({"constant"}))
    yield Case("dc-int16-min", _samples(lambda: np.full((8000, 1), -1.0), "PCM_16"), frozenset({"constant"}))
    yield Case(
        "opposite-stereo", _samples(lambda: np.hstack([tone(), -tone()])), frozenset({"silent", "channels-cancel"})
    )
    yield Case("one-sample", _samples(lambda: tone()[:1]), frozenset({"too-short"}))
    yield Case("one-window-less-one", _samples(lambda: tone()[:399]), frozenset({"too-short"}))
    yield Case("one-window", _samples(lambda: tone()[:400]), OK)
    yield Case("one-sample-at-1MHz", _samples(lambda: tone()[:1], rate=1_000_000), frozenset({"too-short"}))
    yield Case("channels-2", _samples(lambda: tone(channels=2)), OK)
    yield Case("channels-256", _samples(lambda: tone(0.05, channels=256)), OK)
    yield Case("channels-1024", _samples(lambda: tone(0.05, channels=1024)), OK)
    for rate in (100, 8_000, 11_025, 96_000, 192_000, 1_000_000):
        yield Case(
            f"rate-{rate}", _samples(lambda: tone(0.5), rate=rate), OK | ({"too-short"} if rate > 2e5 else set())
        )


def file_system() -> Iterator[Case]:
    """Things that are no regular files."""
    unreadable = frozenset({"unreadable"})
    yield Case("fifo", os.mkfifo, unreadable)
    yield Case("directory", lambda path: path.mkdir(), unreadable)
    yield Case("socket", _socket, unreadable)
    yield Case("device-zero", lambda path: path.symlink_to("/dev/zero"), unreadable)
    yield Case("device-null", lambda path: path.symlink_to("/dev/null"), unreadable)
    yield Case("terminal", lambda path: path.symlink_to("/dev/tty"), unreadable)
    yield Case("dangling-link", lambda path: path.symlink_to("nowhere"), frozenset({"missing"}))
    yield Case("link-to-itself", lambda path: path.symlink_to(path.name), unreadable)
    yield Case("link-to-good", _link_to_good, OK)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        before = Path.cwd()
        os.chdir(path.parent)  # the path of a socket may have 107 bytes
        try:
            listener.bind(path.name)
        finally:
            os.chdir(before)


def _link_to_good(path: Path) -> None:
    target = path.with_suffix(".target")
    target.write_bytes(wav(pcm()))
    path.symlink_to(target)


ODD_NAMES = {
    "newline": b"a\nb.wav",
    "invalid-utf-8": b"\xff\xfe\x80.wav",
    "leading-dash": b"-rf.wav",
    "spaces": b"  two  spaces .wav",
    "quotes": b"\"'`$(ls);&|.wav",
    "percent": b"%s%n%x{}.wav",
    "emoji": "🎧é.wav".encode(),
    "nfd": "e\u0301.wav".encode(),
    "right-to-left": "\u202egpj.wav".encode(),
    "longest": b"n" * 251 + b".wav",
    "upper-case": b"LOUD.WAV",
    "backslash": b"a\\b.wav",
    "two-dots": b"a..b..wav",
    "control": b"a\x1b[31mb\x07.wav",
}


def odd_names() -> Iterator[Case]:
    """Legal file names that programs trip over; the sound in them is good."""
    for name, raw in ODD_NAMES.items():

        def make(path: Path, raw: bytes = raw) -> None:
            (path.parent / os.fsdecode(raw)).write_bytes(wav(pcm()))

        yield Case(f"name-{name}", make, OK)


def audio_cases() -> list[Case]:
    """Every case that is one audio file under an ordinary name."""
    return [*truncated(), *header_lies(), *empty_or_misnamed(), *values(), *file_system()]
