"""Archives and remote places are read member by member; nothing is extracted, and no name leads anywhere."""

from __future__ import annotations

import io
import os
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import fsspec
import numpy as np
import pytest

import spectronorm as sn
from spectronorm.audio import release

from .attack import FRONT_END, run_fit, tree
from .bad_inputs import encoded, pcm, tone, wav

HOSTILE = [
    "../../up.wav",
    "/abs/olute.wav",
    "a/../../b.wav",
    "C:\\windows\\x.wav",
    "..\\..\\y.wav",
    "a\0b.wav",
    "./c.wav",
]


def as_tar(source: Path, target: Path, mode: str) -> None:
    """A tar of a folder."""
    with tarfile.open(target, mode) as archive:
        archive.add(source, arcname=".")


def as_zip(source: Path, target: Path, method: int) -> None:
    """A zip of a folder."""
    with zipfile.ZipFile(target, "w", method) as archive:
        for path in sorted(source.rglob("*.wav")):
            archive.write(path, path.relative_to(source))


ARCHIVES: dict[str, Callable[[Path, Path], None]] = {
    "a.tar": lambda source, target: as_tar(source, target, "w"),
    "a.tar.gz": lambda source, target: as_tar(source, target, "w:gz"),
    "a.tgz": lambda source, target: as_tar(source, target, "w:gz"),
    "a.tar.bz2": lambda source, target: as_tar(source, target, "w:bz2"),
    "a.tar.xz": lambda source, target: as_tar(source, target, "w:xz"),
    "stored.zip": lambda source, target: as_zip(source, target, zipfile.ZIP_STORED),
    "deflated.zip": lambda source, target: as_zip(source, target, zipfile.ZIP_DEFLATED),
}


@pytest.mark.parametrize("name", ARCHIVES)
@pytest.mark.parametrize("untrusted", [False, True])
def test_an_archive_gives_the_profile_of_its_folder(name: str, untrusted: bool, clips: Path, tmp_path: Path) -> None:
    """Byte for byte, with labels, in any kind of archive, trusted or not; and nothing is written but the profile."""
    run_fit(clips, tmp_path / "folder.safetensors")
    ARCHIVES[name](clips, tmp_path / name)
    before = set(tree(tmp_path))
    reader = sn.audio.Reader(sn.audio.Limits() if untrusted else None)
    source = sn.open_source(tmp_path / name, reader)
    assert {clip.columns["label"] for clip in source} == {"high", "low"}
    sn.fit(source, FRONT_END, output=tmp_path / "out", group_by=["label"], engine=sn.engines.ThreadEngine(2))
    assert set(tree(tmp_path)) == before | {"out"}
    assert (tmp_path / "out").read_bytes() == (tmp_path / "folder.safetensors").read_bytes()


def test_shards_are_one_source(clips: Path, tmp_path: Path) -> None:
    """A folder of tars; a broken one is a bad file, the others count."""
    shards = tmp_path / "shards"
    shards.mkdir()
    for label in ("high", "low"):
        as_tar(clips / label, shards / f"{label}.tar", "w")
    whole = sn.fit(clips, FRONT_END)
    assert sn.fit(shards, FRONT_END).total == whole.total
    (shards / "third.tar").write_bytes(b"not a tar")
    profile = sn.fit(shards, FRONT_END, max_bad=0.1)
    assert profile.total == whole.total
    assert [bad.path for bad in profile.bad] == ["third.tar"]


def test_member_names_lead_nowhere(tmp_path: Path) -> None:
    """Names with .., absolute ones, drive letters and NUL are data: outputs stay below the folder asked for."""
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for index, name in enumerate(HOSTILE):
            data = encoded("WAV", None, tone(0.3, seed=index))
            member = tarfile.TarInfo(name.replace("\0", "")) if index != 5 else tarfile.TarInfo("nul.wav")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for index, name in enumerate(HOSTILE):
            archive.writestr(name, encoded("WAV", None, tone(0.3, seed=index)))
    for kind in ("tar", "zip"):
        place = tmp_path / kind
        profile = sn.fit(tmp_path / f"a.{kind}", FRONT_END)
        pipeline = sn.Pipeline(FRONT_END, sn.Standardize().fit(profile))
        before = {path for path in tmp_path.parent.rglob("*") if place not in path.parents}
        applied = sn.apply(tmp_path / f"a.{kind}", pipeline, place / "inner" / "out")
        assert applied.written == len(sn.open_source(tmp_path / f"a.{kind}"))
        assert all("inner/out/" in path for path in map(str, place.rglob("*.npy")))
        assert {path for path in tmp_path.parent.rglob("*") if place not in path.parents} == before | {place}


def test_links_and_devices_in_a_tar_are_listed_not_followed(tmp_path: Path) -> None:
    """Symbolic and hard links, a FIFO and a device: each a bad file, whatever it points to."""
    (tmp_path / "outside.wav").write_bytes(wav(pcm()))
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        good = encoded("WAV")
        member = tarfile.TarInfo("good.wav")
        member.size = len(good)
        archive.addfile(member, io.BytesIO(good))
        for name, kind in {"s.wav": tarfile.SYMTYPE, "h.wav": tarfile.LNKTYPE, "f.wav": tarfile.FIFOTYPE,
                           "d.wav": tarfile.CHRTYPE}.items():  # fmt: skip
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, str(tmp_path / "outside.wav")
            archive.addfile(member)
    profile = sn.fit(tmp_path / "a.tar", FRONT_END, max_bad=0.9)
    assert profile.clips == 1
    assert {bad.path: bad.reason.value for bad in profile.bad} == dict.fromkeys(
        ("s.wav", "h.wav", "f.wav", "d.wav"), "unreadable"
    )


def damaged_zips() -> dict[str, tuple[bytes, str]]:
    """Zips with one good member and one that is not what the directory says, and the reason it must have."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("good.wav", encoded("WAV"))
        archive.writestr("zeros.wav", wav(bytes(400_000)))
    whole = file.getvalue()
    entry = whole.rindex(b"PK\x01\x02")

    def patched(offset: int, data: bytes) -> bytes:
        return whole[: entry + offset] + data + whole[entry + offset + len(data) :]

    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        info = archive.getinfo("zeros.wav")
    size = info.file_size
    return {
        "crc": (patched(16, b"\0\0\0\0"), "unreadable"),
        "claims less": (patched(24, (size // 2).to_bytes(4, "little")), "header-lies"),
        "claims more": (patched(24, (size * 2).to_bytes(4, "little")), "truncated"),
        "claims 4 GB": (patched(24, (0xFFFFFFF0).to_bytes(4, "little")), "too-large"),
        "encrypted": (patched(8, b"\1\0"), "unreadable"),
        "method": (patched(10, b"\x63\0"), "unreadable"),
        "offset": (patched(42, (7).to_bytes(4, "little")), "header-lies"),
    }


@pytest.mark.parametrize("kind", list(damaged_zips()))
def test_a_zip_member_that_is_not_what_it_claims_is_a_bad_file(kind: str, tmp_path: Path) -> None:
    """Wrong checksum, size, place or method: one reason, little memory, and the good member counts."""
    data, reason = damaged_zips()[kind]
    (tmp_path / "a.zip").write_bytes(data)
    tracemalloc.start()
    try:
        profile = sn.fit(tmp_path / "a.zip", FRONT_END, max_bad=0.5)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert profile.clips == 1
    assert [bad.reason.value for bad in profile.bad] == [reason]
    assert peak < 64 << 20


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.tar.xz", "stored.zip"])
def test_a_cut_archive_gives_an_error_or_its_whole_members(name: str, clips: Path, tmp_path: Path) -> None:
    """Cut anywhere: what is whole is measured, the rest is named, and nothing crashes."""
    ARCHIVES[name](clips, tmp_path / "whole")
    whole = (tmp_path / "whole").read_bytes()
    digests = {row.tobytes() for row in sn.fit(clips, FRONT_END).total.digests}
    for percent in (0, 1, 30, 77, 99):
        (tmp_path / name).write_bytes(whole[: len(whole) * percent // 100])
        try:
            profile = sn.fit(tmp_path / name, FRONT_END, max_bad=1)
        except (sn.errors.SourceError, sn.errors.TooManyBad):
            continue
        assert {row.tobytes() for row in profile.total.digests} <= digests
        assert profile.bad or profile.clips == 40
    release()


def test_a_header_that_claims_a_gigabyte_of_name_is_refused(tmp_path: Path) -> None:
    """Tarfile would allocate what a header claims."""
    member = tarfile.TarInfo("././@LongLink")
    member.type, member.size = tarfile.GNUTYPE_LONGNAME, 1 << 33
    (tmp_path / "a.tar").write_bytes(member.tobuf(tarfile.GNU_FORMAT) + bytes(10_240))
    tracemalloc.start()
    try:
        with pytest.raises(sn.errors.SourceError, match="claims"):
            sn.open_source(tmp_path / "a.tar")
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_an_archive_that_changes_is_noticed(clips: Path, tmp_path: Path) -> None:
    """Written again with other sounds between listing and reading: bad files or the new sounds, never a mixture."""
    as_tar(clips, tmp_path / "a.tar.gz", "w:gz")
    source = sn.open_source(tmp_path / "a.tar.gz")
    first = [source.reader.read(clip, 8_000).samples for clip in source.clips[:3]]
    (tmp_path / "a.tar.gz").write_bytes(os.urandom(10_000))
    with pytest.raises(sn.errors.AudioError, match="unreadable"):
        source.reader.read(source.clips[0], 8_000)
    release()
    assert len(first) == 3


@pytest.mark.parametrize("what", ["", "/high/000.wav", "/a.zip", "/a.tar.gz"])
def test_a_remote_place_gives_what_the_local_one_does(what: str, clips: Path, tmp_path: Path) -> None:
    """A prefix, an object, an archive at an fsspec URL: the same clips, the same integers."""
    as_zip(clips, clips / "a.zip", zipfile.ZIP_DEFLATED)
    as_tar(clips / "low", clips / "a.tar.gz", "w:gz")
    system = fsspec.filesystem("memory")
    system.put(str(clips), "/bucket/set", recursive=True)
    try:
        remote, local = sn.open_source(f"memory://bucket/set{what}"), sn.open_source(f"{clips}{what}")
        assert [clip.name for clip in remote] == [clip.name for clip in local]
        assert [clip.columns for clip in remote] == [clip.columns for clip in local]
        assert sn.fit(remote, FRONT_END, output=tmp_path / "out") == sn.fit(local, FRONT_END)
    finally:
        system.rm("/bucket", recursive=True)


def test_a_remote_object_that_is_gone_is_a_bad_file(clips: Path) -> None:
    """Between listing and reading."""
    system = fsspec.filesystem("memory")
    system.put(str(clips), "/bucket/set", recursive=True)
    source = sn.open_source("memory://bucket/set")
    system.rm("/bucket/set/low/001.wav")
    try:
        profile = sn.fit(source, FRONT_END, max_bad=0.1)
    finally:
        system.rm("/bucket", recursive=True)
    assert [(bad.path, bad.reason.value) for bad in profile.bad] == [("low/001.wav", "missing")]


@pytest.mark.parametrize("url", ["nosuch://x/y", "memory://nothing/here"])
def test_a_url_that_leads_nowhere_is_one_clear_error(url: str) -> None:
    """Unknown protocol, empty prefix."""
    with pytest.raises(sn.errors.SourceError, match=r"nosuch|nothing"):
        sn.open_source(url)


def test_reading_a_member_does_not_depend_on_the_order(clips: Path, tmp_path: Path) -> None:
    """Backwards, in a compressed tar, where every step back means unpacking again."""
    as_tar(clips, tmp_path / "a.tgz", "w:gz")
    source = sn.open_source(tmp_path / "a.tgz")
    forward = {clip.name: source.reader.read(clip, 8_000).samples for clip in source}
    for clip in reversed(source.clips):
        np.testing.assert_array_equal(source.reader.read(clip, 8_000).samples, forward[clip.name])
    release()


def test_an_empty_name_in_a_zip_ends_nothing(tmp_path: Path) -> None:
    """Found by fuzzing: zipfile itself fails on a member without a name."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.wav", encoded("WAV"))
    whole = bytearray(file.getvalue())
    entry = whole.rindex(b"PK\x01\x02")
    whole[entry + 28 : entry + 30] = b"\0\0"  # the name is now taken for a part of what follows it
    (tmp_path / "a.zip").write_bytes(bytes(whole))
    with pytest.raises(sn.errors.SourceError):
        sn.open_source(tmp_path / "a.zip")


def test_other_files_in_an_archive_are_no_clips(clips: Path, tmp_path: Path) -> None:
    """Texts and links under names that are not those of audio are overlooked, as in a folder."""
    (clips / "readme.txt").write_text("hello")
    (clips / "link").symlink_to("readme.txt")
    as_tar(clips, tmp_path / "a.tar", "w")
    assert len(sn.open_source(tmp_path / "a.tar")) == 40
