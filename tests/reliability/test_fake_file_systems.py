"""Commands on file systems and in containers that lack system calls, by a library loaded before all others."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from .attack import tree
from .conftest import write_clips

COMPILER = next((name for name in ("cc", "gcc", "clang") if shutil.which(name)), None)
pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the library replaces calls of Linux"),
    pytest.mark.skipif(COMPILER is None, reason="no C compiler is installed to build the library"),
]
FRONT_END = ["--sample-rate", "8000", "--n-fft", "256", "--n-mels", "20"]
COMMANDS = [
    ["fit", "clips", "-o", "p.st", *FRONT_END],
    ["fit", "clips.tar.gz", "-o", "untrusted.st", "--untrusted", *FRONT_END],
    ["apply", "clips", "-p", "p.st", "--normalize", "band", "-o", "applied"],
    ["images", "clips", "-p", "p.st", "-o", "images"],
    ["invert", "images", "-o", "sounds", "--quality", "fast"],
    ["update", "p.st", "clips", "-o", "p2.st"],
    ["watch", "clips", "-p", "p.st", "--state", "state.st", "--once", "--window", "8"],
]
"""Commands for every way to write: a file, a folder with and without a journal, and a state."""
_SCRIPT = """
import ctypes, fcntl, json, os, sys
os.chdir(sys.argv[1])
from spectronorm.cli.app import app
for command in json.loads(sys.argv[2]):
    try:
        app(command, standalone_mode=False)
    except SystemExit as error:
        if error.code not in (None, 0):
            sys.exit(f"{' '.join(command)}: exit code {error.code}")
"""
_REALLY = """
import errno, fcntl, os
calls = {"FAKE_FLOCK": lambda: fcntl.flock(0, fcntl.LOCK_SH), "FAKE_MEMFD": lambda: os.memfd_create("x"),
         "FAKE_FSYNC": lambda: os.fsync(os.open("/", os.O_RDONLY))}
for name, call in calls.items():
    if name in os.environ:
        try:
            call()
        except OSError as error:
            assert error.errno == int(os.environ[name])
        else:
            raise AssertionError(name)
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library, compiled here."""
    built = tmp_path_factory.mktemp("library") / "fake_system_calls.so"
    source = Path(__file__).with_name("fake_system_calls.c")
    assert COMPILER is not None
    done = subprocess.run(
        [COMPILER, "-shared", "-fPIC", "-o", str(built), str(source), "-ldl"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"the library cannot be compiled here: {done.stderr[:200]}")
    return built


def results(folder: Path, **environment: str) -> dict[str, bytes]:
    """Every file that the commands leave, in a folder of the same name."""
    source = folder / "place"
    write_clips(source / "clips", 12)
    with tarfile.open(source / "clips.tar.gz", "w:gz") as archive:
        archive.add(source / "clips", ".")
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(source), json.dumps(COMMANDS)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Errno" not in done.stderr
    shutil.rmtree(source / "clips")
    (source / "clips.tar.gz").unlink()
    return tree(source)


@pytest.fixture(scope="module")
def wanted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the commands leave where nothing is missing."""
    return results(tmp_path_factory.mktemp("sound"))


@pytest.mark.parametrize(
    ("call", "number"),
    [
        ("FAKE_FLOCK", errno.ENOSYS),
        ("FAKE_FLOCK", errno.ENOLCK),
        ("FAKE_FLOCK", errno.EOPNOTSUPP),
        ("FAKE_FSYNC", errno.EINVAL),
        ("FAKE_MEMFD", errno.ENOSYS),
    ],
    ids=["flock-ENOSYS", "flock-ENOLCK", "flock-EOPNOTSUPP", "fsync-EINVAL", "memfd_create-ENOSYS"],
)
def test_every_command_ends_well_without_a_system_call(
    call: str, number: int, library: Path, wanted: dict[str, bytes], tmp_path: Path
) -> None:
    """Lustre, NFS, FUSE, CIFS and filtered containers: the files of any other place, and nothing is left over."""
    environment = {call: str(number), "LD_PRELOAD": str(library)}
    subprocess.run([sys.executable, "-c", _REALLY], env={**os.environ, **environment}, check=True)
    found = results(tmp_path, **environment)
    assert found.keys() == wanted.keys()
    # A state holds when each file was written.
    assert [name for name in found if found[name] != wanted[name]] in ([], ["state.st"])
