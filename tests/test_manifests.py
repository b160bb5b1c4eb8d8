"""Manifests: each sample gives the clips, sections and columns of its origin, and bad ones give one clear error."""

from __future__ import annotations

import gzip
import json
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from tests.manifest_layout import RATE, SAMPLES, lay_out, tone, write
from typer.testing import CliRunner

import spectronorm as sn
from spectronorm.audio import Reader
from spectronorm.audio.oddities_of_sources import listed_twice
from spectronorm.cli.app import app
from spectronorm.errors import AudioError, SourceError, SpectronormError

ORIGINS = json.loads((SAMPLES / "origins.json").read_text())
FRONT_END = sn.FrontEnd(RATE)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay_out(tmp_path_factory.mktemp("manifests"))


def samples_of(clip: Any) -> np.ndarray[Any, Any]:
    return Reader().read(clip, RATE).samples


@pytest.mark.parametrize("place", ["lhotse/lhotse_cuts.jsonl.gz", "lhotse/lhotse_recordings.jsonl.gz", "shar", "kaldi"])
def test_origins_give_the_same_clips(place: str, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids, lengths, energies and columns are those that Lhotse and Kaldi give (tests/manifest_origins.py)."""
    monkeypatch.chdir(root)  # relative paths may lead from the working directory too
    found = {clip.name: clip for clip in sn.open_source(place)}
    expected = ORIGINS[place]
    assert set(found) >= set(expected)
    assert place == "kaldi" or set(found) == set(expected)
    for name, origin in expected.items():
        samples = samples_of(found[name])
        assert len(samples) == origin["samples"]
        assert float((samples.astype(float) ** 2).sum()) == pytest.approx(origin["energy"], abs=2e-3)
        for column in ("speaker", "label", "recording"):
            if column in origin and origin[column] is not None:
                assert found[name].columns.get(column) == origin[column]


def test_webdataset_gives_the_same_columns(root: Path) -> None:
    """Classes and JSON of the sample shard are those that the package webdataset gives."""
    place = "webdataset/webdataset-000000.tar"
    found = {clip.name.removesuffix(".flac"): dict(clip.columns) for clip in sn.open_source(root / place)}
    assert found == {key: {name: str(value) for name, value in one.items()} for key, one in ORIGINS[place].items()}


NEMO = {"text": "hi", "lang": "en"}
DOCUMENTED = {
    # place: [(name, file, first and last second, channel, columns without recording)]
    "nemo/nemo.jsonl": [
        (f"folder/cat/{n}/{span}.wav", f"folder/cat/{n}.wav", times, None, NEMO)
        for n, (span, times) in enumerate(
            [
                ("0000.000-0000.500", (0.0, 0.5)),
                ("0000.100-0000.600", (0.1, 0.6)),
                ("0000.200-0000.700", (0.2, 0.7)),
            ]
        )
    ],
    "speechbrain/speechbrain.csv": [
        (f"u{n}", f"folder/cat/{n}.wav", (0.0, 0.5), None, {"duration": "1.0", "spk_id": f"s{n}"}) for n in range(3)
    ],
    "speechbrain/speechbrain.json": [
        (f"u{n}", f"folder/cat/{n}.wav", (0.0, 0.5), None, {"length": "1.0", "spk_id": f"s{n}"}) for n in range(3)
    ],
    "kaldi": [
        ("utt1", "rec1.wav", (0.0, 1.5), None, {"speaker": "A"}),
        ("utt2", "rec1.wav", (2.0, 4.25), None, {"speaker": "A"}),
        ("utt3", "rec2.flac", (0.5, 3.0), None, {"speaker": "B"}),
    ],
    "cv": [
        (
            f"common_voice_en_{n}.mp3",
            f"clips/common_voice_en_{n}.mp3",
            None,
            None,
            {"speaker": f"c{n}", "split": "train", "locale": "en", "sentence": 'Hello "there'},
        )
        for n in range(3)
    ],
    "audiofolder": [
        (f"{n}.wav", f"{n}.wav", None, None, {"label": ("dog", "cat")[n % 2], "fold": str(n % 2)}) for n in range(4)
    ],
    "raven/site1.Table.1.selections.txt": [
        ("site1/0001.000-0002.500.wav#0", "site1.wav", (1.0, 2.5), 0, {"label": "Robin", "High Freq (Hz)": "3000"}),
        ("site1/0007.250-0008.000.wav#0", "site1.wav", (7.25, 8.0), 0, {"label": "Wren", "High Freq (Hz)": "6000"}),
    ],
    "raven/site1.BirdNET.selection.table.txt": [
        ("site1/0003.000-0006.000.wav", "site1.wav", (3.0, 6.0), None, {"label": "Eurasian Wren", "Confidence": "0.83"})
    ],
    "audacity/audacity_labels.txt": [
        ("audacity_labels/0001.000-0002.500.wav", "audacity_labels.wav", (1.0, 2.5), None, {"label": "Robin"}),
        ("audacity_labels/0007.250-0008.000.wav", "audacity_labels.wav", (7.25, 8.0), None, {"label": "Wren"}),
    ],
}


@pytest.mark.parametrize("place", DOCUMENTED)
def test_documented_layouts_give_their_clips(place: str, root: Path) -> None:
    """Names, sections, channels, columns and samples are those that the format's documentation gives."""
    source = sn.open_source(root / place)
    assert [clip.name for clip in source] == [name for name, *_ in DOCUMENTED[place]]
    folder = root / place if (root / place).is_dir() else (root / place).parent
    for clip, (_, file, times, channel, columns) in zip(source, DOCUMENTED[place], strict=True):
        assert dict(clip.columns).items() >= columns.items()
        whole, rate = soundfile.read(folder / file, dtype="float32", always_2d=True)
        first, last = (0, len(whole)) if times is None else (round(times[0] * rate), round(times[1] * rate))
        section = whole[first:last]
        expected = section.mean(axis=1) if channel is None else section[:, channel]
        np.testing.assert_allclose(samples_of(clip), expected, atol=1e-6)
        assert times is None or "recording" in clip.columns


@pytest.mark.parametrize("place", DOCUMENTED)
def test_files_of_the_manifest_are_inputs(place: str, root: Path, tmp_path: Path) -> None:
    """A profile can be fitted, saved and resumed; it never replaces the manifest."""
    shutil.copytree(root / place.split("/", maxsplit=1)[0], tmp_path / "copy")
    target = tmp_path / "copy" / "/".join(place.split("/")[1:])
    source = sn.open_source(target)
    assert sn.fit(source, FRONT_END, output=tmp_path / "p.safetensors").clips == len(source)
    with pytest.raises(SpectronormError):
        sn.fit(source, FRONT_END, output=source.listing[0])


def test_other_files_of_a_manifests_folder_are_counted(root: Path, tmp_path: Path) -> None:
    """What a manifest does not list is told by suffix, sounds too."""
    shutil.copytree(root / "audiofolder", tmp_path / "af")
    (tmp_path / "af" / "notes.md").write_text("x")
    shutil.copy(tmp_path / "af" / "0.wav", tmp_path / "af" / "not listed.wav")
    assert sn.open_source(tmp_path / "af").unread == {".md": 1, ".wav": 1}


def test_splits_of_an_audio_folder(tmp_path: Path) -> None:
    """Metadata may lie in the folder of each split, in any of the three formats."""
    pq = pytest.importorskip("pyarrow.parquet")
    pa = pytest.importorskip("pyarrow")
    for split in ("train", "test", "validation"):
        write(tmp_path / split / "sub" / "a.wav", 0.2)
    (tmp_path / "train" / "metadata.csv").write_text("file_name,label\nsub/a.wav,x\n")
    (tmp_path / "test" / "metadata.jsonl").write_text('{"file_name": "sub/a.wav", "label": "y"}\n')
    pq.write_table(pa.table({"file_name": ["sub/a.wav"], "label": ["z"]}), tmp_path / "validation" / "metadata.parquet")
    found = [(clip.name, dict(clip.columns)) for clip in sn.open_source(tmp_path)]
    assert found == [
        ("test/sub/a.wav", {"label": "y", "split": "test"}),
        ("train/sub/a.wav", {"label": "x", "split": "train"}),
        ("validation/sub/a.wav", {"label": "z", "split": "validation"}),
    ]


def test_a_selection_in_two_views_is_one_clip(tmp_path: Path) -> None:
    """Raven lists each selection once for the waveform and once for the spectrogram."""
    write(tmp_path / "a.wav", 3)
    head = "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tAnnotation\n"
    rows = "".join(f"{n}\t{view}\t1\t{n}\t{n + 0.5}\tx\n" for n in (1, 2) for view in ("Waveform 1", "Spectrogram 1"))
    (tmp_path / "a.Table.1.selections.txt").write_text(head + rows)
    assert len(sn.open_source(tmp_path / "a.Table.1.selections.txt")) == 2


def test_many_tables_are_opened_by_a_pattern(tmp_path: Path) -> None:
    """A pattern of selection tables gives the clips of all of them."""
    for name in ("a", "b"):
        write(tmp_path / f"{name}.wav", 3)
        (tmp_path / f"{name}.selections.txt").write_text("Begin Time (s)\tEnd Time (s)\tSpecies\n1\t2\tWren\n")
    source = sn.open_source(str(tmp_path / "*.selections.txt"))
    assert [clip.name for clip in source] == ["a/0001.000-0002.000.wav", "b/0001.000-0002.000.wav"]


def test_labels_of_points_are_counted(tmp_path: Path) -> None:
    """A label without a duration is no clip; frequencies of a label are no label; a decimal comma is read."""
    write(tmp_path / "a.wav", 3)
    (tmp_path / "a.txt").write_text("0,5\t1,0\tx\n\\\t100\t200\n2.0\t2.0\tpoint\n")
    source = sn.open_source(tmp_path / "a.txt")
    assert ([clip.name for clip in source], dict(source.unread)) == (
        ["a/0000.500-0001.000.wav"],
        {"labels of a point": 1},
    )


def test_kaldi_commands_are_not_run(tmp_path: Path) -> None:
    """A command in wav.scp makes a bad clip that names it, and no file."""
    write(tmp_path / "a.wav", 1)
    (tmp_path / "wav.scp").write_text(
        f"a a.wav\nb touch {tmp_path}/made |\nc | touch {tmp_path}/made\nd x.ark:17\ne -\n"
    )
    found = sn.fit(tmp_path, FRONT_END, max_bad=1)
    assert [bad.path for bad in found.bad] == ["b", "c", "d", "e"]
    assert "which is not run" in found.bad[0].detail
    assert not (tmp_path / "made").exists()


def test_a_file_that_a_manifest_misses_is_a_bad_clip(tmp_path: Path) -> None:
    """The others are measured; the missing one is listed."""
    write(tmp_path / "a.wav", 1)
    (tmp_path / "m.jsonl").write_text('{"audio_filepath": "a.wav"}\n{"audio_filepath": "absent.wav"}\n')
    found = sn.fit(tmp_path / "m.jsonl", FRONT_END, max_bad=0.5)
    assert [(bad.path, bad.reason.value) for bad in found.bad] == [("absent.wav", "missing")]


def test_paths_out_of_the_folder_are_read_and_never_written(tmp_path: Path) -> None:
    """`..` and absolute paths lead to recordings; outputs stay below their folder."""
    write(tmp_path / "outside" / "a.wav", 1)
    write(tmp_path / "other" / "b.wav", 1)
    folder = tmp_path / "set"
    folder.mkdir()
    rows = [{"audio_filepath": "../outside/a.wav"}, {"audio_filepath": str(tmp_path / "other" / "b.wav")}]
    (folder / "m.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / "k").mkdir()
    (folder / "k" / "wav.scp").write_text("../../x ../../outside/a.wav\n")
    before = {path for path in tmp_path.rglob("*") if "out" not in path.parts}
    for target in (folder / "m.jsonl", folder / "k"):
        source = sn.open_source(target)
        assert all(".." not in clip.name and not clip.name.startswith("/") for clip in source)
        profile = sn.fit(source, FRONT_END)
        pipeline = sn.Pipeline(FRONT_END, sn.Standardize().fit(profile))
        sn.apply(source, pipeline, tmp_path / "out" / target.stem)
    assert {path for path in tmp_path.rglob("*") if "out" not in path.relative_to(tmp_path).parts} == before


SPANS = {
    "reversed": (2.0, 1.0),
    "beyond the end": (0.5, 99.0),
    "behind the end": (50.0, 99.0),
    "NaN": (float("nan"), 1.0),
    "negative": (-1.0, 1.0),
    "empty": (1.0, 1.0),
    "infinite": (0.0, float("inf")),
}


@pytest.mark.parametrize("kind", ["kaldi", "nemo", "raven"])
@pytest.mark.parametrize("name", SPANS)
def test_sections_that_cannot_be_are_bad_clips(name: str, kind: str, tmp_path: Path) -> None:
    """A wrong section is listed with its reason, and the other clips are measured."""
    write(tmp_path / "a.wav", 3)
    start, end = SPANS[name]
    if kind == "kaldi":
        (tmp_path / "wav.scp").write_text("r a.wav\n")
        (tmp_path / "segments").write_text(f"good r 0.5 1.5\nbad r {start} {end}\n")
        target = tmp_path
    elif kind == "nemo":
        rows = [{"offset": 0.5, "duration": 1.0}, {"offset": start, "duration": end - start}]
        target = tmp_path / "m.jsonl"
        target.write_text("\n".join(json.dumps({"audio_filepath": "a.wav", **row}) for row in rows))
    else:
        target = tmp_path / "a.txt"
        target.write_text(f"Begin Time (s)\tEnd Time (s)\n0.5\t1.5\n{start}\t{end}\n")
    found = sn.fit(target, FRONT_END, max_bad=0.5)
    assert (found.clips, len(found.bad)) == (1, 1)
    assert found.bad[0].reason.value in ("span", "truncated")


LHOTSE = {
    "id": "c",
    "start": 0,
    "duration": 1.0,
    "channel": 0,
    "type": "MonoCut",
    "recording": {
        "id": "r",
        "sources": [{"type": "file", "channels": [0], "source": "a.wav"}],
        "sampling_rate": RATE,
        "num_samples": RATE,
        "duration": 1.0,
    },
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"type": "MixedCut"}, "MixedCut"),
        ({"type": "PaddingCut"}, "PaddingCut"),
        ({"channel": 5}, "no such channel"),
        ({"channel": "left"}, "not a number"),
        ({"recording": None}, "no source"),
        ({"recording": {**LHOTSE["recording"], "transforms": [{"name": "Speed"}]}}, "transforms"),
        (
            {"recording": {**LHOTSE["recording"], "sources": [{"type": "command", "source": "touch x"}]}},
            "nothing is run",
        ),
        ({"recording": {**LHOTSE["recording"], "sources": [{"type": "memory", "source": "x"}]}}, "nothing is run"),
    ],
)
def test_cuts_that_are_no_recorded_sound_are_bad_clips(change: dict[str, Any], words: str, tmp_path: Path) -> None:
    """Transforms, mixtures, commands and memory are listed with a reason; nothing is computed or run for them."""
    write(tmp_path / "a.wav", 1)
    (tmp_path / "cuts.jsonl").write_text(json.dumps(LHOTSE) + "\n" + json.dumps({**LHOTSE, "id": "d", **change}))
    found = sn.fit(tmp_path / "cuts.jsonl", FRONT_END, max_bad=0.5)
    assert [bad.path for bad in found.bad] == ["d"]
    assert words in found.bad[0].detail


def test_channels_of_lhotse(tmp_path: Path) -> None:
    """A MonoCut of a stereo recording is its channel; a recording in two files is read from the one that holds it."""
    write(tmp_path / "s.wav", 1, channels=2)
    write(tmp_path / "a.wav", 1)
    stereo = {**LHOTSE["recording"], "sources": [{"type": "file", "channels": [0, 1], "source": "s.wav"}]}  # type: ignore[dict-item]
    two = [{"type": "file", "channels": [n], "source": name} for n, name in enumerate(["s.wav", "a.wav"])]
    cuts = [
        {**LHOTSE, "id": "x", "channel": 1, "recording": {**stereo, "channel_ids": [0, 1]}},
        {
            **LHOTSE,
            "id": "y",
            "channel": 1,
            "recording": {**LHOTSE["recording"], "sources": two, "channel_ids": [0, 1]},
        },  # type: ignore[dict-item]
    ]
    (tmp_path / "cuts.jsonl.gz").write_bytes(gzip.compress("\n".join(map(json.dumps, cuts)).encode()))
    second, other = sn.open_source(tmp_path / "cuts.jsonl.gz")
    np.testing.assert_allclose(samples_of(second), tone(1, 2)[:, 1], atol=1e-4)
    np.testing.assert_allclose(samples_of(other), tone(1), atol=1e-4)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("wav.scp", "only-an-id\n"),
        ("x.selections.txt", "Begin Time (s)\tEnd Time (s)\n1\t2\n"),  # no recording beside
        ("m.jsonl", '{"audio_filepath": "a.wav", "offset": "soon"}\n'),
        ("m.jsonl", '{"audio_filepath": "a.wav"}\n[1]\n'),
        ("m.jsonl", '{"audio_filepath": "a.wav"}\n{"audio'),
        ("m.jsonl", '{"audio_filepath": "a.wav"}\n' + "[" * 100_000),
        ("m.csv", "ID,wav,start\nx,a.wav,first\n"),
        ("m.json", '{"u": {"wav": '),
        ("m.tsv", "client_id\tpath\n"),
        ("x.txt", "some text\n"),
        ("index.json", '{"chunks": []}'),
        ("x.bin", "\0\1\2\3" * 100),
        ("x.npy", "\x93NUMPY"),
        ("m.csv", "file,label\na.wav,x\n"),
    ],
)
def test_files_that_are_no_manifest_say_so(name: str, content: str, tmp_path: Path) -> None:
    """One error names the file; if it is no manifest at all, those that are known are listed."""
    write(tmp_path / "a.wav", 1)
    (tmp_path / name).write_text(content, encoding="latin-1")
    with pytest.raises(SourceError, match=name):
        sn.open_source(tmp_path / name)
    if name in ("x.txt", "index.json", "x.bin"):
        with pytest.raises(SourceError, match="neither audio nor .*Kaldi.*Lhotse.*NeMo.*Raven"):
            sn.open_source(tmp_path / name)


@given(
    st.sampled_from(["wav.scp", "segments", "m.jsonl", "c.jsonl", "m.csv", "m.json", "m.tsv", "x.txt", "a.txt"]),
    st.integers(0, 900),
    st.binary(max_size=8),
    st.booleans(),
)
def test_damage_stays_in_the_family_of_errors(
    tmp_path_factory: pytest.TempPathFactory, name: str, place: int, new: bytes, cut: bool
) -> None:
    """Any change of a manifest gives clips that can be read, bad clips, or an error of spectronorm's family."""
    folder = tmp_path_factory.mktemp("damage")
    write(folder / "a.wav", 0.2)
    originals = {"m.jsonl": "nemo.jsonl", "m.csv": "speechbrain.csv", "m.json": "speechbrain.json"}
    originals |= {"m.tsv": "common_voice.tsv", "x.txt": "site1.Table.1.selections.txt", "a.txt": "audacity_labels.txt"}
    for target in ("wav.scp", "segments"):
        shutil.copy(SAMPLES / target, folder)
    if name == "c.jsonl":
        data = gzip.decompress((SAMPLES / "lhotse_cuts.jsonl.gz").read_bytes())
    else:
        data = (SAMPLES / originals.get(name, name)).read_bytes()
    at = place % (len(data) + 1)
    (folder / name).write_bytes(data[:at] + new + (b"" if cut else data[at + len(new) :]))
    try:
        for clip in sn.open_source(folder / name):
            try:
                samples_of(clip)
            except AudioError:
                continue
    except SpectronormError:
        pass


def test_a_million_rows_are_fast_and_bounded(tmp_path: Path) -> None:
    """A manifest is listed in a time that grows with its rows, and in less than 1.5 kB for each."""
    import resource  # noqa: PLC0415  (POSIX only)

    def listed(rows: int) -> float:
        target = tmp_path / f"{rows}.jsonl"
        with target.open("w") as file:
            for n in range(rows):
                file.write(
                    f'{{"audio_filepath": "f/{n % 100}.wav", "offset": {n * 0.5}, "duration": 0.5, "label": "x"}}\n'
                )
        began = time.process_time()
        assert len(sn.open_source(target)) == rows
        return time.process_time() - began

    few = listed(20_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    many = listed(200_000)
    assert many < 30 * few  # ten times the rows
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < 200_000 * 1500


def test_clips_that_are_listed_twice_are_told(tmp_path: Path) -> None:
    """A row that repeats another's sound is counted and told; sections of one file that differ are not."""
    write(tmp_path / "a.wav", 2)
    rows = [{"audio_filepath": "a.wav", "offset": start, "duration": 1.0} for start in (0.0, 0.5, 0.0)]
    (tmp_path / "m.jsonl").write_text("\n".join(map(json.dumps, rows)))
    done = CliRunner().invoke(app, ["fit", str(tmp_path / "m.jsonl"), "-o", str(tmp_path / "p.safetensors")])
    assert done.exit_code == 0, done.output
    assert "1 clip has the sound of an earlier clip" in " ".join(done.output.split())
    assert sn.Profile.load(tmp_path / "p.safetensors").clips == 3
    assert listed_twice(sn.open_source(tmp_path / "a.wav").clips) == []


def test_mixed_sample_rates_are_told(tmp_path: Path) -> None:
    """Files below the front end's rate among others are told with counts; one rate for all is not."""
    for number in range(5):
        soundfile.write(
            tmp_path / f"{number}.wav", 0.1 * np.ones(4000) * (-1) ** np.arange(4000), 8000 if number else 16000
        )
    arguments = ["fit", str(tmp_path), "--sample-rate", "16000", "-o", str(tmp_path / "p.safetensors")]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert "of 5 clips, 4 at 8000 Hz, 1 at 16000 Hz" in " ".join(done.output.split())
    (tmp_path / "0.wav").unlink()
    done = CliRunner().invoke(app, arguments)
    assert "rates are mixed" not in done.output


def test_the_command_reads_manifests(root: Path, tmp_path: Path) -> None:
    """`spectronorm fit` takes a manifest, with its columns as groups."""
    arguments = ["fit", str(root / "kaldi"), "-o", str(tmp_path / "p.safetensors"), "--group-by", "speaker"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert {dict(key)["speaker"] for key in sn.Profile.load(tmp_path / "p.safetensors").groups} == {"A", "B"}
