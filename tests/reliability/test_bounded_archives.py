"""Members of archives are judged by their claimed size before they are unpacked, and unpacked in pieces."""

from __future__ import annotations

import io
import lzma
import os
import tarfile
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import spectronorm as sn
from spectronorm.audio import release
from spectronorm.audio.decoding import content
from spectronorm.audio.places import archive, member_limits
from spectronorm.audio.places.xz import XzContent

from .attack import FRONT_END
from .bad_inputs import encoded, tone, wav
from .command_line import run

GOOD = encoded("WAV", None, tone(0.5))


@contextmanager
def little_memory(megabytes: int) -> Iterator[None]:
    """Fail if more is held at once than so many megabytes."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < megabytes << 20
    finally:
        tracemalloc.stop()


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as target:
        for name, data in members.items():
            target.writestr(name, data)
    return file.getvalue()


def tarred(members: dict[str, bytes], mode: str = "w") -> bytes:
    """A tar archive."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as target:  # type: ignore[call-overload]
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            target.addfile(member, io.BytesIO(data))
    return file.getvalue()


def bad_of(path: Path, **settings: object) -> dict[str, str]:
    """The reason of each bad member of an archive with one good member; both ways to decode say the same."""
    found = []
    for untrusted in (None, sn.audio.Limits()):
        source = sn.open_source(path, sn.audio.Reader(untrusted))
        profile = sn.fit(source, FRONT_END, max_bad=0.9999, **settings)  # type: ignore[arg-type]
        assert profile.clips == 1
        found.append({bad.path: bad.reason.value for bad in profile.bad})
    assert found[0] == found[1]
    return found[0]


def test_a_zip_bomb_is_too_large_before_it_is_unpacked(tmp_path: Path) -> None:
    """80 MB of zeros in 80 kB: refused by what the directory says, for which nothing of it is read."""
    (tmp_path / "a.zip").write_bytes(zipped({"bomb.wav": wav(bytes(80_000_000)), "good.wav": GOOD}))
    with little_memory(32):
        assert bad_of(tmp_path / "a.zip") == {"bomb.wav": "too-large"}


def test_members_that_share_bytes_are_refused(tmp_path: Path) -> None:
    """A small archive whose directory names one member a thousand times stands for a thousand times its bytes."""
    whole = zipped({"good.wav": GOOD})
    begin = whole.rindex(b"PK\x01\x02")
    entry, end = whole[begin : whole.rindex(b"PK\x05\x06")], bytearray(whole[whole.rindex(b"PK\x05\x06") :])
    copies = b"".join(entry.replace(b"good.wav", b"%04d.wav" % number) for number in range(1_000))
    end[8:10] = end[10:12] = (1_001).to_bytes(2, "little")
    end[12:16] = (len(entry) + len(copies)).to_bytes(4, "little")
    (tmp_path / "a.zip").write_bytes(whole[:begin] + entry + copies + bytes(end))
    bad = bad_of(tmp_path / "a.zip")
    assert len(bad) == 1_000
    assert set(bad.values()) == {"header-lies"}


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz"])
def test_a_compressed_tar_bomb_ends_where_its_size_justifies_no_more(
    mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The members before it are read, and the rest is named."""
    monkeypatch.setattr(member_limits, "FREE_TAR_BYTES", 1 << 20)
    members = {"a.wav": GOOD, "bomb.wav": wav(bytes(20_000_000)), "z.wav": GOOD}
    path = tmp_path / f"a.tar.{mode[2:]}"
    path.write_bytes(tarred(members, mode))
    with little_memory(32):
        bad = bad_of(path)
    assert bad.pop("(the rest of the archive)") == "too-large"
    assert set(bad.values()) <= {"too-large"}
    release()


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz"])
def test_a_tar_member_that_claims_terabytes_is_not_looked_for(suffix: str, tmp_path: Path) -> None:
    """The size is a claim of the header: nothing is unpacked, skipped or allocated for it."""
    bomb = tarfile.TarInfo("bomb.wav")
    bomb.size = 1 << 43
    good = tarfile.TarInfo("good.wav")
    good.size = len(GOOD)
    padding = bytes(-len(GOOD) % 512)
    data = good.tobuf(tarfile.GNU_FORMAT) + GOOD + padding + bomb.tobuf(tarfile.GNU_FORMAT) + bytes(20_000)
    path = tmp_path / f"a{suffix}"
    opener: Callable[..., io.BufferedIOBase] = io.FileIO if suffix == ".tar" else __import__("gzip").GzipFile  # type: ignore[assignment]
    with opener(path, "wb") as file:
        file.write(data)
    with little_memory(16):
        assert set(bad_of(path).values()) <= {"unreadable", "too-large"}
    release()


@pytest.mark.parametrize("kind", ["stored.zip", "deflated.zip", "a.tar", "a.tar.gz", "a.tar.bz2", "a.tar.xz"])
def test_a_large_member_is_unpacked_in_pieces(kind: str, tmp_path: Path) -> None:
    """Its bytes are the whole member's; no more than a few pieces of it are held at once."""
    data = np.random.default_rng(0).integers(0, 32, 12_000_000, np.uint8).tobytes()
    method = zipfile.ZIP_STORED if kind == "stored.zip" else zipfile.ZIP_DEFLATED
    mode = "w" if kind.endswith(".tar") else f"w:{kind.rpartition('.')[2]}"
    packed = zipped({"a.wav": data}, method) if kind.endswith(".zip") else tarred({"a.wav": data}, mode)
    (tmp_path / kind).write_bytes(packed)
    del packed
    (clip,) = archive.list_archive(str(tmp_path / kind), lambda _: True)
    assert clip.part is not None
    position = 0
    with little_memory(16):  # the decoder of xz holds 8
        for piece in archive.part_pieces(clip.part):
            assert len(piece) <= 1 << 20
            assert piece == data[position : position + len(piece)]
            position += len(piece)
    assert position == len(data)
    release()


def test_reading_that_stops_half_way_leaves_an_archive_readable(tmp_path: Path) -> None:
    """A stream that was left in the middle of a member is not used again from there."""
    data = os.urandom(3 << 20)
    (tmp_path / "a.tar.gz").write_bytes(tarred({"a.wav": data, "b.wav": GOOD}, "w:gz"))
    first, second = archive.list_archive(str(tmp_path / "a.tar.gz"), lambda _: True)
    assert first.part is not None
    assert second.part is not None
    pieces = iter(archive.part_pieces(first.part))
    next(pieces)
    del pieces
    assert archive.read_part(second.part) == GOOD
    assert archive.read_part(first.part) == data
    release()


def test_a_member_beyond_what_memory_should_hold_is_held_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In an unnamed temporary file, with the same result; without room for it, one bad file."""
    (tmp_path / "a.zip").write_bytes(zipped({f"{number}.wav": encoded("WAV", None, tone(1.0)) for number in range(2)}))
    whole = sn.fit(tmp_path / "a.zip", FRONT_END)
    monkeypatch.setattr(content, "MOST_IN_MEMORY", 1_000)
    monkeypatch.setattr(archive, "_PIECE", 700)
    asked = []
    unnamed = content.unnamed_file

    def on_disk(*, in_memory: bool = True) -> int:
        asked.append(in_memory)
        return unnamed(in_memory=in_memory)

    monkeypatch.setattr(content, "unnamed_file", on_disk)
    assert sn.fit(tmp_path / "a.zip", FRONT_END) == whole
    assert False in asked

    def full(*, in_memory: bool = True) -> int:
        if not in_memory:
            raise OSError(28, "No space left on device")
        return unnamed()

    monkeypatch.setattr(content, "unnamed_file", full)
    with pytest.raises(sn.errors.TooManyBad, match=r"too-large"):
        sn.fit(tmp_path / "a.zip", FRONT_END)


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_a_member_costs_little_memory(kind: str, tmp_path: Path) -> None:
    """20,000 empty members: each is one bad file of less than two kilobytes, so a million of them fit."""
    members = {f"folder/{number}.wav": b"" for number in range(20_000)}
    path = tmp_path / f"a.{kind}"
    mode = "w:gz" if kind == "tar.gz" else "w"
    path.write_bytes(zipped(members) if kind == "zip" else tarred(members, mode))
    with little_memory(40):
        listed = archive.list_archive(str(path), lambda _: True)
    assert len(listed) == 20_000


@pytest.mark.parametrize("kind", ["a.zip", "a.tar", "a.tgz", "shards/a.tar"])
def test_members_that_are_not_read_are_counted(kind: str, tmp_path: Path) -> None:
    """As in a folder: the formats that cannot be read are noted, hidden files are not."""
    path = tmp_path / kind
    path.parent.mkdir(exist_ok=True)
    members = {"a/x.wav": GOOD, "a/y.pdf": b"?", "b/z.PDF": b"?", "readme": b"?", ".hidden.pdf": b"?"}
    mode = "w:gz" if kind.endswith("gz") else "w"
    path.write_bytes(zipped(members) if kind.endswith(".zip") else tarred(members, mode))
    opened = path.parent if "/" in kind else path
    assert sn.open_source(opened).unread == {"(no suffix)": 1, ".pdf": 2}
    ended = run(["fit", str(opened), "-o", str(tmp_path / "out"), "--sample-rate", "8000"])
    assert ended.exit_code == 0
    assert "2 .pdf" in ended.output


def test_shards_and_sounds_at_a_url_are_counted_too(tmp_path: Path) -> None:
    """An archive beside sounds is not read, and said to be; where there are only archives, they are the source."""
    (tmp_path / "both").mkdir()
    (tmp_path / "both" / "x.wav").write_bytes(GOOD)
    (tmp_path / "both" / "a.tar").write_bytes(tarred({"y.wav": GOOD}))
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "a.tar").write_bytes(tarred({"y.wav": GOOD, "z.doc": b"?"}))
    assert sn.open_source(f"file://{tmp_path}/both").unread == {".tar": 1}
    assert sn.open_source(tmp_path / "both").unread == {".tar": 1}
    assert sn.open_source(f"file://{tmp_path}/one").unread == {".doc": 1}
    assert sn.open_source(tmp_path / "one").unread == {".doc": 1}


def test_an_xz_header_that_asks_for_gigabytes_is_refused(tmp_path: Path) -> None:
    """A dictionary of 1.5 GB is a claim of the header: no memory is asked for, and the error says what is wrong."""
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0}]
    plain = tarred({"a.wav": GOOD, "b.wav": GOOD})
    data = bytearray(lzma.compress(plain, filters=filters))
    place = data.index(bytes([0x21, 0x01])) + 2  # the size of the dictionary, in the header of the first block
    data[place] = 40 - 3
    length = 4 * (data[12] + 1)
    data[12 + length - 4 : 12 + length] = zlib.crc32(data[12 : 12 + length - 4]).to_bytes(4, "little")
    (tmp_path / "a.tar.xz").write_bytes(data)
    with pytest.raises(sn.errors.SourceError, match="[Mm]emory"):
        sn.open_source(tmp_path / "a.tar.xz")


@pytest.mark.parametrize("end", [b"", bytes(4), bytes(1 << 17)])
def test_streams_of_xz_follow_each_other(end: bytes, tmp_path: Path) -> None:
    """As `cat` and `xz` with threads leave them, with zeros between; positions are those of the standard library."""
    data = np.random.default_rng(0).integers(0, 4, 300_000, np.uint8).tobytes()
    packed = lzma.compress(data[:100_000]) + end + lzma.compress(data[100_000:]) + end
    (tmp_path / "x").write_bytes(packed)
    with (tmp_path / "x").open("rb") as file:
        content = io.BufferedReader(XzContent(file), 1 << 16)
        assert content.read() == data
        for place in (250_000, 99_999, 100_000, 0, 299_999, 400_000):
            content.seek(place)
            assert content.read(10) == data[place : place + 10]
    (tmp_path / "x").write_bytes(packed[:20_000])
    with (tmp_path / "x").open("rb") as file, pytest.raises(EOFError):
        XzContent(file).read()
