"""Header of a spectrogram image: everything that its inverse needs, in one validated JSON text."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from spectronorm.arrays import set_whole_numbers, whole_number
from spectronorm.audio.channels import stacked
from spectronorm.errors import ArgumentError, FileFormatError
from spectronorm.front_end import FrontEnd, WaveformGain, frames_of
from spectronorm.front_end.undo_gain import PerChannel
from spectronorm.image_files.level_range import LevelRange
from spectronorm.short_repr import with_bounded_repr, with_short_repr
from spectronorm.storage import canonical_json, refuse_damage, strict_json
from spectronorm.suggestion import known_settings
from spectronorm.version import __version__

KEYWORD = "spectronorm"
FIRST_KEYWORD = "specnorm"
"""Keyword of the header in versions before 0.2."""
_FORMAT = 2
_MAX_N_FFT = 1 << 16
"""Largest FFT length: an image can claim any front end, and a longer FFT could exhaust the memory."""


@known_settings
@with_bounded_repr
@dataclass(frozen=True)
class Layout:
    """Layout of levels in the image.

    `bits` is 8 or 16; `low_frequencies` are at the `bottom` or `top`; `loud` is `dark` or `bright`.

    Raises:
        ArgumentError: if a value is another one.

    >>> Layout(bits=16, loud="bright")
    Layout(bits=16, low_frequencies='bottom', loud='bright')
    >>> Layout(bits=12)
    Traceback (most recent call last):
        ...
    spectronorm.errors.ArgumentError: bits=12 must be 8 or 16
    """

    bits: int = 8
    low_frequencies: str = "bottom"
    loud: str = "dark"

    def __post_init__(self) -> None:
        if self.bits not in (8, 16):
            raise ArgumentError(f"bits={self.bits!r} must be 8 or 16")
        set_whole_numbers(self, ("bits",), 8, 16)
        if self.low_frequencies not in ("bottom", "top"):
            raise ArgumentError(f"low_frequencies={self.low_frequencies!r} must be bottom or top")
        if self.loud not in ("dark", "bright"):
            raise ArgumentError(f"loud={self.loud!r} must be dark or bright")


@known_settings
@with_short_repr
@dataclass(frozen=True)
class Header:
    """Header of one image.

    Attributes:
        front_end: The front end that made the level.
        level_range: Range of the grey scale.
        layout: Layout of the level in the image.
        frames: Number of frames without padding.
        length: Number of samples of the clip, or of the part of it that the frames show.
        gain: Undoes the front end's waveform level.
        source: Origin of the clip: free text, such as a name and a content digest.
        version: The spectronorm version that wrote the image.
        command: The command line that wrote it, if one did.
        colormap: The colormap of a coloured picture, which cannot be decoded; empty for an image.

    >>> import numpy as np, spectronorm as sn
    >>> front_end = sn.FrontEnd(bands=sn.Mel(40))
    >>> codec = sn.images.ImageCodec(front_end, sn.images.LevelRange.fixed_db(front_end, -80.0, 20.0))
    >>> header = codec.header(frames=81, length=16_000, source="a.wav")
    >>> header.frames, header.length, header.source
    (81, 16000, 'a.wav')
    """

    front_end: FrontEnd
    level_range: LevelRange
    layout: Layout
    frames: int
    length: int
    gain: WaveformGain
    source: str = ""
    version: str = __version__
    command: str = ""
    colormap: str = ""

    def to_text(self, pixels: NDArray[Any]) -> str:
        """Return the JSON text, with digests of the pixels and of the header."""
        return self.text_with(pixel_digest(pixels))

    def text_with(self, digest: str) -> str:
        """Return the JSON text for pixels with this `pixel_digest`."""
        plain = {
            "kind": "image",
            "format": _FORMAT,
            "version": self.version,
            "front_end": self.front_end.to_dict(),
            "fingerprint": self.front_end.fingerprint,
            "range": {
                "scheme": self.level_range.scheme,
                "low": self.level_range.low.tolist(),
                "high": self.level_range.high.tolist(),
            },
            "bits": self.layout.bits,
            "low_frequencies": self.layout.low_frequencies,
            "loud": self.layout.loud,
            "frames": self.frames,
            "length": self.length,
            "waveform": {"scale": self.gain.scale, "offset": self.gain.offset},
            "source": self.source,
            "pixels": digest,
        }
        # left out otherwise: other images have the bytes that they had
        plain |= {name: text for name in ("command", "colormap") if (text := getattr(self, name))}
        return canonical_json({**plain, "checksum": _checksum(plain)})

    @classmethod
    def from_text(cls, text: str, pixels: NDArray[Any], path: Path) -> Header:
        """Parse a header and check it against its digest and the pixels.

        Raises:
            FileFormatError: if the text is not a valid header of this version, or does not belong to the pixels.
        """
        plain = _parsed(text, path)
        if plain.get("kind") != "image" or plain.get("format") != _FORMAT:
            raise FileFormatError(
                f"{path}: holds a {plain.get('kind')!r} of format {plain.get('format')!r}, written by spectronorm "
                f"{plain.get('version')!r}; this version reads images of format {_FORMAT}: use the one that wrote it"
            )
        if plain.pop("checksum", None) != _checksum(plain):
            raise FileFormatError(f"{path}: its header was altered (the checksum does not fit); export it again")
        with refuse_damage(path, "its header", "export it again"):
            header = _header(plain)
            _check(header, plain, pixels)
        if plain.get("pixels") != pixel_digest(pixels):
            raise FileFormatError(
                f"{path}: its pixels are not those that were exported: it was edited, resized or re-encoded with "
                "loss; decode the original"
            )
        return header


def pixel_digest(pixels: NDArray[Any]) -> str:
    """32 hexadecimal digits of the pixels in row order, big-endian, and their shape (XXH3-128)."""
    rows = np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder(">"), copy=False))
    return digest_of_rows(pixels.shape, pixels.dtype.itemsize, [rows])


def digest_of_rows(shape: tuple[int, ...], item_bytes: int, rows: Iterable[NDArray[Any]]) -> str:
    """The `pixel_digest` of pixels whose rows come one after the other, big-endian."""
    digest = xxhash.xxh3_128(f"{item_bytes} {shape}".encode())
    for row in rows:
        digest.update(np.ascontiguousarray(row).data)
    return digest.hexdigest()


def _checksum(plain: Mapping[str, Any]) -> str:
    """16 hexadecimal digits of the header, which detect damage and editing, but no deliberate forgery."""
    return hashlib.sha256(canonical_json(plain).encode()).hexdigest()[:16]


def _parsed(text: str, path: Path) -> dict[str, Any]:
    try:
        plain = strict_json(text)
    except ValueError as error:
        raise FileFormatError(f"{path}: its header is not valid JSON ({error}); export it again") from None
    if not isinstance(plain, dict):
        raise FileFormatError(f"{path}: its header is not a JSON object; export it again")
    return plain


def _header(plain: Mapping[str, Any]) -> Header:
    whole_number(plain["front_end"]["stft"]["n_fft"], "n_fft", 2, _MAX_N_FFT)
    front_end = FrontEnd.from_dict(plain["front_end"])
    if plain["fingerprint"] != front_end.fingerprint:
        raise ValueError("the fingerprint does not fit the front end")
    numbers = plain["range"]
    if not all(type(x) in (int, float) for x in (*numbers["low"], *numbers["high"])):
        raise TypeError("the range must be numbers")
    level_range = LevelRange(np.array(numbers["low"]), np.array(numbers["high"]), numbers["scheme"])
    layout = Layout(plain["bits"], plain["low_frequencies"], plain["loud"])
    gain = WaveformGain(*(_number(plain["waveform"][name]) for name in ("scale", "offset")))
    text = plain["source"], plain["version"], plain.get("command", ""), plain.get("colormap", "")
    if not all(isinstance(value, str) for value in (*text, numbers["scheme"])):
        raise TypeError("the source, version, command, colormap or scheme is not text")
    return Header(front_end, level_range, layout, plain["frames"], plain["length"], gain, *text)


def _check(header: Header, plain: Mapping[str, Any], pixels: NDArray[Any]) -> None:
    """Raise `ValueError` unless header and pixels can belong together."""
    bits, (rows, columns) = 8 * pixels.dtype.itemsize, pixels.shape
    if bits != header.layout.bits:
        raise ValueError(f"it was written with {header.layout.bits} bits per pixel but has {bits}: it was re-encoded")
    if rows != header.front_end.n_bands:
        raise ValueError(f"it has {rows} rows for the {header.front_end.n_bands} bands of its front end")
    if header.level_range.low.size not in (1, rows):
        raise ValueError(f"its range has {header.level_range.low.size} bands, not 1 or {rows}")
    whole_number(header.frames, "frames", 1, columns, of="its columns")
    if frames_of(header.front_end, whole_number(header.length, "length", 0, 1 << 50)) != header.frames:
        raise ValueError(f"length={header.length!r} samples do not make frames={header.frames} with its front end")
    if header.gain.channels not in (None, stacked(header.front_end.channels)):
        raise ValueError(f"it has {header.gain.channels} gains for the channels {header.front_end.channels}")
    if type(plain["bits"]) is not int:
        raise ValueError("its bits are not a whole number")


def _number(value: Any) -> PerChannel:
    """A number of the header, or one for each channel."""
    numbers = tuple(value) if isinstance(value, list) else (value,)
    if not all(type(number) in (int, float) for number in numbers):
        raise TypeError("the gain must be numbers")
    return numbers if isinstance(value, list) else numbers[0]
