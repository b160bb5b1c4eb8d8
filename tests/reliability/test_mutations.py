"""Bytes of every format changed, cut, repeated and spliced: an error of our family, or a sound thing.

`make mutations RUNS=100000` makes more of them than the suite does; the same seed makes the same ones.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import warnings
from contextlib import suppress
from pathlib import Path

import pytest

import spectronorm

from .bounds import TookTooLong, bounded, timed
from .compiled import compiled_modules
from .mutations import mutated
from .readers import read_or_refuse, sound_inputs

RUNS = int(os.environ.get("SPECTRONORM_MUTATIONS", "1300"))
INPUTS = sound_inputs()


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
        data = mutated(sound, draw)
        try:
            with warnings.catch_warnings(), bounded(), timed():
                warnings.simplefilter("ignore", UserWarning)  # numpy remarks on headers of Python 2
                refused += not read_or_refuse(reader, data)
        except (Exception, TookTooLong) as error:
            pytest.fail(f"{name}: {type(error).__name__}: {error} for {data[:2000]!r}")
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
    done = fuzzed(STUB, tmp_path / "seeds")
    assert done.stdout == "fuzzed\n", done.stderr
    assert len(list((tmp_path / "seeds").iterdir())) == len(INPUTS)


WITHOUT = """
import sys
sys.modules["atheris"] = None
from reliability import fuzz
if sys.argv[2:]:
    fuzz.read_or_refuse = lambda reader, data: 1 / 0
sys.argv = ["fuzz", sys.argv[1], "-max_total_time=1", "-rss_limit_mb=2048"]
fuzz.main()
"""


def test_without_atheris_inputs_are_changed_at_random(tmp_path: Path) -> None:
    """It is said in one sentence, the time is kept, and a finding ends it with the file that shows it."""
    done = fuzzed(WITHOUT, tmp_path / "seeds")
    assert done.returncode == 0, done.stderr
    first, last = done.stdout.splitlines()
    assert "atheris is not installed" in first
    assert int(last.split()[0]) > 0
    done = fuzzed(WITHOUT, tmp_path / "seeds", "broken")
    assert done.returncode == 1
    (finding,) = (tmp_path / "seeds").glob("crash-*")
    assert finding.name in done.stderr


def fuzzed(program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """The fuzzer in a process of its own."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    here = {**os.environ, "PYTHONPATH": str(Path(spectronorm.__file__).parents[1])}
    tests = Path(__file__).parents[1]
    return subprocess.run(command, cwd=tests, env=here, capture_output=True, text=True, check=False)
