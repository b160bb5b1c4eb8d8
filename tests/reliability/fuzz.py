"""Coverage-guided fuzzing of everything that reads files of ours or listings of others', with atheris.

`make fuzz`, or `python -m reliability.fuzz FOLDER -max_total_time=300` in `tests/`; FOLDER keeps what was found to be
interesting. The first byte of an input says what the rest is: a container, the header of one whose numbers are sound,
a tar, a zip, a journal, a JSON front end, an image, the header of one whose pixels and checksums are sound. Whatever
it is, it is read or refused with an error of our family; what was read must summarize to finite JSON or levels.
"""

from __future__ import annotations

import io
import json
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import atheris
import numpy as np

# What numba compiles: it cannot compile instrumented code.
COMPILED = [
    "spectronorm.arrays.operations",
    "spectronorm.front_end.fast.blocks",
    "spectronorm.profile.counting.kernel",
    "spectronorm.profile.counting.int128",
]
with atheris.instrument_imports(include=["spectronorm"], exclude=COMPILED):
    import spectronorm as sn
    from spectronorm.audio.places import archive
    from spectronorm.errors import SpectronormError
    from spectronorm.image_files import ImageCodec, LevelRange, decode, png
    from spectronorm.image_files import header as image_header
    from spectronorm.runs.journal import Journal
    from spectronorm.storage import canonical_json, container

    from .attack import FRONT_END
    from .conftest import write_clips

FOLDER = Path(tempfile.mkdtemp(prefix="spectronorm-fuzz-"))


def sound_files() -> dict[str, bytes]:
    """A sound profile and a sound pipeline."""
    write_clips(FOLDER / "clips", 3)
    (FOLDER / "clips" / "bad.wav").write_bytes(b"no audio")
    front_end = sn.FrontEnd(sample_rate=8_000, stft=sn.STFT(n_fft=64), bands=sn.Mel(3))
    profile = sn.fit(FOLDER / "clips", front_end, group_by=["label"], max_bad=0.5)
    profile.save(FOLDER / "profile")
    sn.Pipeline(front_end, sn.Standardize().fit(profile)).save(FOLDER / "pipeline")
    return {name: (FOLDER / name).read_bytes() for name in ("profile", "pipeline")}


SOUND = sound_files()
TENSORS = {name: container.unpack(data, name)[1] for name, data in SOUND.items()}


def load(data: bytes) -> None:
    """A whole container."""
    header, tensors = container.unpack(data, "fuzz")
    cls = sn.Pipeline if header.get("kind") == "pipeline" else sn.Profile
    content = cls.from_container(header, tensors, Path("fuzz"))
    json.dumps(content.summary(), allow_nan=False)


def load_header(data: bytes) -> None:
    """Any header over sound numbers."""
    try:
        header = json.loads(data)
    except (ValueError, RecursionError):
        return
    if isinstance(header, dict):
        name = "pipeline" if header.get("kind") == "pipeline" else "profile"
        try:
            packed = container.pack(header, TENSORS[name])
        except (ValueError, RecursionError):
            return
        load(packed)


def list_archive(suffix: str) -> Callable[[bytes], None]:
    """The members of an archive, each read."""

    def listed(data: bytes) -> None:
        path = FOLDER / f"fuzz{suffix}"
        path.write_bytes(data)
        for clip in archive.list_archive(str(path), lambda _: True):
            assert ".." not in Path(clip.name).parts
            assert not clip.name.startswith("/")
            try:
                assert clip.part is not None
                archive.read_part(clip.part)
            except sn.errors.AudioError:
                continue

    return listed


def open_journal(data: bytes) -> None:
    """A journal that somebody else left."""
    path = FOLDER / "journal"
    path.write_bytes(data)
    journal = Journal(path, {"a": 1})
    journal.put(b"k" * 16, b"payload")
    assert journal.get(b"k" * 16) == b"payload"
    journal.close()


def front_end(data: bytes) -> None:
    """A JSON front end."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return
    assert sn.FrontEnd.from_json(text).fingerprint


def sound_image() -> tuple[bytes, png.PNG]:
    """A sound image, and what is in it."""
    made = sn.FrontEnd(sample_rate=8_000, stft=sn.STFT(n_fft=64), bands=sn.Mel(3))
    level = np.linspace(-80.0, 0.0, 3 * 8).reshape(3, 8)
    path = FOLDER / "sound.png"
    path.write_bytes(ImageCodec(made, LevelRange(np.array([-80.0]), np.array([0.0]), "fixed")).encode(level))
    return path.read_bytes(), png.read_png(path)


IMAGE, SOUND_PNG = sound_image()


def load_image(data: bytes) -> None:
    """A whole image file."""
    path = FOLDER / "fuzz.png"
    path.write_bytes(data)
    decoded = decode(path)
    assert np.isfinite(decoded.level).all()


def load_image_header(data: bytes) -> None:
    """Any header over sound pixels, with the checksums that it should have."""
    try:
        plain = json.loads(data)
        if not isinstance(plain, dict):
            return
        plain.pop("checksum", None)
        plain["pixels"] = image_header.pixel_digest(SOUND_PNG.pixels)
        text = json.dumps({**plain, "checksum": image_header._checksum(plain)})
    except (ValueError, RecursionError):
        return
    path = FOLDER / "fuzz-header.png"
    path.write_bytes(png.encode_png(SOUND_PNG.pixels, image_header.KEYWORD, text))
    assert np.isfinite(decode(path).level).all()


READERS = [
    load,
    load_header,
    list_archive(".tar"),
    list_archive(".zip"),
    open_journal,
    front_end,
    load_image,
    load_image_header,
]


def test_one_input(data: bytes) -> None:
    """Read it or refuse it; anything else is a finding."""
    if not data:
        return
    try:
        READERS[data[0] % len(READERS)](data[1:])
    except SpectronormError:
        return


def seeds(folder: Path) -> None:
    """Sound files to start from."""
    folder.mkdir(parents=True, exist_ok=True)
    tar, packed = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as plain:
        plain.add(FOLDER / "clips" / "bad.wav", "a/bad.wav")
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as plain_zip:
        plain_zip.writestr("a/b.wav", b"no audio")
    journal = FOLDER / "seed-journal"
    opened = Journal(journal, {"a": 1})
    opened.put(b"x" * 16, b"payload")
    opened.close()
    found = {f"container-{name}": b"\0" + data for name, data in SOUND.items()}
    for name, data in SOUND.items():
        found[f"header-{name}"] = b"\1" + canonical_json(container.unpack(data, name)[0]).encode()
    found |= {"tar": b"\2" + tar.getvalue(), "zip": b"\3" + packed.getvalue(), "journal": b"\4" + journal.read_bytes()}
    found["front-end"] = b"\5" + FRONT_END.to_json().encode()
    found["image"] = b"\6" + IMAGE
    found["image-header"] = b"\7" + SOUND_PNG.texts[image_header.KEYWORD].encode()
    for name, data in found.items():
        (folder / name).write_bytes(data)


def main() -> None:
    """Hand over to libFuzzer; the first argument is the folder of inputs."""
    seeds(Path(sys.argv[1]))
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
