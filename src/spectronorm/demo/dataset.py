"""Small labelled data set in the layout of ESC-50, with mixed sample rates, channels and formats."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import xxhash

from spectronorm.arrays import Floats
from spectronorm.demo.sounds import SOUNDS
from spectronorm.passes.outputs import files_in
from spectronorm.storage import Content, atomic_write, read_bounded, strict_json
from spectronorm.storage.replacement import require_replaceable

__all__ = ["make_dataset"]

RECORD = "meta/spectronorm.json"
"""File with the digests of all that was written, by which a later run knows its own files."""
_FOLDS = 5
_TAKES = "AB"
_FIRST_SOURCE = 100001
_HEADER = ("filename", "fold", "target", "category", "esc10", "src_file", "take")

# Cycles of different lengths, so that no kind of sound always has one rate, format or length.
_SAMPLE_RATES = (8000, 16000, 22050, 44100, 48000)
_CHANNELS = (1, 2, 1)
_LENGTHS = (5.0, 2.5, 1.0, 4.2, 3.3, 5.0, 1.7, 2.0, 3.6)

# The kinds that belong to ESC-10, the ten-class part of ESC-50.
_ESC10 = frozenset(("clock_tick", "crackling_fire", "dog_bark", "helicopter", "rain", "rooster", "sea_waves", "sneeze"))


@dataclass(frozen=True)
class _Encoding:
    """Audio file encoding, in the names of soundfile."""

    format: str
    subtype: str
    extension: str


_PLAIN = _Encoding("WAV", "PCM_16", "wav")
_FINE = _Encoding("WAV", "PCM_24", "wav")
_FLOATING = _Encoding("WAV", "FLOAT", "wav")
_ENCODINGS = (
    _PLAIN,
    _Encoding("OGG", "VORBIS", "ogg"),
    _Encoding("WAV", "PCM_U8", "wav"),
    _Encoding("FLAC", "PCM_16", "flac"),
    _FLOATING,
    _Encoding("AIFF", "PCM_16", "aiff"),
    _FINE,
)


@dataclass(frozen=True)
class _Clip:
    """One clip of the data set: its labels, its recording format and its padding."""

    kind: str
    target: int
    fold: int
    source: int
    take: str
    sample_rate: int
    channels: int
    encoding: _Encoding
    seconds: float
    silence_before: float
    silence_after: float

    @property
    def filename(self) -> str:
        """Return the file name, built as in ESC-50."""
        return f"{self.fold}-{self.source}-{self.take}-{self.target}.{self.encoding.extension}"


def _plan(clips_per_kind: int) -> Iterator[_Clip]:
    """Yield each clip; the takes of one source share the recorder and therefore the fold."""
    sources_per_kind = -(-clips_per_kind // len(_TAKES))
    for index in range(len(SOUNDS) * clips_per_kind):
        target, place = divmod(index, clips_per_kind)
        source, take = divmod(place, len(_TAKES))
        recording = target * sources_per_kind + source
        seconds = _LENGTHS[index % len(_LENGTHS)]
        # Every fourth take is padded, alternately at its end and at its start; the shift spreads the takes.
        padded = (index + index // 8) % 4 == 3
        silence = round(seconds * (0.25, 0.4, 0.55)[index % 3], 2) if padded else 0.0
        at_start = (index // 4) % 2 == 1
        yield _Clip(
            kind=tuple(SOUNDS)[target],
            target=target,
            fold=1 + (source + target) % _FOLDS,
            source=_FIRST_SOURCE + recording,
            take=_TAKES[take],
            sample_rate=_SAMPLE_RATES[recording % len(_SAMPLE_RATES)],
            channels=_CHANNELS[recording % len(_CHANNELS)],
            encoding=_ENCODINGS[recording % len(_ENCODINGS)],
            seconds=seconds,
            silence_before=silence if at_start else 0.0,
            silence_after=0.0 if at_start else silence,
        )


def _spread(samples: Floats, channels: int, sample_rate: int, rng: np.random.Generator) -> Floats:
    """Return samples `(sample, channel)`; a second channel receives the sound later and quieter."""
    if channels == 1:
        return samples[:, np.newaxis]
    delay = int(rng.uniform(0.0001, 0.0007) * sample_rate)
    later = np.concatenate((np.zeros(delay), samples[: samples.size - delay]))
    return np.stack((samples, rng.uniform(0.4, 0.9) * later), axis=1)


def _render(clip: _Clip, seed: int) -> Floats:
    """Return the samples of a clip, `(sample, channel)`, from the clip's own generator."""
    rng = np.random.default_rng((seed, clip.source, ord(clip.take)))
    sounding = clip.seconds - clip.silence_before - clip.silence_after
    mono = SOUNDS[clip.kind](clip.sample_rate, sounding, rng)
    samples = _spread(mono, clip.channels, clip.sample_rate, rng)
    before, after = (round(clip.sample_rate * part) for part in (clip.silence_before, clip.silence_after))
    return np.pad(samples, ((before, after), (0, 0)))


def _forget_writing_time(content: bytes) -> bytes:
    """The bytes of a floating-point WAV file with its time of writing at zero: equal samples are equal bytes."""
    changed = bytearray(content)
    # libsndfile puts a PEAK chunk before the samples: name, size and version of 4 bytes each, then the time.
    found = changed.find(b"PEAK", 0, changed.find(b"data"))
    if found >= 0:
        changed[found + 12 : found + 16] = bytes(4)
    return bytes(changed)


def _encoded(samples: Floats, clip: _Clip) -> bytes:
    """Samples of shape (samples, channels) as the clip's encoding wants."""
    encoding, buffer = clip.encoding, io.BytesIO()
    soundfile.write(buffer, samples, clip.sample_rate, format=encoding.format, subtype=encoding.subtype)
    return _forget_writing_time(buffer.getvalue()) if encoding == _FLOATING else buffer.getvalue()


def _labels(clips: Sequence[_Clip]) -> bytes:
    """The table of labels in the columns of ESC-50."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADER)
    for clip in sorted(clips, key=lambda clip: clip.filename):
        esc10 = clip.kind in _ESC10
        writer.writerow((clip.filename, clip.fold, clip.target, clip.kind, esc10, clip.source, clip.take))
    return text.getvalue().encode("utf-8")


def _require_ours(folder: Path, files: Mapping[str, bytes]) -> None:
    """Check that each file that stands under a name of these is one that we wrote, and record those to be written.

    Sounds carry no mark of ours, so a record beside the table names every file by its digest.

    Raises:
        OutputRefused: if another file already exists.
    """
    path = folder / RECORD
    known = {*_recorded(path), *(xxhash.xxh3_128_hexdigest(content) for content in files.values())}
    for place, content in files_in(folder, ((name, Content.CONTAINER) for name in files)):
        name = place.relative_to(folder).as_posix()
        ours = place.is_file() and _is_one_of(known, place.read_bytes(), files[name])
        require_replaceable(place, None if ours else content)
    require_replaceable(path, None if _recorded(path) else Content.CONTAINER)
    _write(path, json.dumps({"spectronorm": sorted(known)}, indent=1).encode())


def _is_one_of(known: Collection[str], there: bytes, wanted: bytes) -> bool:
    """Tell if a file's bytes are recorded, or are the wanted sound: an Ogg stream has a random serial number."""
    if xxhash.xxh3_128_hexdigest(there) in known:
        return True
    if not there.startswith(b"OggS"):
        return False
    try:
        (one, one_rate), (other, rate) = (soundfile.read(io.BytesIO(data)) for data in (there, wanted))
    except soundfile.LibsndfileError:
        return False
    return one_rate == rate and np.array_equal(one, other)


def _recorded(path: Path) -> list[str]:
    """Return the digests in a record; none if there is no record of ours."""
    try:
        found = strict_json(read_bounded(path))["spectronorm"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _write(path: Path, content: bytes) -> None:
    with atomic_write(path, None) as file:
        file.write(content)


def make_dataset(folder: Path, *, clips_per_kind: int = 8, seed: int = 0) -> Path:
    """Write a labelled data set of synthesized sounds in ESC-50's own layout.

    It is as untidy as a real one: five sample rates, mono and stereo, seven encodings, lengths from 1 to 5
    seconds, clips padded by digital silence, one clip that is silent throughout and one file cut short.

    Args:
        folder: Where `audio/` and `meta/esc50.csv` are written; made where it is missing.
        clips_per_kind: Number of clips of each of the ten kinds of sound.
        seed: Seed of the sounds; one seed gives the same samples on every run.

    Returns:
        The folder.

    Raises:
        OutputRefused: if sounds or a table stand there that are not ours.
    """
    clips = list(_plan(clips_per_kind))
    corrupt = next(clip for clip in clips if clip.encoding == _PLAIN)
    silent = next(clip for clip in reversed(clips) if clip.encoding == _FINE)
    files = {"meta/esc50.csv": _labels(clips)}
    for clip in clips:
        samples = _render(clip, seed)
        content = _encoded(np.zeros_like(samples) if clip is silent else samples, clip)
        if clip is corrupt:  # as a broken download would be; its header still claims all the samples
            content = content[: len(content) * 6 // 10]
        files[f"audio/{clip.filename}"] = content
    _require_ours(folder, files)
    for name, content in files.items():
        _write(folder / name, content)
    return folder
