"""Small labelled data set in the layout of ESC-50, with mixed sample rates, channels and formats."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from spectronorm.arrays import Floats
from spectronorm.demo.sounds import SOUNDS

__all__ = ["make_dataset"]

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


def _forget_writing_time(path: Path) -> None:
    """Set the time stamp in a floating-point WAV file to zero, so that equal samples give equal bytes."""
    content = bytearray(path.read_bytes())
    # libsndfile puts a PEAK chunk before the samples: name, size and version of 4 bytes each, then the time.
    found = content.find(b"PEAK", 0, content.find(b"data"))
    if found >= 0:
        content[found + 12 : found + 16] = bytes(4)
        path.write_bytes(content)


def _write_audio(path: Path, samples: Floats, clip: _Clip) -> None:
    """Write samples `(sample, channel)` in the clip's encoding."""
    encoding = clip.encoding
    soundfile.write(path, samples, clip.sample_rate, format=encoding.format, subtype=encoding.subtype)
    if encoding == _FLOATING:
        _forget_writing_time(path)


def _cut_short(path: Path) -> None:
    """Keep 60 % of a file's bytes, as a broken download would; its header still claims all samples."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])


def _write_labels(path: Path, clips: Sequence[_Clip]) -> None:
    """Write the table of labels with the columns of ESC-50."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_HEADER)
        for clip in sorted(clips, key=lambda clip: clip.filename):
            esc10 = clip.kind in _ESC10
            row = (clip.filename, clip.fold, clip.target, clip.kind, esc10, clip.source, clip.take)
            writer.writerow(row)


def make_dataset(folder: Path, *, clips_per_kind: int = 8, seed: int = 0) -> Path:
    """Write a labelled data set of synthesized sounds in ESC-50's layout.

    The data set is as untidy as a real one: five sample rates, mono and stereo, seven encodings, lengths from 1 to 5
    seconds, clips padded with digital silence, one silent clip, and one truncated file.

    Args:
        folder: Folder for `audio/` and `meta/esc50.csv`; created if it is missing.
        clips_per_kind: Number of clips of each of the ten kinds of sound.
        seed: Seed of the sounds; a seed gives equal samples on every run.

    Returns:
        The folder.
    """
    audio, meta = folder / "audio", folder / "meta"
    for part in (audio, meta):
        part.mkdir(parents=True, exist_ok=True)
    clips = list(_plan(clips_per_kind))
    corrupt = next(clip for clip in clips if clip.encoding == _PLAIN)
    silent = next(clip for clip in reversed(clips) if clip.encoding == _FINE)
    for clip in clips:
        samples = _render(clip, seed)
        _write_audio(audio / clip.filename, np.zeros_like(samples) if clip is silent else samples, clip)
    _cut_short(audio / corrupt.filename)
    _write_labels(meta / "esc50.csv", clips)
    return folder
