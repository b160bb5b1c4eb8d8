"""Processes for untrusted files: one loads the decoder and forks the others, which are confined and do the work.

`fork_server.py` runs it as a script, with `sys.path`, the location of this package and a socket as JSON. It loads the
decoder without the rest of spectronorm (numba, scipy, …), so it starts within a tenth of a second, and each further
process within some milliseconds. A decoder receives open descriptors over a socket and writes samples to shared memory;
an unpacker receives an open archive and writes the bytes of a member to its socket.
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

DECODER, UNPACKER, END, FFMPEG_DECODER = range(4)
"""Requests to the process that forks: a decoder (with its socket and memory), an unpacker (with its socket), the end
of a process that it forked, or a decoder that has FFmpeg's libraries as well."""
REQUEST = struct.Struct("<Bqqd")
"""Kind, process to end, megabytes, and seconds for a file."""
REPLY = struct.Struct("<q")
"""Process id of a new process, or exit status of an ended one, negative for a signal."""
PIECE = struct.Struct("<BI")
"""Kind and length of what follows from an unpacker: `DATA`, `DONE`, or `FAILED` with a report like that of `ERROR`."""
DATA, DONE, FAILED = range(3)
MOST_DESCRIPTION = 1 << 16
"""Largest number of bytes of the description of a member."""

MOST_FILES = 16
"""Largest number of files in a request, which is one byte, the number of files, with one descriptor for each file."""
ANSWER = struct.Struct("<BQQQQQdB")
"""One for each file, in order: `SAMPLES` with place, sample rate, samples, channels, the length of the note that
follows, the seconds that are missing and the bits of a stored sample; `ERROR` with the length of the text that follows;
or `ASK_AGAIN`, which ends the request: this file and those after it found no room."""
ASKED = struct.Struct("<QddB")
"""One for each file, behind the byte that counts them: for a section of a recording its number, which pieces of an
unchanged file share, the seconds of beginning and end (NaN for the end of the file) and 1; otherwise zeros."""
SAMPLES, ERROR, ASK_AGAIN = range(3)
HEADERS = 0x80
"""Added to the number of files of a request for their headers only, which are answered like samples without any."""
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


def _decode_files(connection: socket.socket, room: Any, seconds: float, decode: types.ModuleType, held: _Held) -> None:
    while True:
        message, descriptors, _, _ = socket.recv_fds(connection, 1 + MOST_FILES * ASKED.size, MOST_FILES)
        if not message or message[0] & ~HEADERS != len(descriptors):
            return
        if len(message) != 1 + len(descriptors) * ASKED.size:
            return
        used: int | None = 0
        for descriptor, asked in zip(descriptors, ASKED.iter_unpack(message[1:]), strict=True):
            try:
                if message[0] & HEADERS:
                    _allow_seconds(seconds)
                    rate, channels, frames = decode.header_of(descriptor)
                    connection.sendall(ANSWER.pack(SAMPLES, 0, rate, frames, channels, 0, 0.0, 0))
                elif used is not None:
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
        connection.sendall(ANSWER.pack(ASK_AGAIN, 0, 0, 0, 0, 0, 0.0, 0))
        return None
    try:
        found = decoded(room[used:])
    except decode.AudioError as error:
        if used and error.reason is decode.BadAudioReason.TOO_LARGE:
            connection.sendall(ANSWER.pack(ASK_AGAIN, 0, 0, 0, 0, 0, 0.0, 0))
            return None
        text = json.dumps([error.reason.value, error.detail]).encode()
        connection.sendall(ANSWER.pack(ERROR, 0, 0, 0, 0, len(text), 0.0, 0) + text)
        return used
    note = found.note.encode()
    shape = found.samples.shape
    answer = ANSWER.pack(SAMPLES, used, found.sample_rate, *shape, len(note), found.missing, found.bits)
    connection.sendall(answer + note)
    return used + int(found.samples.size)


def _unpack_members(
    connection: socket.socket, seconds: float, archive: types.ModuleType, opened: dict[str, int]
) -> None:
    """Write the bytes of each member that is asked for, in pieces."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(connection, MOST_DESCRIPTION, 1)
        if not message or len(descriptors) != 1:
            return
        _allow_seconds(seconds)
        part = archive.Part(**json.loads(message))
        opened[part.place] = descriptors[0]
        try:
            for piece in archive.part_pieces(part):
                connection.sendall(PIECE.pack(DATA, len(piece)))
                connection.sendall(piece)
            connection.sendall(PIECE.pack(DONE, 0))
        except archive.AudioError as error:
            _fail(connection, error.reason.value, error.detail)
        except MemoryError:
            _fail(connection, archive.BadAudioReason.TOO_LARGE.value, "unpacking it takes more memory than the limit")
        finally:
            del opened[part.place]
            os.close(descriptors[0])


def _fail(connection: socket.socket, reason: str, detail: str) -> None:
    text = json.dumps([reason, detail]).encode()
    connection.sendall(PIECE.pack(FAILED, len(text)) + text)


def _decoder(
    descriptors: list[int], megabytes: int, seconds: float, decode: types.ModuleType, confine: Callable[[], object]
) -> None:
    shared = mmap.mmap(descriptors[1], 0)
    _limit(megabytes)
    room = decode.np.frombuffer(shared, dtype="f4")
    held = _Held(decode, importlib.import_module("spectronorm.audio.decoding.recording"))
    with socket.socket(fileno=descriptors[0]) as connection:
        confine()
        _decode_files(connection, room, seconds, decode, held)


def _unpacker(descriptors: list[int], megabytes: int, seconds: float, confine: Callable[[], object]) -> None:
    archive = importlib.import_module("spectronorm.audio.places.archive")
    opened = importlib.import_module("spectronorm.audio.places.place").OPENED
    _limit(megabytes)
    with socket.socket(fileno=descriptors[0]) as connection:
        confine()
        _unpack_members(connection, seconds, archive, opened)


def _ended(process: int) -> int:
    """End a process that was forked here; returns its exit status."""
    os.kill(process, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def _fork_and_end(control: socket.socket, decode: types.ModuleType, confinement: types.ModuleType) -> None:
    """Fork confined processes and end them as requested, until the parent closes the socket.

    No other process waits for them, so their process ids stay theirs until then.
    """
    server = os.getpid()
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, REQUEST.size, 2)
        if len(message) != REQUEST.size:
            return
        kind, process, megabytes, seconds = REQUEST.unpack(message)
        if kind == END:
            control.sendall(REPLY.pack(_ended(process)))
            continue
        process = os.fork()
        if process == 0:
            control.close()
            confinement.end_with(server)
            if kind == FFMPEG_DECODER:
                decode.prepare_confined(ffmpeg=True)
            if kind != UNPACKER:
                _decoder(descriptors, megabytes, seconds, decode, confinement.confine)
            else:
                _unpacker(descriptors, megabytes, seconds, confinement.confine)
            return
        for descriptor in descriptors:
            os.close(descriptor)
        control.sendall(REPLY.pack(process))


def main() -> None:
    """Serve until the parent closes the socket."""
    settings = json.loads(sys.argv[1])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    sys.path[:] = settings["path"]
    decode = _load_decode(settings["folder"])
    decode.prepare_confined(ffmpeg=False)
    importlib.import_module("spectronorm.audio.decoding.recording")
    confinement = importlib.import_module("spectronorm.audio.decoding.confinement")
    confinement.Undumpable().hold()  # for the processes that it forks as well
    with socket.socket(fileno=settings["socket"]) as control:
        _fork_and_end(control, decode, confinement)


if __name__ == "__main__":
    main()
