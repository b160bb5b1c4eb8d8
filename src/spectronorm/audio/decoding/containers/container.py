"""The container that a file is, and what it says of its sound."""

from __future__ import annotations

from spectronorm.audio.decoding.containers import au, caf, flac, iff, mpeg, nist, ogg, riff, voc, w64
from spectronorm.audio.decoding.containers.found import Found
from spectronorm.audio.decoding.containers.view import FileBytes

_LOOKS = (
    riff.look,
    flac.look,
    ogg.look,
    iff.look,
    au.look,
    caf.look,
    w64.look,
    nist.look,
    voc.look,
    mpeg.look,  # last: frames are looked for behind other bytes too
)


def look(descriptor: int) -> Found:
    """What to read of an open file so that all of its sound is read, and what is missing or odd.

    Raises:
        AudioError: when the file is damaged, or holds more than libsndfile can be made to read.
    """
    file = FileBytes(descriptor)
    for one in _LOOKS:
        found = one(file)
        if found is not None:
            return found
    return Found(examined=False)
