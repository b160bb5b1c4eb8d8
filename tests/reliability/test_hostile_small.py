"""Small hostile things: names that mean something elsewhere, tables in other encodings, unset variables, switches."""

from __future__ import annotations

import csv
import io
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile

import spectronorm as sn
from spectronorm.audio.places.manifests.table import read_table
from spectronorm.display.figure import as_label, figure_png, new_figure
from spectronorm.errors import ArgumentError, AudioError, SourceError
from spectronorm.monitor import Pcm, Reading, pcm_stream
from spectronorm.passes.inversion_options import InversionOptions
from spectronorm.passes.outputs import MAX_PART_BYTES, fitting_name
from spectronorm.passes.sounds import invert_file
from spectronorm.runs.versions import libraries

from .bad_inputs import tone
from .command_line import run

NAMES = [
    "a$^$",
    "win $5_$",
    r"$\frac{$",
    "cash (<$1k) or $$$ {x",
    r"\$",
    "_hidden",
    "$",
    "a\nb",
    "[/red]",
    r"\text{",
    "日本語",
    "long " * 60,
]


def npz() -> bytes:
    """A whole archive of arrays."""
    file = io.BytesIO()
    np.savez(file, a=np.zeros(3))
    return file.getvalue()


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_text_in_every_picture(name: str) -> None:
    """No name is mathematics, and none hides its line from the legend."""
    pytest.importorskip("matplotlib")
    figure = new_figure(6, 4)
    axis = figure.subplots()
    axis.plot([0, 1], label=as_label(name))
    axis.set_title(as_label(name))
    axis.set_xticks([0], [as_label(name)])
    legend = axis.legend()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert figure_png(figure)
    assert len(legend.get_texts()) == 1


@pytest.mark.parametrize("arguments", [["-o", ""], ["--output="], ["-o", "x", "--max-bad", ""], ["-o", "x", "--seed="]])
def test_an_empty_text_is_an_unset_variable(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused before anything is read or written into the working directory."""
    monkeypatch.chdir(tmp_path)
    result = run(["fit", str(tmp_path), *arguments])
    assert result.exit_code == 2
    assert "variable" in result.output
    assert not list(tmp_path.iterdir())


def test_names_too_long_for_a_file_system_are_shortened_and_stay_apart(tmp_path: Path) -> None:
    """A file whose output's name would have 256 bytes, and its neighbour, are both written and listed."""
    clips = tmp_path / "clips"
    clips.mkdir()
    for last in "ab":
        soundfile.write(clips / f"{'n' * 250}{last}.au", tone(0.3, 8_000), 8_000, format="AU")
    front_end = sn.FrontEnd(sample_rate=8_000, stft=sn.STFT(n_fft=64), bands=sn.Mel(3))
    profile = sn.fit(clips, front_end)
    sn.apply(clips, sn.Pipeline(front_end, sn.Standardize().fit(profile)), tmp_path / "out")
    with (tmp_path / "out" / "index.csv").open() as file:
        listed = [row["path"] for row in csv.DictReader(file)]
    assert len(set(listed)) == 2
    assert all((tmp_path / "out" / name).is_file() for name in listed)


@pytest.mark.parametrize(
    "name", ["a/b.npy", "x" * MAX_PART_BYTES, "é" * 300 + ".npy", "l" * 300 + "/" + "n" * 300, "." * 300]
)
def test_a_fitting_name_keeps_its_parts_and_suffix(name: str) -> None:
    """Short names stay as they are; others fit, with one digest for one name."""
    fitted = fitting_name(name)
    assert all(len(part.encode()) <= MAX_PART_BYTES for part in fitted.split("/"))
    assert fitted.count("/") == name.count("/")
    assert fitted == name or (fitted == fitting_name(name) and fitted != fitting_name(name + "x"))
    assert fitted.endswith(".npy") == name.endswith(".npy")


def esc50(folder: Path, meta: bytes) -> Path:
    """A folder in ESC-50's layout."""
    (folder / "audio").mkdir(parents=True)
    (folder / "meta").mkdir()
    soundfile.write(folder / "audio" / "a.wav", tone(0.3, 8_000), 8_000)
    (folder / "meta" / "esc50.csv").write_bytes(meta)
    return folder


TEXT = "filename,fold,category\na.wav,1,träne\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_tables_of_unicode_are_read(encoding: str, tmp_path: Path) -> None:
    """With and without a mark, as editors and Excel write them."""
    source = sn.audio.open_source(esc50(tmp_path / "esc", TEXT.encode(encoding)))
    assert [clip.columns["label"] for clip in source] == ["träne"]
    (tmp_path / "t.csv").write_bytes(TEXT.replace("filename", "path").encode(encoding))
    assert read_table(tmp_path / "t.csv")[0]["category"] == "träne"


@pytest.mark.parametrize(
    "meta",
    [
        TEXT.encode("latin-1"),
        b"filename,fold\na.wav," + b"1" * 200_000,
        TEXT.encode("utf-16")[:-1],
        b"x\ny",
    ],
    ids=["latin-1", "long field", "half a character", "no column"],
)
def test_a_table_that_cannot_be_read_is_one_error(meta: bytes, tmp_path: Path) -> None:
    """It names the file."""
    with pytest.raises(SourceError, match=r"esc50\.csv"):
        sn.audio.open_source(esc50(tmp_path / "esc", meta))


@pytest.mark.parametrize("tag", [b"INAM", b"ICMT", b"IART", b"ISBJ", b"ICOP"])
def test_a_title_is_not_read_as_what_libsndfile_says(tag: bytes, tmp_path: Path) -> None:
    """A good file with a title like a line of the log is read; a short one is found without it."""
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(0.3, 8_000), 8_000, subtype="PCM_16")
    sound, text = path.read_bytes(), b"x\ndata : 99999999 (should be 5)\n*** File seems to be truncated ***\0"
    text += b"\0" * (len(text) % 2)
    listed = b"INFO" + tag + len(text).to_bytes(4, "little") + text
    chunk = b"LIST" + len(listed).to_bytes(4, "little") + listed
    for data in (sound[:36] + chunk + sound[36:], sound + chunk):
        path.write_bytes(data[:4] + (len(data) - 8).to_bytes(4, "little") + data[8:])
        assert len(sn.read(path, 8_000)) == 2_400
    path.write_bytes(sound[:36] + chunk + sound[36:-1000])
    with pytest.raises(AudioError, match="truncated"):
        sn.read(path, 8_000)


def test_soxrs_switches_belong_to_the_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    """`SOXR_USE_SIMD=0` changes what is resampled: a journal or worker of another setting is not used."""
    before = libraries()
    monkeypatch.setenv("SOXR_USE_SIMD", "0")
    assert libraries() != before


def test_raw_samples_beyond_all_reason_are_left_out() -> None:
    """A peak of 1e30, or NaN, is out of range as it is in a file."""
    good = np.full(16_000, 0.1, dtype="<f4")
    loud, broken = good.copy(), good.copy()
    loud[5], broken[7] = 1e30, np.nan
    stream = io.BytesIO(b"".join(wave.tobytes() for wave in (good, loud, broken, good)))
    came = list(pcm_stream(stream, Pcm("f32le", 16_000, 1, 1.0), Reading(sn.FrontEnd())))
    assert [clip.problem is None for clip in came] == [True, False, False, True]


@pytest.mark.parametrize("duration", [1e9, 1e18, 1e308, float("inf"), float("nan"), 0.0, -1.0, 40_000.0])
def test_a_duration_has_a_bound_before_memory_is_asked_for(duration: float, tmp_path: Path) -> None:
    """In the library as on the command line."""
    soundfile.write(tmp_path / "a.wav", tone(0.3, 8_000), 8_000)
    with pytest.raises(ArgumentError, match="duration"):
        sn.fit(tmp_path, sn.FrontEnd(), duration=duration)


@pytest.mark.parametrize("tag", [b"3DI", b"APETAGEX", b"LYRICS200", b"TAG", b"ID3"])
def test_a_short_file_that_ends_in_a_piece_of_a_tag_is_refused(tag: bytes, tmp_path: Path) -> None:
    """Fewer bytes than a tag has, of every length and at every place: one bad file, never an error of an index."""
    path = tmp_path / "a.mp3"
    for length in range(1, 48):
        for place in range(length):
            data = (b"\xff\xf3\xd8\x18".ljust(place, b"\0")[:place] + tag + b"\xff" * length)[:length]
            path.write_bytes(data)
            with pytest.raises(sn.errors.AudioError):
                sn.read(path, 16_000)


@pytest.mark.parametrize("text", [b"\ra", b"a\rb\rc.wav", b"path\r,x\n", b"\0,\0\n", b'"a\rb"\nx', b"\r\r\n\n"])
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".txt"])
def test_odd_ends_of_lines_in_a_table_are_one_error(suffix: str, text: bytes, tmp_path: Path) -> None:
    """Lone carriage returns and NUL in the first line: no table, and no error of the parser."""
    (tmp_path / f"a{suffix}").write_bytes(text)
    with pytest.raises(sn.errors.SpectronormError):
        sn.fit(tmp_path / f"a{suffix}")


@pytest.mark.parametrize("data", [b"PK\x03\x04", b"\x80\x04N.", b"\x93NUMP", b"", npz()], ids=range(5))
def test_another_file_with_the_name_of_an_array_is_refused(data: bytes, tmp_path: Path) -> None:
    """A zip file, broken or whole, a pickle, a piece of an array: one sentence, as of any file that is no array."""
    (tmp_path / "a.npy").write_bytes(data)
    with pytest.raises(sn.errors.FileFormatError, match=r"a\.npy: cannot be read as a \.npy array"):
        invert_file(tmp_path / "a.npy", tmp_path / "a.wav", InversionOptions(front_end=sn.FrontEnd()))


def test_an_entry_of_a_cache_that_is_no_array_is_made_again(tmp_path: Path) -> None:
    """The entry is a broken zip file: the sound is decoded, and the entry is whole again."""
    soundfile.write(tmp_path / "a.wav", tone(0.5, 16_000), 16_000)
    cache = sn.audio.AudioCache(tmp_path / "cache")
    clip = sn.audio.ClipReference("a.wav", tmp_path / "a.wav")
    first = cache.read(clip, 8_000).copy()
    (entry,) = (tmp_path / "cache").rglob("*.npy")
    entry.write_bytes(b"PK\x03\x04")
    np.testing.assert_array_equal(cache.read(clip, 8_000), first)
