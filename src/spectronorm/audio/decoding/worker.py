"""Process that decodes untrusted files: it receives open descriptors over a socket and writes samples to shared memory.

`sandbox.py` runs it as a script, with `sys.path`, the location of this package and its limits as JSON. It loads the
decoder without the rest of spectronorm (numba, scipy, …), so it starts within a tenth of a second.
"""

from __future__ import annotations

import importlib
import json
import math
import mmap
import os
import signal
import socket
import struct
import sys
import types
from collections.abc import Callable
from functools import partial
from typing import Any

MOST_FILES = 16
"""Largest number of files in a request, which is one byte, the number of files, with one descriptor for each file."""
ANSWER = struct.Struct("<BQQQQQd")
"""One for each file, in order: `SAMPLES` with place, sample rate, samples, channels, the length of the note that
follows and the seconds that are missing; `ERROR` with the length of the text that follows; or `ASK_AGAIN`, which ends
the request: this file and those after it found no room."""
ASKED = struct.Struct("<QddB")
"""One for each file, behind the byte that counts them: for a section of a recording its number, which pieces of an
unchanged file share, the seconds of beginning and end (NaN for the end of the file) and 1; otherwise zeros."""
SAMPLES, ERROR, ASK_AGAIN = range(3)
_ROOM = 1 << 20
"""Number of samples that may wait to be fetched before the next file is put off, so that they stay in the cache."""


def _load_decode(folder: str) -> types.ModuleType:
    """Load `spectronorm.audio.decoding.decode` with empty packages around it."""
    for name, path in (("spectronorm", folder), ("spectronorm.audio", os.path.join(folder, "audio"))):  # noqa: PTH118
        package = types.ModuleType(name)
        package.__path__ = [path]
        sys.modules[name] = package
    return importlib.import_module("spectronorm.audio.decoding.decode")


def _limit(megabytes: int) -> None:
    """Limit the memory beyond the present use, and forbid writing to files, core dumps and opening new files."""
    import resource  # noqa: PLC0415

    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
            mapped = int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        mapped = 0
    most = mapped + (megabytes << 20)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _allow_seconds(seconds: float) -> None:
    """Limit the processor time for the next file, which ends an endless decode even if the parent is dead."""
    import resource  # noqa: PLC0415

    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime + seconds) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _serve(connection: socket.socket, shared: mmap.mmap, seconds: float, decode: types.ModuleType, held: _Held) -> None:
    room = decode.np.frombuffer(shared, dtype="f4")
    while True:
        message, descriptors, _, _ = socket.recv_fds(connection, 1 + MOST_FILES * ASKED.size, MOST_FILES)
        if not message or message[0] != len(descriptors) or len(message) != 1 + len(descriptors) * ASKED.size:
            return
        used: int | None = 0
        for descriptor, asked in zip(descriptors, ASKED.iter_unpack(message[1:]), strict=True):
            try:
                if used is not None:
                    _allow_seconds(seconds)
                    used = _answer(connection, room, used, partial(held.decoded, descriptor, asked), decode)
            finally:
                if held.descriptor != descriptor:
                    os.close(descriptor)


class _Held:
    """The last recording, which stays open for its next section."""

    def __init__(self, decode: types.ModuleType, recording: types.ModuleType) -> None:
        self.descriptor, self._number = -1, 0
        self._recording: Any = None
        self._decode, self._module = decode, recording

    def decoded(self, descriptor: int, asked: tuple[int, float, float, int], room: Any) -> Any:
        """Decode a file, or a section of a recording, into the room."""
        number, start, end, is_section = asked
        if not is_section:
            return self._decode.decode_descriptor(descriptor, into=room)
        if self._recording is None or number != self._number:
            if self.descriptor >= 0:
                os.close(self.descriptor)
            self.descriptor, self._number = descriptor, number
            self._recording = self._module.Recording(descriptor)
        return self._recording.read_into(room, self._module.Span(start, None if math.isnan(end) else end))


def _answer(
    connection: socket.socket, room: Any, used: int, decoded: Callable[[Any], Any], decode: types.ModuleType
) -> int | None:
    """Decode one file behind the waiting samples; returns the number that waits then, or None if it was put off."""
    if used > _ROOM:
        connection.sendall(ANSWER.pack(ASK_AGAIN, 0, 0, 0, 0, 0, 0.0))
        return None
    try:
        found = decoded(room[used:])
    except decode.AudioError as error:
        if used and error.reason is decode.BadAudioReason.TOO_LARGE:
            connection.sendall(ANSWER.pack(ASK_AGAIN, 0, 0, 0, 0, 0, 0.0))
            return None
        text = json.dumps([error.reason.value, error.detail]).encode()
        connection.sendall(ANSWER.pack(ERROR, 0, 0, 0, 0, len(text), 0.0) + text)
        return used
    note = found.note.encode()
    shape = found.samples.shape
    connection.sendall(ANSWER.pack(SAMPLES, used, found.sample_rate, *shape, len(note), found.missing) + note)
    return used + int(found.samples.size)


def main() -> None:
    """Serve until the parent closes the socket."""
    settings = json.loads(sys.argv[1])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    sys.path[:] = settings["path"]
    decode = _load_decode(settings["folder"])
    decode.prepare_confined(ffmpeg=settings["ffmpeg"])
    held = _Held(decode, importlib.import_module("spectronorm.audio.decoding.recording"))
    shared = mmap.mmap(settings["shared"], 0)
    _limit(settings["megabytes"])
    confinement = importlib.import_module("spectronorm.audio.decoding.confinement")
    with socket.socket(fileno=settings["socket"]) as connection:
        confinement.confine()
        _serve(connection, shared, settings["seconds"], decode, held)


if __name__ == "__main__":
    main()
