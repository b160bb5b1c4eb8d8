"""Tags before and behind a stream of sound: ID3v2, ID3v1, APE, Lyrics3, and zeros."""

from __future__ import annotations

from spectronorm.audio.decoding.containers.view import FileBytes

EMPTY_TAG = b"ID3\x04\0\0\0\0\0\x0a" + bytes(10)
"""An ID3v2.4 tag of ten bytes of padding, after which libsndfile looks for MPEG audio."""
_MOST_TAGS = 64
_ID3V1 = 128


def end_of_tag(file: FileBytes, position: int) -> int:
    """The position behind an ID3v2 tag; the position itself where there is none."""
    head = file.at(position, 10)
    if len(head) < 10 or head[:3] != b"ID3" or head[3] == 0xFF or max(head[6:10]) > 0x7F:
        return position
    size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    return position + 10 + size + (10 if head[5] & 0x10 else 0)


def end_of_tags(file: FileBytes, position: int = 0) -> int:
    """The position behind all ID3v2 tags that stand one behind the other."""
    for _ in range(_MOST_TAGS):
        after = end_of_tag(file, position)
        if after == position:
            break
        position = after
    return position


def without_trailing_tags(file: FileBytes) -> int:
    """The position at which the tags at a file's end begin."""
    end = file.size
    for _ in range(_MOST_TAGS):
        before = _before_tag(file, end)
        if before == end:
            break
        end = before
    return end


def _before_tag(file: FileBytes, end: int) -> int:
    if end >= _ID3V1 and file.at(end - _ID3V1, 3) == b"TAG":
        return end - _ID3V1
    foot = file.at(max(0, end - 32), min(32, end)).rjust(32, b"\0")
    if foot[:8] == b"APETAGEX":
        size = int.from_bytes(foot[12:16], "little") + (32 if foot[23] & 0x80 else 0)
        return end - size if 32 <= size <= end else end
    if foot[22:25] == b"3DI":
        size = 20 + (foot[28] << 21 | foot[29] << 14 | foot[30] << 7 | foot[31])
        return end - size if size <= end else end
    if foot[-9:] == b"LYRICS200" and foot[-15:-9].isdigit():
        size = int(foot[-15:-9]) + 15
        return end - size if size <= end else end
    return end
