"""`spectronorm explore` as a command: its address, its end, and what it refuses."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from typer.testing import CliRunner

pytest.importorskip("uvicorn")

import spectronorm as sn
from explore.cases import tones
from spectronorm.cli.app import app

FRONT_END = sn.FrontEnd(16_000, bands=sn.Mel(16))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tones(tmp_path / "tones", 3)


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command, and the line that it prints."""
    command = [sys.executable, "-m", "spectronorm", "explore", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline()
        finally:
            process.kill()


def said(port: int, request: str) -> str:
    """The answer to a request, byte for byte as it is written here."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request.encode("latin-1"))
        answer = b""
        while part := connection.recv(1 << 16):
            answer += part
    return answer.decode("latin-1")


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_the_command_serves_this_machine_until_it_is_stopped(folder: Path) -> None:
    """The address answers on 127.0.0.1 alone, to its own host alone, and Ctrl-C ends the command with 0."""
    with running(str(folder)) as (process, line):
        assert line.startswith("4 clips: http://127.0.0.1:")
        place = urlsplit(line.split()[2])
        port = place.port or 0
        own = f"Host: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
        assert said(port, f"GET {place.path} HTTP/1.1\r\n{own}").startswith("HTTP/1.1 200")
        assert (
            said(port, f"GET {place.path}about HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")[9:12]
            == "400"
        )
        assert said(port, f"GET {place.path}about HTTP/1.0\r\n\r\n")[9:12] == "400"
        assert said(port, f"GET {place.path}../../../../etc/passwd HTTP/1.1\r\n{own}")[9:12] == "404"
        assert said(port, f"GET {place.path}..%2f..%2fetc%2fpasswd HTTP/1.1\r\n{own}")[9:12] == "404"
        assert said(port, f"POST {place.path}about HTTP/1.1\r\nContent-Length: 0\r\n{own}")[9:12] == "405"
        assert said(port, f"GET http://evil.example/ HTTP/1.1\r\n{own}")[9:12] == "404"
        assert "server:" not in said(port, f"GET {place.path} HTTP/1.1\r\n{own}").lower()
        with pytest.raises(OSError, match=r"refused|unreachable|timed out"):
            socket.create_connection((_other_address(), port), timeout=2)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c_ends_the_command_as_soon_as_it_has_said_its_address(folder: Path) -> None:
    """Threads that import their kernels at that moment do not wait for a lock that the interrupt left behind."""
    for _ in range(4):
        with running(str(folder)) as (process, line):
            assert "(Ctrl-C ends)" in line
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0


def _other_address() -> str:
    """Another address of this machine's loopback network, which a server on all addresses would answer."""
    return "127.0.0.2"


def refusal(*arguments: str) -> str:
    run = CliRunner().invoke(app, ["explore", *arguments])
    assert run.exit_code == 2, run.output
    return run.output


def test_what_cannot_be_explored_is_refused_in_words(folder: Path, tmp_path: Path) -> None:
    """A pipeline, a third profile, options beside a profile, another front end, and a port that is taken."""
    profile = sn.fit(folder, FRONT_END, max_bad=0.5)
    path, other, pipeline = (str(tmp_path / name) for name in ("a.safetensors", "b.safetensors", "c.safetensors"))
    profile.save(path)
    sn.fit(folder, sn.FrontEnd(16_000, bands=sn.Mel(20)), max_bad=0.5).save(other)
    sn.Pipeline(FRONT_END, sn.Standardize().fit(profile)).save(pipeline)
    assert "is a saved pipeline" in refusal(str(folder), "-p", pipeline)
    assert "given 3 times" in refusal(str(folder), "-p", path, "-p", path, "-p", path)
    assert "leave out the options" in refusal(str(folder), "-p", path, "--n-mels", "64")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert "choose another one" in refusal(str(folder), "-p", path, "--port", str(taken.getsockname()[1]))
    run = CliRunner().invoke(app, ["explore", str(folder), "-p", path, "-p", other])
    assert run.exit_code == 1
    assert "b.safetensors was made by another front end (bands.n_mels: 16 here, 20 there)" in run.output


def test_a_missing_extra_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [
        name for name in sys.modules if name.startswith(("spectronorm.explore.serve", "spectronorm.explore.coll"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    run = CliRunner().invoke(app, ["explore", str(folder)])
    assert run.exit_code == 1
    assert 'pip install ".[explore]"' in run.output


def test_the_first_picture_loads_neither_numba_nor_images(folder: Path) -> None:
    """The first clip is shown without numba, Pillow and rich, which take long to import, and has the same bytes."""
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from explore.cases import collection\n"
        "import spectronorm as sn\n"
        "import spectronorm.cli.explore, spectronorm.explore.serve\n"
        "front_end = sn.FrontEnd(16_000, bands=sn.Mel(16))\n"
        f"shown = collection(Path({str(folder)!r}), front_end)\n"
        "level = shown.level(0)\n"
        "print(sorted({'numba', 'PIL', 'rich.console'} & set(sys.modules)))\n"
        "samples = sn.read(shown.clips[0].location, 16_000)\n"
        "print(front_end.clip_level(samples).astype('<f4').tobytes() == level, 'numba' in sys.modules)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.splitlines() == ["[]", "True True"]
