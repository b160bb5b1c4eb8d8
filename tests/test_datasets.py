"""Data sets are fetched whole or not at all, go on where they were cut off, and are what was published."""

from __future__ import annotations

import hashlib
import io
import json
import os
import socket
import threading
import wave
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import spectronorm as sn
from spectronorm.cli.app import app
from spectronorm.datasets import DATASETS, get
from spectronorm.datasets.verify import verify_blobs, verify_labelled_waves
from spectronorm.errors import ArgumentError

COUNT, SAMPLES = 6, 400


def sounds() -> dict[str, bytes]:
    """Six waves, named as FSDD's are."""
    files = {}
    for index in range(COUNT):
        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(np.random.default_rng(index).integers(-9999, 9999, SAMPLES, np.int16).tobytes())
        files[f"{index % 2}_{'ab'[index // 3]}_{index}.wav"] = buffer.getvalue()
    return files


def _blob(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def digest(files: dict[str, bytes]) -> str:
    ids = {name: _blob(content) for name, content in files.items()}
    return hashlib.sha256("".join(f"{ids[name]} {name}\n" for name in sorted(files)).encode()).hexdigest()


def archive(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr("digits-1234/README.md", "about")
        packed.writestr("digits-1234/../../escaped.txt", "no")
        packed.writestr("digits-1234/tools/setup.py", "no")
        for name, content in files.items():
            packed.writestr(f"digits-1234/recordings/{name}", content)
    return buffer.getvalue()


def dataset(url: str, files: dict[str, bytes] | None = None) -> object:
    expected = digest(sounds() if files is None else files)
    verify = lambda folder: verify_blobs(folder, "recordings", expected, count=COUNT)  # noqa: E731
    return replace(DATASETS["fsdd"], name="digits", url=url, verify=verify)


@dataclass
class Server:
    """A web server that can cut connections, forget ranges and change its file."""

    content: bytes
    tag: str = '"one"'
    cuts: list[int] = field(default_factory=list)
    ranges: bool = True
    asked: list[str | None] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server(archive(sounds()))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            state.asked.append(asked)
            start = 0
            if asked and state.ranges and self.headers.get("If-Range") == state.tag:
                start = int(asked.removeprefix("bytes=").rstrip("-"))
            if self.path == "/missing":
                self.send_error(404)
                return
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(state.content) - 1}/{len(state.content)}")
            self.send_header("ETag", state.tag)
            self.send_header("Content-Length", str(len(state.content) - start))
            self.end_headers()
            stop = start + state.cuts.pop(0) if state.cuts else None
            self.wfile.write(state.content[start:stop])

        def log_message(self, *_: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    state.url = f"http://127.0.0.1:{httpd.server_address[1]}/digits.zip"
    yield state
    httpd.shutdown()
    httpd.server_close()


def test_what_is_fetched_is_laid_out_and_checked(server: Server, tmp_path: Path) -> None:
    """The folder holds the wanted members and a table that commands open; a second call only checks it."""
    seen: list[tuple[int, int]] = []
    got = get(dataset(server.url), tmp_path / "digits", progress=lambda *now: seen.append(now))
    assert got.fetched
    assert "all 6 files are those of the official repository" in got.checked
    assert seen[-1] == (len(server.content), len(server.content))
    source = sn.open_source(got.source)
    assert len(source) == COUNT
    assert [source.clips[0].columns[name] for name in ("label", "speaker", "official")] == ["0", "a", "test"]
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".wav") == [
        "README.md",
        "clips.csv",
    ]
    again = get(dataset(server.url), tmp_path / "digits")
    assert not again.fetched
    assert len(server.asked) == 1
    next((tmp_path / "digits" / "recordings").iterdir()).unlink()
    with pytest.raises(sn.errors.SourceError, match="5 files in place of 6; remove the folder"):
        get(dataset(server.url), tmp_path / "digits")


def test_a_cut_download_goes_on(server: Server, tmp_path: Path) -> None:
    """Cut twice, a download asks for the rest only; given up on, the next call goes on from what was kept."""
    server.cuts = [1000, 500]
    get(dataset(server.url), tmp_path / "a")
    assert server.asked == [None, "bytes=1000-", "bytes=1500-"]
    server.cuts, server.asked = [700, 0, 0, 0, 0], []
    with pytest.raises(
        sn.errors.SourceError, match="the connection was cut.*0.0 MB are kept, and repeating the command resumes there"
    ):
        get(dataset(server.url), tmp_path / "b")
    assert not (tmp_path / "b").exists()
    server.asked = []
    assert get(dataset(server.url), tmp_path / "b").fetched
    assert server.asked == ["bytes=700-"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_other_content_is_not_appended(server: Server, tmp_path: Path) -> None:
    """When the server has another file by now, or knows no ranges, a cut download begins anew."""
    for change in ({"tag": '"two"'}, {"ranges": False}):
        server.cuts = [1000, 0, 0, 0, 0]
        with pytest.raises(sn.errors.SourceError):
            get(dataset(server.url), tmp_path / "digits")
        for name, value in change.items():
            setattr(server, name, value)
        assert get(dataset(server.url), tmp_path / "digits").fetched
        for path in sorted((tmp_path / "digits").rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        (tmp_path / "digits").rmdir()


def test_wrong_content_is_refused(server: Server, tmp_path: Path) -> None:
    """A changed sound, a file too few, and what is no archive are refused, and nothing is left under the name."""
    files = sounds()
    name = next(iter(files))
    changed = {**files, name: files[name][:-1] + bytes([files[name][-1] ^ 1])}
    broken = archive(files)[:-200]
    cases = [
        (archive(changed), "differ from the published"),
        (broken, "not a complete zip archive"),
        (b"<html>", "not a complete"),
    ]
    cases.append((archive({k: v for k, v in files.items() if k != name}), "5 files in place of 6"))
    for content, message in cases:
        server.content = content
        with pytest.raises(sn.errors.SourceError, match=f"not digits as it was published.*{message}"):
            get(dataset(server.url), tmp_path / "digits")
        assert not list(tmp_path.iterdir())


def test_without_a_connection_the_error_says_what_to_do(server: Server, tmp_path: Path) -> None:
    """No server, a server's refusal and a wrong address are one error each; an archive from elsewhere is taken."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{free.getsockname()[1]}/x.zip"
    with pytest.raises(
        sn.errors.SourceError, match=r"cannot be fetched \(.*refused.*--archive, or use a mirror with --url"
    ):
        get(dataset(closed), tmp_path / "digits")
    with pytest.raises(sn.errors.SourceError, match="answers 404"):
        get(dataset(server.url.replace("digits.zip", "missing")), tmp_path / "digits")
    with pytest.raises(sn.errors.ArgumentError, match="must begin with https://"):
        get(dataset("file:///etc/passwd"), tmp_path / "digits")
    assert not list(tmp_path.iterdir())
    (tmp_path / "given.zip").write_bytes(archive(sounds()))
    assert get(dataset(closed), tmp_path / "digits", archive=tmp_path / "given.zip").fetched
    assert (tmp_path / "given.zip").exists()


def test_labelled_waves_are_checked(tmp_path: Path) -> None:
    """The table by its checksum, its files by their names, length and rate."""
    files = sounds()
    (tmp_path / "audio").mkdir()
    for name, content in files.items():
        (tmp_path / "audio" / name).write_bytes(content)
    table = "filename,category\n" + "".join(f"{name},x\n" for name in files)
    (tmp_path / "clips.csv").write_text(table)
    md5 = hashlib.md5(table.encode(), usedforsecurity=False).hexdigest()

    def check(md5: str = md5, count: int = COUNT, samples: int = SAMPLES) -> str:
        return verify_labelled_waves(tmp_path, "clips.csv", md5, count=count, rate=8000, samples=samples)

    assert "its 6 files are there" in check()
    for settings, message in (
        ({"md5": "0"}, "differs from the published table"),
        ({"count": 7}, "6 files in place of 7"),
        ({"samples": 401}, "is not 401 mono samples"),
    ):
        with pytest.raises(sn.errors.SourceError, match=message):
            check(**settings)
    cut = tmp_path / "audio" / next(iter(files))
    cut.write_bytes(cut.read_bytes()[:-10])
    with pytest.raises(sn.errors.SourceError, match="is not 400 mono samples"):
        check()


def test_esc10_is_a_table_of_esc50(tmp_path: Path) -> None:
    """The rows of ESC-50's table that are marked, with label, fold and recording, as a source of its own."""
    files = sounds()
    table = "filename,fold,target,category,esc10,src_file,take\n" + "".join(
        f"{name},{i % 3 + 1},{i % 2},{'xy'[i % 2]},{i < 4},{100 + i},A\n" for i, name in enumerate(files)
    )
    with zipfile.ZipFile(tmp_path / "given.zip", "w") as packed:
        packed.writestr("ESC-50-33c8/meta/esc50.csv", table)
        for name, content in files.items():
            packed.writestr(f"ESC-50-33c8/audio/{name}", content)
    small = replace(DATASETS["esc50"], verify=lambda folder: f"{len(list((folder / 'audio').iterdir()))} files")
    got = get(small, tmp_path / "esc50", archive=tmp_path / "given.zip")
    assert got.checked == "the archive's SHA-256 is another: it was packed again; 6 files"
    assert len(sn.open_source(got.source)) == 6
    source = sn.open_source(got.source / "esc10.csv")
    assert sorted(clip.columns["src_file"] for clip in source) == ["100", "101", "102", "103"]
    assert {clip.columns["label"] for clip in source} == {"x", "y"}
    assert all(clip.path.exists() for clip in source)


def test_the_command_reports_as_json(server: Server, tmp_path: Path) -> None:
    """`datasets list` and `get` speak JSON; an unknown name is misuse, wrong content a failure."""
    listed = json.loads(CliRunner().invoke(app, ["datasets", "list", "--json"]).stdout)
    assert set(listed) == {"esc50", "fsdd"}
    unknown = CliRunner().invoke(app, ["datasets", "get", "esc10"])
    assert unknown.exit_code == 2
    assert "use one of esc50, fsdd" in unknown.output
    with pytest.raises(ArgumentError, match="did you mean 'fsdd'"):
        get("fsd", tmp_path / "f")
    wrong = CliRunner().invoke(app, ["datasets", "get", "fsdd", "-o", str(tmp_path / "f"), "--url", server.url])
    assert wrong.exit_code == 1
    assert "this is not fsdd as it was published" in wrong.output


@pytest.mark.real_data
def test_the_official_digits_are_recognized(tmp_path: Path) -> None:
    """The real recordings pass the check of every byte, by way of an archive like GitHub's."""
    data = os.environ.get("SPECTRONORM_DATA")
    if data is None:
        pytest.skip("SPECTRONORM_DATA names no folder")
    with zipfile.ZipFile(tmp_path / "fsdd.zip", "w") as packed:
        packed.writestr("free-spoken-digit-dataset-26eb9aa/README.md", "about")
        for path in Path(data, "fsdd", "recordings").iterdir():
            packed.write(path, f"free-spoken-digit-dataset-26eb9aa/recordings/{path.name}")
    arguments = ["datasets", "get", "fsdd", "-o", tmp_path / "fsdd", "--archive", tmp_path / "fsdd.zip", "--json"]
    result = CliRunner().invoke(app, [*map(str, arguments)])
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert said["checked"] == "all 3000 files are those of the official repository, byte by byte"
    source = sn.open_source(Path(said["source"]))
    assert len(source) == 3000
    assert len(source.select(official="test")) == 300
    assert {clip.columns["speaker"] for clip in source} == {"george", "jackson", "lucas", "nicolas", "theo", "yweweler"}
