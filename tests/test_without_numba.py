"""Nothing breaks where kernels cannot be compiled or kept: a run is slower, and its bytes are the same."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import spectronorm as sn
from spectronorm.demo.dataset import make_dataset
from spectronorm.errors import KernelWarning
from spectronorm.kernels import jit, sums

_BLOCK = """
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if any(name == one or name.startswith(one + ".") for one in {blocked!r}):
            raise {error}("this installation is broken")

import sys
sys.meta_path.insert(0, Blocker())
"""
_FIT = """
import sys
from pathlib import Path
import spectronorm as sn

source, output = Path(sys.argv[1]), Path(sys.argv[2])
for name, resampler in (("fastaudio", "soxr_hq"), ("whisper", "soxr_hq"), ("vggish", "overlap_save")):
    front_end = sn.FrontEnd.from_dict(sn.preset(name).to_dict() | {"resampler": resampler})
    sn.fit(source, front_end, engine=sn.engines.ThreadEngine(2), max_bad=1.0).save(output / f"{name}.st")
sliding = sn.FrontEnd(8_000, level=sn.waveform.SlidingStandardizeWaveform(800), bands=sn.Mel(20))
sn.fit(source, sliding, engine=sn.engines.ThreadEngine(2), max_bad=1.0).save(output / "sliding.st")
"""
_LEVEL = """
import hashlib
import numpy as np
import spectronorm as sn

wave = np.random.default_rng(0).standard_normal(8_000).astype(np.float32)
print(hashlib.sha256(sn.FrontEnd().clip_level(wave).tobytes()).hexdigest())
"""


def run(program: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", program, *map(str, arguments)],
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"} | environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few seconds of the demo's sounds."""
    return make_dataset(tmp_path_factory.mktemp("sounds"), clips_per_kind=1)


@pytest.fixture(scope="module")
def expected(source: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The profiles that compiled kernels make."""
    return profiles(source, tmp_path_factory.mktemp("compiled"), _FIT)[0]


def profiles(source: Path, output: Path, program: str, **environment: str) -> tuple[dict[str, bytes], str]:
    done = run(program, source, output, **environment)
    return {path.name: path.read_bytes() for path in sorted(output.iterdir())}, done.stderr


BROKEN = {
    "no numba": ("numba", "ImportError"),
    "no llvmlite": ("llvmlite", "OSError"),
    "numba without its extension points": ("numba.extending", "AttributeError"),
    "a compiler that fails": ("numba.core.compiler", "RuntimeError"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_profile_without_numba_has_the_same_bytes(
    what: str, source: Path, expected: dict[str, bytes], tmp_path: Path
) -> None:
    """Whatever part of numba is missing or broken: NumPy counts the same integers, and one note says so."""
    blocked, error = BROKEN[what]
    found, stderr = profiles(source, tmp_path, _BLOCK.format(blocked=(blocked,), error=error) + _FIT)
    assert found == expected
    assert stderr.count("KernelWarning") == 1


def test_numbas_own_switch_is_obeyed(source: Path, expected: dict[str, bytes], tmp_path: Path) -> None:
    """NUMBA_DISABLE_JIT=1 runs NumPy."""
    found, stderr = profiles(source, tmp_path, _FIT, NUMBA_DISABLE_JIT="1")
    assert found == expected
    assert "NUMBA_DISABLE_JIT" in stderr


def test_internals_of_numba_may_go(tmp_path: Path) -> None:
    """Without the modules that are only patched to save memory, numba compiles as ever and nothing is said."""
    blocked = _BLOCK.format(blocked=("numba.np.linalg",), error="ImportError")
    assert run(blocked + "import spectronorm").stderr == ""


def test_the_command_says_it_in_one_line(source: Path, tmp_path: Path) -> None:
    """`spectronorm fit` without numba: one note, exit code 0."""
    program = _BLOCK.format(blocked=("numba",), error="ImportError") + "from spectronorm.cli import main\nmain()"
    done = run(program, "fit", source, "-o", tmp_path / "o.st", "--max-bad", "1.0")
    assert done.stderr.count("numba cannot be used") == 1
    assert "KernelWarning" not in done.stderr


def test_a_kernel_that_cannot_be_compiled_is_given_up_once() -> None:
    """The plain function runs from then on; an error of compiled code passes through and gives nothing up."""

    def compiled(x: int) -> int:
        return 10 // x

    def plain(x: int) -> int:
        return 10 // x

    def load_badly() -> object:
        raise AttributeError("numba has no such thing")

    good = jit.Kernel(lambda: jit.njit()(compiled), plain, "good")
    assert good(5) == 2
    with pytest.raises(ZeroDivisionError):
        good(0)
    assert good._run is not plain
    bad: jit.Kernel[[int], int] = jit.Kernel(load_badly, plain, "bad")  # type: ignore[arg-type]
    jit._said.clear()
    with pytest.warns(KernelWarning, match="the kernel bad cannot be compiled"):
        assert bad(5) == 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert bad(2) == 5


def read_only_package(folder: Path) -> Path:
    """A copy of the package in whose folders nobody, root included, can make a folder for a cache."""
    package = Path(sn.__file__).parent
    shutil.copytree(package, folder / "spectronorm", ignore=shutil.ignore_patterns("__pycache__"))
    for path in [folder / "spectronorm", *(folder / "spectronorm").rglob("*")]:
        if path.is_dir():
            (path / "__pycache__").write_text("")
    return folder


def test_kernels_that_cannot_be_kept_are_compiled_anew(tmp_path: Path) -> None:
    """A read-only installation without a home: the import works, the level is the same, and one note says why."""
    package = read_only_package(tmp_path)
    homeless = {"HOME": "/proc", "XDG_CACHE_HOME": "/proc/cache", "LOCALAPPDATA": "/proc", "NUMBA_CACHE_DIR": ""}
    done = run(_LEVEL, PYTHONPATH=str(package), **homeless)
    assert done.stdout == run(_LEVEL).stdout
    assert done.stderr.count("KernelWarning") == 1
    assert "NUMBA_CACHE_DIR" in done.stderr
    assert run("import spectronorm", PYTHONPATH=str(package), **homeless).stderr == ""


def damage(folder: Path) -> int:
    """Empty, cut, zero or flip the files of a cache, one after the other."""
    files = sorted(path for path in folder.rglob("*.nb?"))
    for i, path in enumerate(files):
        data = path.read_bytes()
        middle = len(data) // 2
        flipped = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
        path.write_bytes([b"", data[:middle], bytes(len(data)), flipped][(i // 2) % 4])
    return len(files)


def test_a_damaged_cache_is_begun_anew(tmp_path: Path) -> None:
    """Files that a power cut or a bad disk left: compiled again without a word, and sound from then on."""
    cache = {"NUMBA_CACHE_DIR": str(tmp_path)}
    first = run(_LEVEL, **cache)
    assert damage(tmp_path) >= 6
    second = run(_LEVEL, **cache)
    assert (second.stdout, second.stderr) == (first.stdout, "")
    third = run(_LEVEL, NUMBA_DEBUG_CACHE="1", **cache)
    assert first.stdout.strip() in third.stdout
    assert "data saved" not in third.stdout
    assert "data loaded" in third.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
def test_a_full_cache_is_left_out(tmp_path: Path) -> None:
    """Where nothing can be written, kernels are compiled in memory, and one note says so."""
    limit = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
    done = run(limit + _LEVEL, NUMBA_CACHE_DIR=str(tmp_path))
    assert done.stdout == run(_LEVEL).stdout
    assert done.stderr.count("KernelWarning") == 1


@given(
    samples=st.integers(1, 300),
    offset=st.sampled_from([0.0, 0.5, 1e6]),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_sums_have_one_order(samples: int, offset: float, dtype: type) -> None:
    """The compiled sums and NumPy's have the same bits, for every length of what is left over."""
    wave = (offset + np.random.default_rng(samples).standard_normal(samples)).astype(dtype)
    room = np.empty(8)
    assert sums._sum(wave, 0.1, room) == sums._sum.plain(wave, 0.1, room)
    assert sums._squares(wave, 0.1, room) == sums._squares.plain(wave, 0.1, room)
    np.testing.assert_allclose(sums.mean_of(wave), wave.astype(np.float64).mean(), rtol=1e-12, atol=1e-15)


_MOMENTS = """
import numpy as np
from spectronorm.kernels import sums

random = np.random.default_rng(0)
waves = [random.standard_normal(n).astype(np.float32) for n in random.integers(100, 9000, 100)]
print([(sums.mean_of(w).hex(), sums.mean_square(w, 0.1).hex()) for w in waves])
"""


def test_sums_have_the_same_bits_on_other_machines(tmp_path: Path) -> None:
    """A processor with narrow vectors adds in the order of one with wide vectors."""
    narrow = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "NUMBA_CACHE_DIR": str(tmp_path)}
    assert run(_MOMENTS, **narrow).stdout == run(_MOMENTS).stdout
