"""Inspection of a source: each fault is found under its name, good clips are left alone, and the rest is a table."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from benchmarks.planted_faults import DEGREES, FAULTS
from typer.testing import CliRunner

import spectronorm as sn
from conftest import Write
from spectronorm.cleaning import InspectionLimits, Oddity
from spectronorm.cli.app import app
from spectronorm.report.clip_excerpt import excerpt_of

RATE, COUNT, SECONDS = 16_000, 30, 1.0


def good_wave(number: int, seconds: float = SECONDS) -> np.ndarray:
    """Noise with a band of its own, a melody and pauses: unlike its neighbours, with nothing wrong."""
    rng = np.random.default_rng(number)
    t = np.arange(round(seconds * RATE)) / RATE
    spectrum = np.fft.rfft(rng.standard_normal(len(t)))
    hz = np.fft.rfftfreq(len(t), 1 / RATE)
    noise = np.fft.irfft(spectrum / (1 + hz / rng.uniform(200, 3000)), len(t))
    tone = np.sin(2 * np.pi * rng.uniform(100, 2000) * t + 3 * np.sin(2 * np.pi * 4 * t))
    wave = (noise / np.abs(noise).max() + 0.2 * tone) * (0.3 + np.abs(np.sin(2 * np.pi * rng.uniform(0.5, 3) * t)))
    wave -= wave.mean()
    return rng.uniform(0.1, 0.9) * wave / np.abs(wave).max()


@pytest.fixture
def good(write: Write, tmp_path: Path) -> Path:
    """A folder of thirty good clips of one second."""
    for number in range(COUNT):
        write(f"clips/{number:02d}.wav", good_wave(number), RATE)
    return tmp_path / "clips"


def kinds(found: sn.cleaning.Inspected, name: str) -> set[str]:
    """The kinds of oddities of a clip."""
    return {one.kind.value for one in found.found if one.clip == name}


def test_good_clips_are_left_alone(good: Path) -> None:
    """Nothing is odd about good clips, and every fact of theirs is known."""
    found = sn.cleaning.inspect(good)
    assert found.found == ()
    assert len(found.clean) == len(found.facts) == COUNT
    assert found.facts["00.wav"].bits == 16
    assert found.facts["00.wav"].seconds == SECONDS


@pytest.mark.parametrize("degree", range(DEGREES))
@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_under_its_name(good: Path, write: Write, fault: str, degree: int) -> None:
    """Each of ten kinds in four degrees is listed, and no other clip."""
    if fault == "upsampled" and degree > 0:
        pytest.skip("more than 60 % of the rate of these clips")
    if fault == "outlier" and degree == 2:
        pytest.skip("a square wave is not so far from these clips, which hold tones")
    planted = FAULTS[fault](good_wave(7), RATE, degree)
    write("clips/07.wav", planted.samples, planted.sample_rate)
    found = sn.cleaning.inspect(good)
    assert planted.kind.value in kinds(found, "07.wav")
    others = [str(one) for one in found.found if one.clip != "07.wav" and one.kind is not Oddity.OUTLIER]
    assert not others


def formant_wave(number: int, rate: int = RATE) -> np.ndarray:
    """Noise around 700 and 2500 Hz, of one of many lengths: such clips sound alike, whatever their rate."""
    rng = np.random.default_rng(1000 + number)
    length = round(rng.uniform(0.5, 3.0) * rate)
    hz = np.fft.rfftfreq(length, 1 / rate)
    shape = np.exp(-(((hz - 700) / 150) ** 2)) + 0.5 * np.exp(-(((hz - 2500) / 300) ** 2)) + 1e-3
    wave = np.fft.irfft(np.fft.rfft(rng.standard_normal(length)) * shape, length)
    return 0.5 * wave / np.abs(wave).max()


@pytest.mark.parametrize(("claimed", "wrong"), [(8_000, True), (32_000, True), (8_000, False), (32_000, False)])
def test_a_wrong_rate_is_told_by_the_spectrum_where_lengths_differ(
    write: Write, tmp_path: Path, claimed: int, wrong: bool
) -> None:
    """Among clips of any length, one that sounds like them only at their rate is suspected; one recorded so is not."""
    for number in range(COUNT):
        write(f"clips/{number:02d}.wav", formant_wave(number), RATE)
    write("clips/07.wav", formant_wave(7, RATE if wrong else claimed), claimed)
    found = sn.cleaning.inspect(tmp_path / "clips")
    suspected = [one for one in found.found if one.kind is Oddity.WRONG_RATE]
    assert [one.clip for one in suspected] == (["07.wav"] if wrong else [])
    if wrong:
        assert suspected[0].detail == (
            f"its header says {claimed} Hz; at {RATE} Hz, as most clips have, it sounds more like them"
        )


def test_exact_copies_are_found_in_any_lossless_format(good: Path) -> None:
    """Of clips with equal samples the first by name stays, and the others name it."""
    samples, rate = soundfile.read(good / "05.wav", dtype="int16")
    soundfile.write(good / "copy.flac", samples, rate)
    soundfile.write(good / "twice.wav", np.stack([samples, samples], axis=1), rate)
    found = sn.cleaning.inspect(good, kinds=["copy"])
    assert [(one.clip, one.like) for one in found.found] == [("copy.flac", "05.wav")]
    assert "05.wav" in [clip.name for clip in found.clean]


def test_a_clip_that_is_listed_twice_is_kept_once(good: Path) -> None:
    """A table that repeats a row keeps the first one."""
    table = good / "twice.csv"
    table.write_text("path\n01.wav\n02.wav\n01.wav\n")
    found = sn.cleaning.inspect(table, kinds=["copy"])
    assert found.odd == ("01.wav",)
    assert [clip.name for clip in found.clean] == ["01.wav", "02.wav"]


def test_a_file_that_cannot_be_read_is_listed_first(good: Path) -> None:
    """Bad files are counted, with the reason, and never end the inspection."""
    (good / "03.wav").write_bytes(b"no audio")
    (good / "04.wav").write_bytes(b"")
    found = sn.cleaning.inspect(good)
    assert found.odd == ("03.wav", "04.wav")
    assert [bad.reason.value for bad in found.bad] == ["unreadable", "empty"]
    assert found.counts == {"unreadable": 2}


def test_the_worst_clip_comes_first(good: Path, write: Write) -> None:
    """A silent clip stands before one with a DC offset, and two oddities before one of the same kind."""
    wave = good_wave(1)
    write("clips/01.wav", wave * 0.5 + 0.1, RATE)
    write("clips/02.wav", np.zeros(RATE), RATE)
    write("clips/03.wav", good_wave(3)[:2000] * 0.5 + 0.1, RATE)
    assert sn.cleaning.inspect(good).odd == ("02.wav", "03.wav", "01.wav")


def test_long_recordings_give_the_facts_of_short_ones(tmp_path: Path) -> None:
    """A recording that is read block by block is judged by the same figures as its beginning."""
    rng = np.random.default_rng(0)
    wave = np.clip(2 * rng.standard_normal(RATE * 300), -1, 1 - 2**-15)
    soundfile.write(tmp_path / "long.wav", wave, RATE)
    soundfile.write(tmp_path / "short.wav", wave[: RATE * 10], RATE)
    found = sn.cleaning.inspect(tmp_path, kinds=["clipped"])
    long, short = found.facts["long.wav"], found.facts["short.wav"]
    assert long.samples == RATE * 300
    assert long.clipped / long.samples == pytest.approx(short.clipped / short.samples, rel=0.2)
    np.testing.assert_allclose(long.level, short.level, atol=1.5)


def test_untrusted_files_give_the_same_facts(good: Path) -> None:
    """Decoding in another process changes no digest."""
    plain = sn.cleaning.inspect(good)
    confined = sn.cleaning.inspect(good, reader=sn.audio.Reader(sn.audio.Limits()))
    assert [one.digest for one in plain.facts.values()] == [one.digest for one in confined.facts.values()]


def test_mixed_formats_are_told(good: Path, write: Write) -> None:
    """Rates, channels and bits are counted over all clips, and the command says which of them are mixed."""
    write("clips/30.wav", np.stack([good_wave(30), good_wave(31)], axis=1), RATE)
    write("clips/31.wav", good_wave(31, 2.0), 2 * RATE)
    formats = sn.cleaning.inspect(good).formats
    assert formats == {
        "sample_rate": {RATE: COUNT + 1, 2 * RATE: 1},
        "channels": {1: COUNT + 1, 2: 1},
        "bits": {16: 32},
    }
    told = CliRunner().invoke(app, ["inspect", str(good)]).stderr
    assert "sample rates are mixed: 31 clips with 16000 Hz, 1 clip with 32000 Hz" in told
    assert "numbers of channels are mixed: 31 clips with 1, 1 clip with 2" in told
    assert "bit depths" not in told


def test_a_limit_decides(good: Path, write: Write) -> None:
    """A clip below one limit is odd, and above it is not; a limit out of bounds is refused."""
    write("clips/09.wav", good_wave(9) * 1e-2 / np.abs(good_wave(9)).max(), RATE)
    assert "09.wav" not in sn.cleaning.inspect(good, kinds=["nearly-silent"]).odd
    found = sn.cleaning.inspect(good, limits=InspectionLimits(quiet_dbfs=-35), kinds=["nearly-silent"])
    assert "09.wav" in found.odd
    with pytest.raises(sn.errors.ArgumentError, match=r"bit_depth=17 must be a number in 1 … 16"):
        InspectionLimits(bit_depth=17)
    with pytest.raises(sn.errors.ArgumentError, match="there is no such kind; choose among unreadable, silent"):
        sn.cleaning.inspect(good, kinds=["hum"])


def test_the_table_of_clean_clips_is_a_source(good: Path, write: Write, tmp_path: Path) -> None:
    """`fit` measures the clips of the table, which are all but the odd ones, with their columns."""
    write("clips/loud/30.wav", good_wave(30), RATE)
    write("clips/loud/31.wav", np.zeros(RATE), RATE)
    found = sn.cleaning.inspect(good)
    sn.cleaning.write_clean_table(found.clean, tmp_path / "clean.csv")
    source = sn.open_source(tmp_path / "clean.csv")
    assert len(source) == COUNT + 1
    assert source.values("label") == ("loud",)
    assert sn.fit(source, sn.FrontEnd(RATE)).clips == COUNT + 1


def test_pieces_go_through_the_table(good: Path, tmp_path: Path) -> None:
    """Sections and channels are written so that reading them again gives equal sections."""
    source = sn.audio.Windows(0.25).cut(sn.open_source(good))
    sn.cleaning.write_clean_table(source.clips, tmp_path / "pieces.tsv")
    again = sn.open_source(tmp_path / "pieces.tsv")
    assert [clip.span for clip in again] == [clip.span for clip in source]
    assert [clip.path.name for clip in again] == [clip.path.name for clip in source]


def test_what_a_table_cannot_name_is_refused(good: Path, tmp_path: Path) -> None:
    """Sounds in memory, other suffixes, and no clip at all."""
    held = sn.open_source([(good_wave(0), RATE)])
    with pytest.raises(sn.errors.ArgumentError, match="which a table cannot name"):
        sn.cleaning.write_clean_table(held.clips, tmp_path / "clean.csv")
    with pytest.raises(sn.errors.ArgumentError, match=r"ends in \.csv or \.tsv"):
        sn.cleaning.write_clean_table(sn.open_source(good).clips, tmp_path / "clean.json")
    with pytest.raises(sn.errors.ArgumentError, match="no clip is left"):
        sn.cleaning.write_clean_table([], tmp_path / "clean.csv")


def test_the_command_says_what_is_odd_and_exits_with_1(good: Path, write: Write) -> None:
    """Text names clip, kind and figure; JSON has all of it; nothing odd exits with 0, misuse with 2."""
    run = CliRunner().invoke
    assert run(app, ["inspect", str(good)]).exit_code == 0
    write("clips/11.wav", np.zeros(RATE), RATE)
    told = run(app, ["inspect", str(good)])
    assert told.exit_code == 1
    assert "30 clips, 1 odd: 1 silent" in told.stdout
    plain = json.loads(run(app, ["inspect", str(good), "--json"]).stdout)
    assert plain["counts"] == {"silent": 1}
    assert plain["found"][0] == {"clip": "11.wav", "kind": "silent", "detail": "all its samples are zero"}
    assert run(app, ["inspect", str(good), "--kinds", "silence"]).exit_code == 2


def test_the_command_writes_the_table_and_never_over_another_file(good: Path, write: Write, tmp_path: Path) -> None:
    """With `--exclude` the exit code is 0; a file that stands there is kept unless `--overwrite` is given."""
    write("clips/11.wav", np.zeros(RATE), RATE)
    table = tmp_path / "clean.csv"
    arguments = ["inspect", str(good), "--exclude", str(table)]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert len(sn.open_source(table)) == COUNT - 1
    table.write_text("mine")
    assert CliRunner().invoke(app, arguments).exit_code == 2
    assert table.read_text() == "mine"
    assert CliRunner().invoke(app, [*arguments, "--overwrite"]).exit_code == 0


def test_the_page_shows_and_plays_each_odd_clip(good: Path, write: Write, tmp_path: Path) -> None:
    """One player with a label and one picture with a text for each clip that can be read, and nothing from outside."""
    pytest.importorskip("jinja2")
    write("clips/<b>.wav", good_wave(2) * 0.5 + 0.2, RATE)
    (good / "03.wav").write_bytes(b"no audio")
    page = tmp_path / "odd.html"
    assert CliRunner().invoke(app, ["inspect", str(good), "--html", str(page)]).exit_code == 1
    text = page.read_text()
    assert text.count("<audio controls") == text.count("<img alt=") == 1
    assert 'aria-label="&lt;b&gt;.wav"' in text
    assert "<b>" not in text
    assert "http" not in text
    assert "unreadable" in text


@pytest.mark.parametrize("rate", [4000, 8000, 44_100, 192_000])
def test_a_player_holds_a_rate_that_browsers_play(rate: int) -> None:
    """The excerpt is two seconds of the loudest place, between 8 and 48 kHz."""
    samples = np.zeros((5 * rate, 1), np.float32)
    samples[4 * rate] = 0.5
    excerpt = excerpt_of(rate, [samples])
    wave, played = soundfile.read(io.BytesIO(excerpt.flac()))
    assert 8000 <= played <= 48_000
    assert len(wave) == pytest.approx(2 * played, rel=0.01)
    assert np.abs(wave).max() == pytest.approx(0.5, abs=1e-3)
    assert excerpt.picture().startswith(b"\x89PNG")


def test_every_kind_has_a_place_and_a_name() -> None:
    """Kinds are told by lower-case words that may stand on a command line."""
    assert all(kind.value.replace("-", "").isalpha() and kind.value.islower() for kind in Oddity)
