"""Bad input gets one clear reason: never a crash, a hang, a NaN or a large allocation."""

from __future__ import annotations

import dataclasses
import os
import resource
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

import spectronorm as sn
from spectronorm.audio import Limits, Reader, release
from spectronorm.errors import BadAudioReason
from spectronorm.profile import LevelCounter

from .attack import finished, in_child
from .bad_inputs import ODD_NAMES, Case, audio_cases, encoded, odd_names, tone, wav
from .conftest import write_clips

FRONT_END = sn.FrontEnd()
CASES = audio_cases()
UNREADABLE_BY_SOUNDFILE = {("AIFF", "DWVW_12"), ("AIFF", "DWVW_16"), ("AIFF", "DWVW_24")}
"""Mono DWVW: soundfile itself fails to seek in what libsndfile wrote."""


def outcome(path: Path, reader: Reader) -> tuple[str, int]:
    """What a pass would say of one file, and how many samples it decoded to."""
    try:
        clip = reader.read(path, FRONT_END.sample_rate)
        counter = LevelCounter(FRONT_END)
        counter.add(clip.valid)
    except sn.errors.AudioError as error:
        return BadAudioReason(error.reason).value if error.detail else "no detail", 0
    measured = counter.measurement()
    assert measured is not None
    assert (measured.count > 0).all()
    return (clip.flat.value if clip.flat else "ok"), clip.length


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_bad_file_has_the_outcome_it_must_have(case: Case, tmp_path: Path) -> None:
    """Every file is refused with its reason or read, soon, and without memory that it cannot justify."""
    path = case.write(tmp_path)
    outcome(_warm(tmp_path), Reader())
    tracemalloc.start()
    started = time.monotonic()
    try:
        found, _ = outcome(path, Reader())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found in case.outcomes
    assert time.monotonic() - started < 10
    decoded = 0
    if found == "ok":
        with soundfile.SoundFile(path) as sound:
            decoded = sound.frames * sound.channels * 4
    if found == "too-large":
        decoded = 2048 * path.stat().st_size // 2  # a bomb is stopped at what its size can justify
    assert peak <= (64 << 20) + 2 * decoded


def test_not_even_native_code_takes_more(tmp_path: Path) -> None:
    """Each file is read in a process whose whole address space may grow by 64 MB and twice the samples, no more."""
    outcome(_warm(tmp_path), Reader())
    missed = []
    for number, case in enumerate(CASES):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        path, decoded = case.write(folder), 0
        if "ok" in case.outcomes:
            with soundfile.SoundFile(path) as sound:
                known = sound.frames < 1 << 40  # a FLAC header may leave the length out
                decoded = 4 * sound.channels * (sound.frames if known else outcome(path, Reader())[1])
        if "too-large" in case.outcomes:
            decoded = 2048 * path.stat().st_size // 2
        most = (64 << 20) + 2 * decoded

        def limited(path: Path = path, case: Case = case, most: int = most) -> None:
            mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (mapped + most, mapped + most))
            assert outcome(path, Reader())[0] in case.outcomes

        if finished(in_child(limited)) != 0:
            missed.append((case.name, most))
    assert missed == []


def _warm(folder: Path) -> Path:
    """A good file, so that what is compiled or cached once is not counted."""
    path = folder / "warm.wav"
    path.write_bytes(wav((tone() * 32767).astype("<i2").tobytes()))
    return path


def test_there_are_at_least_a_hundred_cases() -> None:
    """The corpus does not shrink unnoticed."""
    assert len(CASES) + len(ODD_NAMES) >= 140
    assert len({case.name for case in CASES}) == len(CASES)


def test_untrusted_decoding_says_the_same(tmp_path: Path) -> None:
    """In a process of its own every file has the same outcome, and one process serves them all."""
    reader = Reader(Limits(seconds=20, megabytes=256))
    try:
        found = {case.name: outcome(case.write(tmp_path), reader)[0] for case in CASES}
    finally:
        release()
    wrong = {case.name: found[case.name] for case in CASES if found[case.name] not in case.outcomes}
    assert wrong == {}


def encodings() -> Iterator[tuple[str, str]]:
    """Every container and encoding that libsndfile can write with a header of its own."""
    for file_format in soundfile.available_formats():
        for subtype in soundfile.available_subtypes(file_format):
            if file_format not in ("RAW", "SD2") and (file_format, subtype) not in UNREADABLE_BY_SOUNDFILE:
                yield file_format, subtype


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (16_000, 1), (44_100, 2)])
def test_no_false_alarm_in_any_encoding(rate: int, channels: int, tmp_path: Path) -> None:
    """Whatever libsndfile can write is read, under a name that says nothing about it."""
    alarms, read = [], 0
    for file_format, subtype in encodings():
        try:
            data = encoded(file_format, subtype, tone(0.5, rate, channels), rate)
        except soundfile.LibsndfileError:
            continue  # not at this rate or with so many channels
        path = tmp_path / "clip.bin"
        path.write_bytes(data)
        found, _ = outcome(path, Reader())
        read += 1
        if found != "ok":
            alarms.append((file_format, subtype, found))
    assert alarms == []
    assert read > 80


def test_a_format_with_a_resource_fork_is_read(tmp_path: Path) -> None:
    """Sound Designer II, whose header lies in a second file."""
    soundfile.write(tmp_path / "clip.sd2", tone(), 16_000, format="SD2", subtype="PCM_16")
    assert outcome(tmp_path / "clip.sd2", Reader()) == ("ok", 8_000)


def test_any_legal_file_name_is_measured(tmp_path: Path) -> None:
    """Newlines, invalid UTF-8, the longest name: a folder of them has no bad file, and its JSON can be printed."""
    for case in odd_names():
        case.make(tmp_path / "x")
    profile = sn.fit(tmp_path, FRONT_END, output=tmp_path / "profile.safetensors")
    assert profile.clips == len(ODD_NAMES)
    assert profile.bad == ()
    assert sn.Profile.load(tmp_path / "profile.safetensors") == profile


def test_bad_files_under_odd_names_are_listed(tmp_path: Path) -> None:
    """The list of bad files survives saving, whatever they are called."""
    write_clips(tmp_path, 4)
    for raw in ODD_NAMES.values():
        (tmp_path / os.fsdecode(raw)).write_bytes(b"no audio")
    profile = sn.fit(tmp_path, FRONT_END, max_bad=1, output=tmp_path / "profile.safetensors")
    assert {os.fsencode(bad.path) for bad in profile.bad} == set(ODD_NAMES.values())
    assert sn.Profile.load(tmp_path / "profile.safetensors").bad == profile.bad


def test_links_in_circles_end(tmp_path: Path) -> None:
    """A folder that contains itself is scanned once."""
    write_clips(tmp_path / "a", 4)
    (tmp_path / "a" / "again").symlink_to(tmp_path / "a")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    assert len(sn.open_source(tmp_path / "a")) >= 4


def test_one_bad_file_among_sixty_changes_nothing(tmp_path: Path) -> None:
    """With each kind of bad file the profile's bytes, its list of bad files aside, are those of the sixty good ones."""
    folder = write_clips(tmp_path / "clips", 60, seconds=0.1)
    front_end = sn.FrontEnd(sample_rate=8_000, stft=sn.STFT(n_fft=256))
    reader = Reader(skip_flat=True)

    def measured() -> sn.Profile:
        return sn.fit(sn.open_source(folder, reader), front_end, max_bad=1, engine=sn.engines.ThreadEngine(1))

    clean = measured()
    clean.save(tmp_path / "clean")
    for case in CASES:
        if case.outcomes & {"ok", "too-short"} or case.name == "directory":  # a folder scan looks into directories
            continue
        path = case.write(folder)
        profile = measured()
        assert [bad.path for bad in profile.bad] == [path.name], case.name
        dataclasses.replace(profile, bad=()).save(tmp_path / "poisoned")
        assert (tmp_path / "poisoned").read_bytes() == (tmp_path / "clean").read_bytes(), case.name
        path.unlink()


def test_no_statistic_is_ever_nan(tmp_path: Path) -> None:
    """A data set of silent, constant and very quiet clips has finite figures, and normalizes to finite numbers."""
    for name in ("silent", "dc", "very-quiet", "denormal"):
        next(case for case in CASES if case.name == name).write(tmp_path)
    profile = sn.fit(tmp_path, FRONT_END)
    figures = [
        profile.band.mean,
        profile.band.std,
        profile.band.min,
        profile.band.max,
        profile.band.floor_share,
        profile.band.quantile([0, 0.5, 1]),
    ]
    assert all(np.isfinite(figure).all() for figure in figures)
    for name in ("band", "global", "minmax", "robust-band"):
        fitted = sn.normalizer(name).fit(profile)
        assert np.isfinite(fitted(FRONT_END(np.zeros(8_000)))).all()


@pytest.mark.parametrize("channels", [1, 2, 7])
@pytest.mark.parametrize("frames", [(1 << 20) - 1, 1 << 20, (1 << 20) + 1, 2_700_000])
def test_long_files_are_read_whole(frames: int, channels: int, tmp_path: Path) -> None:
    """Around and beyond the size of the blocks that files are read in, in this process and in another."""
    samples = np.random.default_rng(3).integers(-9_000, 9_000, (frames // channels, channels), dtype=np.int16)
    soundfile.write(tmp_path / "long.wav", samples, 16_000)
    expected = (samples / np.float32(32_768)).mean(axis=1, dtype=np.float32)
    try:
        for reader in (Reader(), Reader(Limits())):
            np.testing.assert_array_equal(reader.read(tmp_path / "long.wav", 16_000).samples, expected)
    finally:
        release()
