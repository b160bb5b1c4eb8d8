"""Recognition of a file's container, and the sound that the container claims."""

from __future__ import annotations

from spectronorm.audio.decoding.containers import au, caf, flac, iff, mpeg, nist, ogg, riff, voc, w64
from spectronorm.audio.decoding.containers.foreign import foreign
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
    """Return the parts of an open file that hold all of its sound, and a report of missing or odd parts.

    Raises:
        AudioError: when the file is damaged, or holds more than libsndfile can be made to read.
    """
    file = FileBytes(descriptor)
    unknown = foreign(file)
    if unknown is not None:
        return Found(foreign=unknown)
    for one in _LOOKS:
        found = one(file)
        if found is not None:
            return found
    return Found(examined=False)
