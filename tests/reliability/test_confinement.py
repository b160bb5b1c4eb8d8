"""Confinement of the decoding process: hostile code in place of a decoder reaches nothing outside of it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from spectronorm.audio.decoding import confinement, pool, sandbox
from spectronorm.audio.decoding.confinement import Confinement, available
from spectronorm.audio.decoding.memory_file import seal_size, unnamed_file

pytestmark = pytest.mark.skipif(not available().complete, reason="this system has no Landlock or no seccomp filters")

ACTIONS = {
    "read a file": "open(SECRET).read()",
    "read the parent's environment": "open(f'/proc/{PARENT}/environ', 'rb').read()",
    "write into the parent's memory": "open(f'/proc/{PARENT}/mem', 'r+b')",
    "open the parent's standard output": "open(f'/proc/{PARENT}/fd/1', 'wb')",
    "create a file": "open(FOLDER + '/new', 'w')",
    "truncate a file": "os.truncate(SECRET, 0)",
    "remove a file": "os.unlink(SECRET)",
    "rename a file": "os.rename(SECRET, SECRET + '.new')",
    "link to a file": "os.symlink(SECRET, FOLDER + '/link')",
    "link a file hard": "os.link(SECRET, FOLDER + '/hard')",
    "change rights": "os.chmod(SECRET, 0o777)",
    "make a folder": "os.mkdir(FOLDER + '/folder')",
    "list a folder": "os.listdir(FOLDER)",
    "fork": "os.fork()",
    "start a program": "os.execv('/bin/true', ['true'])",
    "connect": "socket.create_connection(('127.0.0.1', PORT), timeout=2)",
    "make a Unix socket": "socket.socket(socket.AF_UNIX)",
    "signal the parent": "os.kill(PARENT, 0)",
    "trace the parent": "assert libc.ptrace(16, PARENT, 0, 0) == 0",
    "read the parent's memory by call": "assert libc.process_vm_readv(PARENT, 0, 0, 0, 0, 0) >= 0",
    "set the parent's limits": "resource.prlimit(PARENT, resource.RLIMIT_CPU)",
    "map executable memory": "mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)",
    "start a thread": "threading.Thread(target=print).start()",
    "get privileges back": "assert libc.prctl(38, 0, 0, 0, 0) == 0",
    "own signals of a socket": "fcntl.fcntl(HELD, 8, PARENT)",
    "reopen a descriptor for writing": "open(f'/proc/self/fd/{HELD}', 'r+b')",
}
HARMLESS = {
    "read what is open": "os.lseek(HELD, 0, 0); assert os.read(HELD, 6) == b'secret'",
    "allocate": "bytearray(1 << 24)",
    "read the clock": "time.monotonic(); time.sleep(0.001)",
}
_HEAD = """
import ctypes, fcntl, importlib.util, json, mmap, os, resource, socket, sys, threading, time
spec = importlib.util.spec_from_file_location("confinement", sys.argv[1])
confinement = importlib.util.module_from_spec(spec)
sys.modules["confinement"] = confinement
spec.loader.exec_module(confinement)
globals().update(json.loads(sys.argv[2]))
libc = ctypes.CDLL(None, use_errno=True)
HELD = os.open(SECRET, os.O_RDONLY)
assert confinement.confine().complete
found = {}
for name, code in json.loads(sys.argv[3]).items():
    try:
        exec(code)
        found[name] = "succeeded"
    except BaseException as error:
        found[name] = type(error).__name__
print(json.dumps(found), flush=True)
os._exit(0)
"""


def outcomes(actions: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """Each action and what became of it in a confined process."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    with socket.create_server(("127.0.0.1", 0)) as server:
        given = {"SECRET": str(secret), "FOLDER": str(tmp_path), "PARENT": os.getpid(), "PORT": server.getsockname()[1]}
        done = subprocess.run(
            [sys.executable, "-c", _HEAD, confinement.__file__, json.dumps(given), json.dumps(actions)],
            capture_output=True,
            check=True,
            text=True,
            timeout=60,
        )
    assert secret.read_bytes() == b"secret"
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]
    assert secret.stat().st_mode & 0o777 != 0o777
    return dict(json.loads(done.stdout))


def test_hostile_code_reaches_nothing(tmp_path: Path) -> None:
    """Every action outside the process is refused: files, network, processes, memory, privileges."""
    found = outcomes(ACTIONS, tmp_path)
    assert {name for name, outcome in found.items() if outcome == "succeeded"} == set()


def test_decoding_can_still_do_its_work(tmp_path: Path) -> None:
    """What a decoder needs is allowed, so that the refusals above mean something."""
    assert set(outcomes(HARMLESS, tmp_path).values()) == {"succeeded"}


def test_each_mechanism_holds_without_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Landlock alone keeps files whole on a kernel without seccomp, and the filter alone on one without Landlock."""
    files = {name: code for name, code in ACTIONS.items() if "FOLDER" in code and "chmod" not in code}
    for switched_off in ("_forbid_files_and_network", "_allow_few_calls"):
        head = _HEAD.replace(
            "assert confinement.confine().complete",
            f"confinement.{switched_off} = lambda: False\nconfinement.confine()",
        )
        monkeypatch.setattr(sys.modules[__name__], "_HEAD", head)
        assert "succeeded" not in outcomes(files, tmp_path).values()
        monkeypatch.undo()


@pytest.mark.parametrize("ffmpeg", [False, True])
def test_the_decoder_that_readers_use_is_confined(monkeypatch: pytest.MonkeyPatch, *, ffmpeg: bool) -> None:
    """The real decoding process runs under a filter, cannot gain privileges, and has none of our environment."""
    monkeypatch.setenv("SPECTRONORM_TEST_TOKEN", "a token")
    decoder = sandbox._Decoder(sandbox.Limits(), ffmpeg=ffmpeg)
    try:
        file = unnamed_file()
        decoder.ask([sandbox.Asked(file)])  # an empty file, which is answered with an error
        assert decoder.answer(sandbox._new_memory, first=True) is not None
        os.close(file)
        folder = Path(f"/proc/{decoder.pid}")
        status = dict(line.split(":\t", 1) for line in (folder / "status").read_text().splitlines() if ":\t" in line)
        assert (status["Seccomp"], status["NoNewPrivs"]) == ("2", "1")
        names = {entry.split(b"=")[0] for entry in (folder / "environ").read_bytes().split(b"\0") if entry}
        assert names <= {b"OPENBLAS_NUM_THREADS", b"OMP_NUM_THREADS", b"LD_LIBRARY_PATH", b"LC_CTYPE"}
    finally:
        decoder.kill()
        pool.close_decoders()


def test_the_parent_is_not_dumpable_while_decoders_live() -> None:
    """Its memory is closed to other processes of the user until the decoders are gone."""
    libc = confinement._libc()
    before = libc.prctl(3, 0, 0, 0, 0)
    holder = confinement.Undumpable()
    holder.hold()
    holder.hold()
    assert libc.prctl(3, 0, 0, 0, 0) == 0
    holder.release()
    assert libc.prctl(3, 0, 0, 0, 0) == before


def test_shared_memory_cannot_be_shrunk_under_the_parent() -> None:
    """A decoder that shrank it would end the parent with SIGBUS."""
    file = unnamed_file()
    os.ftruncate(file, 4096)
    seal_size(file)
    for size in (0, 8192):
        with pytest.raises(PermissionError):
            os.ftruncate(file, size)
    os.close(file)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Confinement(landlock=True, seccomp=True), "confined by Landlock and seccomp"),
        (Confinement(landlock=False, seccomp=True), "no Landlock"),
        (Confinement(landlock=True, seccomp=False), "no seccomp"),
        (Confinement(landlock=False, seccomp=False), "could read and change files"),
    ],
)
def test_what_is_missing_is_said(found: Confinement, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system without a mechanism is told of at the start, once."""
    assert words in str(found)
    monkeypatch.setattr(pool, "available", lambda: found)
    pool.say_what_is_missing.cache_clear()
    if found.complete:
        pool.say_what_is_missing()
    else:
        with pytest.warns(RuntimeWarning, match=words):
            pool.say_what_is_missing()
        pool.say_what_is_missing()
    pool.say_what_is_missing.cache_clear()
