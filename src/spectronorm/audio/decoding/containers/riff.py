"""WAV in its four dresses: RIFF, RIFX (big endian), RF64 and BW64 (sizes of 64 bits in a chunk `ds64`)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from spectronorm.audio.decoding.containers.found import Found, chunks_may_follow, settle
from spectronorm.audio.decoding.containers.view import FileBytes, View
from spectronorm.errors import AudioError, BadAudioReason

MAGICS = (b"RIFF", b"RIFX", b"RF64", b"BW64")
_WIDE = (b"RF64", b"BW64")
_MOST_CHUNKS = 1 << 12
_UNKNOWN = 0xFFFFFFFF
_KNOWN = frozenset(
    b"LIST INFO id3  ID3  bext cue  plst smpl inst iXML axml chna fact PEAK afsp guan JUNK junk PAD  FLLR cart".split(
        b" "
    )
)


@dataclass(frozen=True)
class _Wav:
    """Positions of the sound and of the sizes that speak of it."""

    order: str
    start: int
    claimed: int
    align: int
    per_second: int
    ds64: int | None


def look(file: FileBytes) -> Found | None:
    """The sound of a WAV file; None when it is none, or has no chunk of sound, which libsndfile says best."""
    head = file.at(0, 12)
    if head[:4] not in MAGICS or head[8:12] != b"WAVE":
        return None
    wav = _chunks(file, ">" if head[:4] == b"RIFX" else "<", wide=head[:4] in _WIDE)
    if wav is None:
        return None

    follow = chunks_may_follow(file, lambda file, at: _after(file, at, wav.order), origin=wav.start)
    settled = settle(file, wav.start, wav.claimed, align=wav.align, per_second=wav.per_second, odd_rest=follow)
    right = settled.length == wav.claimed and head[:4] != b"BW64"
    view = View() if right else _view(wav, settled.length, head)
    return Found((view,), settled.missing, settled.note)


def _chunks(file: FileBytes, order: str, *, wide: bool) -> _Wav | None:
    position, ds64, wide_size, align, per_second = 12, None, None, 0, 0
    for _ in range(_MOST_CHUNKS):
        chunk = file.at(position, 8)
        if len(chunk) < 8:
            return None
        name, size = chunk[:4], struct.unpack(order + "I", chunk[4:])[0]
        body = position + 8
        if name == b"ds64" and wide:
            sizes = file.at(body, 24)
            if len(sizes) == 24:
                ds64, wide_size = body, struct.unpack("<Q", sizes[8:16])[0]
        elif name == b"fmt " and not align:
            fmt = file.at(body, 16)
            if len(fmt) == 16:
                _, _, _, per_second, align, _ = struct.unpack(order + "HHIIHH", fmt)
        elif name == b"data":
            claimed = wide_size if wide_size is not None and size in (_UNKNOWN, 0) else size
            return _Wav(order, body, claimed, align, per_second, ds64)
        position = body + size + size % 2
    return None


def _after(file: FileBytes, position: int, order: str) -> int | None:
    """The end of a chunk behind the sound; raises `AudioError` for more sound."""
    chunk = file.at(position, 8)
    name, size = chunk[:4], struct.unpack(order + "I", chunk[4:])[0]
    if name in MAGICS or not all(0x20 <= byte < 0x7F for byte in name):
        return None
    end = position + 8 + int(size)
    if end > file.size:
        return file.size if name in _KNOWN else None
    if name == b"data" and size:
        raise AudioError(BadAudioReason.HEADER_LIES, f"it has a second data chunk, at byte {position}")
    return end + int(size) % 2


def _view(wav: _Wav, length: int, head: bytes) -> View:
    """The file with true sizes; as RF64 when 32 bits do not hold them."""
    end = wav.start + length
    if head[:4] not in _WIDE and end < _UNKNOWN:
        sizes = {4: struct.pack(wav.order + "I", end - 8), wav.start - 4: struct.pack(wav.order + "I", length)}
        return View.patched(end, sizes)
    if wav.order == ">":  # there is no big-endian RF64: libsndfile reads what 32 bits can say
        return View()
    sizes64 = struct.pack("<QQQ", end - 8, length, length // max(1, wav.align))
    unknown = struct.pack("<I", _UNKNOWN)
    if wav.ds64 is not None:
        return View.patched(end, {0: b"RF64" + unknown, wav.ds64: sizes64, wav.start - 4: unknown})
    ds64 = b"ds64" + struct.pack("<I", 28) + sizes64 + bytes(4)
    return View((b"RF64" + unknown + b"WAVE" + ds64, (12, wav.start - 4), unknown, (wav.start, end)))
