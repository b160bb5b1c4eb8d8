"""Bytes of every format changed, cut, repeated and spliced: an error of our family, or a sound thing.

`make mutations RUNS=100000` makes more of them than the suite does; the same seed makes the same ones.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

import spectronorm

from .bounds import TookTooLong, bounded, timed
from .compiled import compiled_modules
from .readers import read_or_refuse, sound_inputs

RUNS = int(os.environ.get("SPECTRONORM_MUTATIONS", "1300"))
INPUTS = sound_inputs()
ODD_BYTES = (
    b"\0",
    b"\xff",
    b"\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"1e999",
    b"NaN",
    b"[" * 50,
    b"{",
    b'"',
    b"null",
    b"-",
)


def flip(data: bytearray, draw: random.Random) -> None:
    """One bit."""
    data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)


def put(data: bytearray, draw: random.Random) -> None:
    """A random byte, or odd ones, over or between what is there."""
    at = draw.randrange(len(data))
    odd = draw.choice((*ODD_BYTES, bytes([draw.randrange(256)])))
    data[at : at + draw.choice((0, len(odd)))] = odd


def cut(data: bytearray, draw: random.Random) -> None:
    """A stretch left out."""
    at = draw.randrange(len(data))
    del data[at : at + draw.randrange(1, 40)]


def repeat(data: bytearray, draw: random.Random) -> None:
    """A stretch twice."""
    at = draw.randrange(len(data))
    data[at:at] = data[at : at + draw.randrange(1, 40)]


def number(data: bytearray, draw: random.Random) -> None:
    """A digit of a text made another, or many."""
    digits = [at for at, byte in enumerate(data) if 48 <= byte <= 57]
    if digits:
        at = draw.choice(digits)
        data[at : at + 1] = draw.choice((b"9" * 30, b"-1", b"0", b"7", b"1e308", b'"a"'))


CHANGES: tuple[Callable[[bytearray, random.Random], None], ...] = (flip, put, cut, repeat, number)


@pytest.mark.parametrize("name", INPUTS)
def test_a_sound_file_is_read(name: str) -> None:
    """What the mutations start from."""
    assert read_or_refuse(*INPUTS[name])


@pytest.mark.parametrize("name", INPUTS)
def test_a_mutated_file_is_read_or_refused(name: str) -> None:
    """One to four changes of any kind: each is read or refused within 256 MB and 10 s of processor time."""
    reader, sound = INPUTS[name]
    draw = random.Random(name)  # noqa: S311
    refused = 0
    for _ in range(max(1, RUNS // len(INPUTS))):
        data = bytearray(sound)
        for _ in range(draw.randint(1, 4)):
            if data:
                draw.choice(CHANGES)(data, draw)
        try:
            with warnings.catch_warnings(), bounded(), timed():
                warnings.simplefilter("ignore", UserWarning)  # numpy remarks on headers of Python 2
                refused += not read_or_refuse(reader, bytes(data))
        except (Exception, TookTooLong) as error:
            pytest.fail(f"{name}: {type(error).__name__}: {error} for {bytes(data)[:2000]!r}")
    assert refused or reader == "sound", "a length that is claimed too large is noted, not refused"


def test_the_bounds_hold() -> None:
    """A gigabyte cannot be had, and a loop ends, though it catches every exception."""
    if not Path("/proc/self/statm").exists():
        pytest.skip("memory is not bounded here")
    with bounded(), pytest.raises(MemoryError):
        bytearray(1 << 30)
    assert len(bytearray(1 << 30)) == 1 << 30

    def endless() -> None:
        while True:
            with suppress(Exception):
                sum(range(1000))

    with pytest.raises(TookTooLong), timed(0.1):
        endless()


def test_every_kernel_is_left_alone_by_the_fuzzer() -> None:
    """Each function that numba compiles, found where it lies after everything was imported, is in a module listed."""
    listed = set(compiled_modules())
    kernels = {
        kernel.__module__
        for name, module in list(sys.modules.items())
        if name.startswith("spectronorm.")
        for kernel in vars(module).values()
        if hasattr(kernel, "py_func") or type(kernel).__module__ == "spectronorm.kernels.jit"
    }
    assert len(kernels) > 5
    assert kernels <= listed


STUB = """
import contextlib, sys, types
stub = types.ModuleType("atheris")
stub.instrument_imports = lambda include, exclude: contextlib.nullcontext()
stub.Setup = lambda argv, one: [one(bytes([n]) + b"x") for n in range(20)] + [one(b"")]
stub.Fuzz = lambda: print("fuzzed")
sys.modules["atheris"] = stub
from reliability import fuzz
sys.argv = ["fuzz", sys.argv[1]]
fuzz.main()
"""


def test_the_fuzzer_starts(tmp_path: Path) -> None:
    """With a stand-in for atheris: the module imports, writes its seeds and reads inputs of every reader."""
    tests = Path(__file__).parents[1]
    command = [sys.executable, "-c", STUB, str(tmp_path / "seeds")]
    here = {**os.environ, "PYTHONPATH": str(Path(spectronorm.__file__).parents[1])}
    done = subprocess.run(command, cwd=tests, env=here, capture_output=True, text=True, check=False)
    assert done.stdout == "fuzzed\n", done.stderr
    assert len(list((tmp_path / "seeds").iterdir())) == len(INPUTS)
