"""Readers of everything that reads files of ours or listings of others', each with sound files to start from.

The fuzzer and the mutations share them: whatever the bytes are, they are read or refused with an error of our family,
and what was read sums up to finite JSON or finite levels.
"""

from __future__ import annotations

import gzip
import io
import json
import math
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from safetensors.numpy import save as save_tensors

import spectronorm as sn
from spectronorm.audio.decoding.containers.container import look
from spectronorm.audio.places import archive
from spectronorm.errors import SpectronormError
from spectronorm.experiment.arms.arms_file import parse_arms
from spectronorm.features.read import npy_of
from spectronorm.features.tensors import list_tensors, tensor_of
from spectronorm.image_files import ImageCodec, LevelRange, decode, png
from spectronorm.image_files import header as image_header
from spectronorm.monitor import Monitor, Window
from spectronorm.passes.spectrogram_files import read_spectrogram
from spectronorm.runs.journal import Journal
from spectronorm.storage import canonical_json, container

from .attack import FRONT_END
from .bad_inputs import encoded, tone
from .conftest import write_clips

FOLDER = Path(tempfile.mkdtemp(prefix="spectronorm-fuzz-"))


def sound_files() -> dict[str, bytes]:
    """A sound profile and a sound pipeline."""
    write_clips(FOLDER / "clips", 20)
    (FOLDER / "clips" / "bad.wav").write_bytes(b"no audio")
    front_end = sn.FrontEnd(sample_rate=8_000, stft=sn.STFT(n_fft=64), bands=sn.Mel(3))
    profile = sn.fit(FOLDER / "clips", front_end, group_by=["label"], max_bad=0.5)
    profile.save(FOLDER / "profile")
    sn.Pipeline(front_end, sn.Standardize().fit(profile)).save(FOLDER / "pipeline")
    return {name: (FOLDER / name).read_bytes() for name in ("profile", "pipeline")}


SMALL = sn.FrontEnd(sample_rate=8_000, stft=sn.STFT(n_fft=64), bands=sn.Mel(3))
SOUND = sound_files()
PROFILE = sn.Profile.load(FOLDER / "profile")


def sound_state() -> bytes:
    """The state of a monitor that has seen a few clips."""
    monitor = Monitor(PROFILE, window=Window(8, 4))
    for seed in range(9):
        monitor.add(0.1 * np.random.default_rng(seed).standard_normal(2_000))
    monitor.save(FOLDER / "state")
    return (FOLDER / "state").read_bytes()


STATE = sound_state()
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


def load_monitor(data: bytes) -> None:
    """A monitor's state."""
    path = FOLDER / "fuzz-state"
    path.write_bytes(data)
    loaded = Monitor.load(path, PROFILE)
    json.dumps(loaded.report().to_dict(), allow_nan=False)


def load_levels(data: bytes) -> None:
    """A saved spectrogram."""
    path = FOLDER / "fuzz.npy"
    path.write_bytes(data)
    read_spectrogram(path, SMALL, None, None)


def load_features(data: bytes) -> None:
    """Saved levels, as a feature file."""
    npy_of(data)


def load_tensors(data: bytes) -> None:
    """A file of tensors of others, as levels: each is read or has a reason."""
    path = FOLDER / "fuzz.safetensors"
    path.write_bytes(data)
    for clip in list_tensors(path, path.name):
        assert clip.part is not None
        try:
            tensor_of(archive.read_part(clip.part), clip.part.array or "")
        except sn.errors.AudioError:
            continue


def look_at_sound(data: bytes) -> None:
    """The containers of sound: what they claim is compared with what is there, whatever they claim."""
    path = FOLDER / "fuzz.sound"
    path.write_bytes(data)
    with path.open("rb") as file:
        found = look(file.fileno())
    assert math.isfinite(found.missing)
    assert found.missing >= 0


def list_table(data: bytes) -> None:
    """A table of files."""
    path = FOLDER / "fuzz.csv"
    path.write_bytes(data)
    sn.audio.open_source(path)


def list_arms(suffix: str) -> Callable[[bytes], None]:
    """A file of arms."""

    def listed(data: bytes) -> None:
        path = FOLDER / f"fuzz-arms{suffix}"
        path.write_bytes(data)
        parse_arms(str(path), SMALL)

    return listed


READERS: dict[str, Callable[[bytes], None]] = {
    "container": load,
    "header": load_header,
    "tar": list_archive(".tar"),
    "tar.gz": list_archive(".tar.gz"),
    "zip": list_archive(".zip"),
    "journal": open_journal,
    "front-end": front_end,
    "image": load_image,
    "image-header": load_image_header,
    "state": load_monitor,
    "levels": load_levels,
    "features": load_features,
    "tensors": load_tensors,
    "sound": look_at_sound,
    "table": list_table,
    "arms-toml": list_arms(".toml"),
    "arms-json": list_arms(".json"),
}
"""What reads an input, by name."""


def read_or_refuse(reader: str, data: bytes) -> bool:
    """Whether it is read; False if it is refused with an error of our family. Anything else is a finding."""
    try:
        READERS[reader](data)
    except SpectronormError:
        return False
    return True


def sounds() -> dict[str, bytes]:
    """A sound in each container whose length is looked at."""
    kinds = ("WAV", "RF64", "W64", "AIFF", "AU", "CAF", "SVX", "NIST", "VOC", "FLAC", "OGG", "MP3")
    coarse = {"SVX": "PCM_16", "VOC": "PCM_16"}
    return {kind: encoded(kind, coarse.get(kind), tone(0.3)) for kind in kinds}


def sound_inputs() -> dict[str, tuple[str, bytes]]:
    """Sound files to start from, by name, each with its reader."""
    tar, packed, levels = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as plain:
        plain.add(FOLDER / "clips" / "bad.wav", "a/bad.wav")
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as plain_zip:
        plain_zip.writestr("a/b.wav", b"no audio")
    np.save(levels, np.full((3, 8), -20.0))
    journal = FOLDER / "seed-journal"
    opened = Journal(journal, {"a": 1})
    opened.put(b"x" * 16, b"payload")
    opened.close()
    tensors = save_tensors({"a": np.zeros((3, 8), np.float32), "b": np.zeros((1, 3, 8), np.float16)})
    found = {name: ("container", data) for name, data in SOUND.items()}
    for name, data in sounds().items():
        found[f"{name} sound"] = ("sound", data)
    for name, data in SOUND.items():
        found[f"header of a {name}"] = ("header", canonical_json(container.unpack(data, name)[0]).encode())
    return found | {
        "tar": ("tar", tar.getvalue()),
        "zip": ("zip", packed.getvalue()),
        "journal": ("journal", journal.read_bytes()),
        "front end": ("front-end", FRONT_END.to_json().encode()),
        "image": ("image", IMAGE),
        "image header": ("image-header", SOUND_PNG.texts[image_header.KEYWORD].encode()),
        "state": ("state", STATE),
        "levels": ("levels", levels.getvalue()),
        "features": ("features", levels.getvalue()),
        "tensors": ("tensors", tensors),
        "compressed tar": ("tar.gz", gzip.compress(tar.getvalue(), mtime=0)),
        "table": ("table", b"path,label,fold\nclips/high/000.wav,a,1\nb.wav,b,2\n"),
        "arms": ("arms-toml", b'[factors]\nlevel = ["as_recorded", "peak"]\nnormalize = ["none", "band"]\n'),
        "arms as JSON": ("arms-json", b'{"arm": [{"name": "a", "stft": {"power": 1.0}}, {"name": "b"}]}'),
    }
