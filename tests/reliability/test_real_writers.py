"""Files of FFmpeg, SoX, flac, LAME and oggenc, to a file and to a pipe, are read whole or refused with a reason.

`make whole-files` runs this with the tests of headers that lie. Programs that are not installed are skipped.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from spectronorm.audio import Reader
from spectronorm.errors import AudioError

from .containers import PLACEHOLDERS

RATE = 16_000
SAMPLES = 3 * RATE + 7
FFMPEG = {
    "wav": "pcm_u8 pcm_s16le pcm_s24le pcm_s32le pcm_f32le pcm_f64le pcm_alaw pcm_mulaw adpcm_ima_wav adpcm_ms",
    "w64": "pcm_s16le pcm_s24le pcm_f32le pcm_alaw",
    "aiff": "pcm_s8 pcm_s16be pcm_s24be pcm_s32be pcm_f32be pcm_f64be pcm_alaw pcm_mulaw pcm_s16le adpcm_ima_qt",
    "au": "pcm_s8 pcm_s16be pcm_s24be pcm_s32be pcm_f32be pcm_f64be pcm_alaw pcm_mulaw",
    "caf": "pcm_s16le pcm_s16be pcm_s24le pcm_s24be pcm_s32be pcm_f32be pcm_f32le pcm_alaw pcm_mulaw alac adpcm_ima_qt",
    "voc": "pcm_u8 pcm_s16le pcm_alaw pcm_mulaw",
    "ogg": "libvorbis libopus flac",
    "ircam": "pcm_s16le",
    "flac": "flac",
    "mp2": "mp2",
    "mp3": "libmp3lame",
}
MORE_FFMPEG = (
    "-rf64 always -f wav",
    "-rf64 auto -f wav",
    "-write_bext 1 -metadata description=x -f wav",
    "-write_peak 1 -f wav",
    "-sample_fmt s32 -f flac",
    "-ar 8000 -c:a libgsm_ms -f wav",
    "-b:a 64k -f mp3",
    "-write_xing 0 -f mp3",
    "-write_xing 0 -q:a 5 -f mp3",
    "-id3v2_version 3 -metadata title=a -f mp3",
    "-write_id3v1 1 -metadata title=b -f mp3",
)
SOX = [
    "wav",
    "wavpcm",
    "au",
    "aiff",
    "aifc",
    "caf",
    "w64",
    "voc",
    "8svx",
    "avr",
    "htk",
    "sph",
    "ircam",
    "paf",
    "mat4",
    "mat5",
    "pvf",
    "sds",
    "wve",
    "flac",
    "vorbis",
    "mp3",
    "mp2",
    "amb",
    "xi",
]
MORE_SOX = [
    *(f"wav {how}" for how in ("-e floating-point -b 32", "-e floating-point -b 64", "-e unsigned -b 8", "-b 24")),
    *(f"wav {how}" for how in ("-b 32", "-e a-law", "-e mu-law", "-e ima-adpcm", "-e ms-adpcm", "-e gsm-full-rate")),
    *(f"{kind} {how}" for kind in ("aifc", "au", "sph", "caf") for how in ("-e a-law", "-e mu-law", "-b 24", "-b 8")),
]
LAME = ("-b 64", "--abr 70", "-V 3", "-t -V 3", "-t -b 48", "--preset standard", "-t --abr 56", "--freeformat -b 60")
FLAC = ("", "-S 1s --padding=100", "--ogg", "--no-padding -8")
TWO_HEADERS = {"caf", "w64", "mat5", "sds", "xi"}
"""Formats of which SoX leaves two headers, or one without a length, in a pipe."""


def commands() -> Iterator[tuple[str, ...]]:
    """What each program is told before the name of its output."""
    for kind, codecs in FFMPEG.items():
        yield from (("ffmpeg", *f"-v error -y -i in.wav -c:a {codec} -f {kind}".split()) for codec in codecs.split())
    yield from (("ffmpeg", *f"-v error -y -i in.wav {how}".split()) for how in MORE_FFMPEG)
    yield from (("sox", *f"in.wav -t {how}".split()) for how in (*SOX, *MORE_SOX))
    yield from (("lame", *f"--quiet {how} in.wav".split()) for how in LAME)
    yield from (("flac", *f"-s -f {how} in.wav -o".split()) for how in FLAC)
    yield from (("oggenc", *f"-Q {how} in.wav -o".split()) for how in ("", "-q 0 --managed"))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three seconds and a bit."""
    folder = tmp_path_factory.mktemp("writers")
    wave = 0.3 * np.sin(np.arange(SAMPLES) * 0.1) + 0.05 * np.random.default_rng(0).standard_normal(SAMPLES)
    soundfile.write(folder / "in.wav", wave, RATE, subtype="PCM_16")
    return folder


def write(command: tuple[str, ...], folder: Path, *, pipe: bool) -> Path | None:
    """The file that a program writes, itself or through a pipe; None if it will not."""
    program = shutil.which(command[0])
    if program is None:
        pytest.skip(f"{command[0]} is not installed")
    path = folder / "out"
    path.unlink(missing_ok=True)
    if pipe:
        told = [one for one in command[1:] if one != "-o"]
        target = {"ffmpeg": "pipe:1", "flac": "-c"}.get(command[0], "-")
        done = subprocess.run([program, *told, target], cwd=folder, capture_output=True, check=False)
        path.write_bytes(done.stdout)
    else:
        done = subprocess.run([program, *command[1:], path.name], cwd=folder, capture_output=True, check=False)
    return path if done.returncode == 0 and path.exists() and path.stat().st_size else None


def rate_of(path: Path) -> int | None:
    """The rate that libsndfile finds; None if it cannot read the file as it is."""
    try:
        return int(soundfile.info(str(path)).samplerate)
    except soundfile.LibsndfileError:
        return None


def length_of(path: Path, rate: int) -> int | str:
    """The number of samples, or the reason for which the file is refused."""
    try:
        return Reader().read(path, rate).length
    except AudioError as error:
        return error.reason.value


def by_ffmpeg(path: Path, rate: int) -> int:
    """The number of samples that FFmpeg decodes; 0 if it decodes none."""
    program = shutil.which("ffmpeg")
    if program is None:
        return 0
    told = ["-v", "error", "-i", str(path), "-f", "s16le", "-ac", "1", "-ar", str(rate), "-"]
    return len(subprocess.run([program, *told], capture_output=True, check=False).stdout) // 2


@pytest.mark.parametrize("pipe", [False, True], ids=["file", "pipe"])
@pytest.mark.parametrize("command", list(commands()), ids=" ".join)
def test_what_programs_write_is_read_whole(command: tuple[str, ...], pipe: bool, sound: Path) -> None:
    """All samples, within a frame or block where sound is coded; or libsndfile cannot read the format at all."""
    path = write(command, sound, pipe=pipe)
    if path is None:
        pytest.skip("the program cannot write this")
    rate = rate_of(path)
    length = length_of(path, rate or RATE)
    if isinstance(length, str):
        two = pipe and command[0] == "sox" and command[3] in TWO_HEADERS
        assert length in (("header-lies", "truncated") if two else ("unreadable",))
        assert two or rate is None
        return
    whole = SAMPLES * (rate or RATE) / RATE if command[3] != "xi" else SAMPLES  # which keeps no rate
    assert whole - 1 <= length <= whole + 2_000
    decoded = by_ffmpeg(path, rate or RATE)
    assert not decoded or abs(decoded - length) <= 1_152


@pytest.mark.parametrize("kind", ["wav", "au", "aiff", "caf", "w64"])
@pytest.mark.parametrize("size", PLACEHOLDERS, ids=hex)
def test_placeholders_in_files_of_ffmpeg(kind: str, size: int, sound: Path) -> None:
    """Its own chunks stand around the sound; whatever size its header leaves open, the sound is whole."""
    path = write(("ffmpeg", *f"-v error -y -i in.wav -metadata title=x -f {kind}".split()), sound, pipe=False)
    if path is None:
        pytest.skip("the program cannot write this")
    data = bytearray(path.read_bytes())
    if kind == "au":
        place, form = 8, ">I"
    elif kind == "w64":
        place, form = data.index(b"data\xf3\xac\xd3\x11") + 16, "<Q"
    else:
        place, form = (
            data.index(b"SSND" if kind == "aiff" else b"data") + 4,
            {"wav": "<I", "aiff": ">I"}.get(kind, ">Q"),
        )
    wide = {0x7FFFFFFF: (1 << 63) - 1, 0xFFFFFFFF: (1 << 64) - 1}
    struct.pack_into(form, data, place, wide.get(size, size) if form[1] == "Q" else size)
    path.write_bytes(data)
    length = Reader().read(path, RATE).length
    assert SAMPLES <= length <= SAMPLES + 32  # a chunk that follows cannot be told from sound


@pytest.mark.parametrize("rate", [32, 48, 64, 96, 128, 192, 256, 320])
@pytest.mark.parametrize("how", ["", "--abr", "-v -b", "-m m -b", "-F -v -b"])
def test_mp3_without_a_tag_has_the_length_that_ffmpeg_finds(how: str, rate: int, sound: Path) -> None:
    """Forty files of LAME at eight bit rates, constant, average and variable: within one frame."""
    told = f"{how or '-b'} {rate}".split()
    path = write(("lame", "--quiet", "-t", "--resample", "44.1", *told, "in.wav"), sound, pipe=False)
    decoded = 0 if path is None else by_ffmpeg(path, 44_100)
    if path is None or not decoded:
        pytest.skip("LAME or FFmpeg cannot do this")
    assert b"Xing" not in path.read_bytes()[:4096]
    assert abs(Reader().read(path, 44_100).length - decoded) <= 1_152
