"""Sources that Python code gives, and data sets of Hugging Face and WebDataset: all have the profile of a folder."""

from __future__ import annotations

import io
import json
import os
import pickle
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import spectronorm as sn
from spectronorm.audio import Reader, Source
from spectronorm.engines import ProcessEngine
from spectronorm.errors import ArgumentError, AudioError, SourceError, SpectronormError, TooManyBad
from spectronorm.interop.hugging_face import Mapped

RATE = 16_000
FRONT_END = sn.FrontEnd(RATE)


class Clips:
    """Eight clips of a folder with two labels, as files, bytes and waves."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        rng = np.random.default_rng(0)
        self.paths: list[Path] = []
        for index in range(8):
            path = folder / ("cat", "dog")[index % 2] / f"{index}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, 0.1 * rng.standard_normal(6000 + 100 * index), RATE)
            self.paths.append(path)

    @property
    def bytes(self) -> list[bytes]:
        return [path.read_bytes() for path in self.paths]

    @property
    def waves(self) -> list[NDArray[np.float32]]:
        return [soundfile.read(path, dtype="float32")[0] for path in self.paths]

    def rows(self) -> list[dict[str, Any]]:
        return [
            {"audio": {"bytes": data, "path": path.name}, "label": index % 2, "fold": index % 4}
            for index, (data, path) in enumerate(zip(self.bytes, self.paths, strict=True))
        ]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    return Clips(tmp_path_factory.mktemp("clips") / "sounds")


@pytest.fixture(scope="module")
def expected(clips: Clips) -> sn.Profile:
    return sn.fit(clips.folder, FRONT_END)


def dataset_of(clips: Clips) -> Any:
    """A `Dataset` with decoded audio, as users have it."""
    datasets = pytest.importorskip("datasets")
    value, classes = datasets.Value, datasets.ClassLabel(names=["cat", "dog"])
    stored = {"bytes": value("binary"), "path": value("string")}  # datasets 5 needs torchcodec to build Audio
    features = datasets.Features({"audio": stored, "label": classes, "fold": value("int8")})
    return datasets.Dataset.from_list(clips.rows(), features=features).cast_column("audio", datasets.Audio())


KINDS = {
    "paths": lambda clips: clips.paths,
    "texts": lambda clips: [str(path) for path in clips.paths],
    "glob": lambda clips: f"{clips.folder}/*/*.wav",
    "deep glob": lambda clips: f"{clips.folder}/**/*.wav",
    "braces": lambda clips: f"{clips.folder}/{{cat,dog}}/*.wav",
    "folders": lambda clips: [clips.folder / "cat", clips.folder / "dog"],
    "bytes": lambda clips: clips.bytes,
    "open files": lambda clips: [io.BytesIO(data) for data in clips.bytes],
    "pairs": lambda clips: [(wave, RATE) for wave in clips.waves],
    "iterator of pairs": lambda clips: iter([(wave, RATE) for wave in clips.waves]),
    "stereo pairs": lambda clips: [(np.stack([wave, wave]), RATE) for wave in clips.waves],
    "int16 pairs": lambda clips: [(np.round(wave * 32768).astype(np.int16), RATE) for wave in clips.waves],
    "dictionaries": lambda clips: [{"audio": (wave, RATE), "label": "x"} for wave in clips.waves],
    "Hugging Face's arrays": lambda clips: [{"audio": {"array": w, "sampling_rate": RATE}} for w in clips.waves],
    "lists of numbers": lambda clips: [{"array": w.tolist(), "sampling_rate": RATE} for w in clips.waves],
    "WebDataset's dictionaries": lambda clips: [
        {"__key__": f"{n}", "wav": data, "cls": n} for n, data in enumerate(clips.bytes)
    ],
    "references": lambda clips: list(sn.open_source(clips.folder)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_python_values_are_sources(kind: str, clips: Clips, expected: sn.Profile) -> None:
    """Whatever the clips are given as, the profile has the integers of the folder's."""
    assert sn.fit(KINDS[kind](clips), FRONT_END).total == expected.total


@pytest.mark.parametrize("kind", ["pairs", "bytes"])
def test_other_processes_and_journals_take_them(kind: str, clips: Clips, expected: sn.Profile, tmp_path: Path) -> None:
    """Clips in memory travel to other processes, and a profile of them is saved as any other."""
    source = sn.open_source(KINDS[kind](clips))
    found = sn.fit(source, FRONT_END, engine=ProcessEngine(2), output=tmp_path / "p.safetensors")
    assert found.total == expected.total
    assert [clip.name for clip in pickle.loads(pickle.dumps(source))] == [clip.name for clip in source]  # noqa: S301


def test_columns_and_names_of_dictionaries() -> None:
    """What lies beside a sound is a column; an id is the name, made safe."""
    wave = np.zeros(100, np.float32)
    items = [
        {"audio": (wave, RATE), "id": "../a/b", "label": "dog", "fold": 3, "loud": True, "mel": [1, 2], "none": None},
        {"audio": (wave, RATE)},
        {"__key__": "s1", "flac": b"x", "json": {"label": "cat", "f": 1.5}, "cls": 4, "__url__": "s.tar"},
    ]
    found = sn.open_source(items).clips
    assert [clip.name for clip in found] == ["000001", "a/b", "s1"]
    assert [dict(clip.columns) for clip in found] == [
        {},
        {"label": "dog", "fold": "3", "loud": "True"},
        {"label": "cat", "f": "1.5"},
    ]


def test_a_glob_has_labels(clips: Clips) -> None:
    """Folders below the fixed part of a pattern are labels, as those of a folder are."""
    assert sn.open_source(f"{clips.folder}/*/*.wav").clips == sn.open_source(clips.folder).clips


@pytest.mark.parametrize("given_as", ["path", "bytes", "file", "buffer"])
def test_read_takes_paths_bytes_and_files(given_as: str, clips: Clips) -> None:
    """`sn.read` gives one result for a path, its bytes, and a file object."""
    path = clips.paths[3]
    with path.open("rb") as file:
        value: Any = {"path": path, "bytes": path.read_bytes(), "file": file, "buffer": io.BytesIO(path.read_bytes())}
        np.testing.assert_array_equal(sn.read(value[given_as], RATE), clips.waves[3])


def test_an_iterator_is_gone_through_once(clips: Clips, monkeypatch: pytest.MonkeyPatch) -> None:
    """`fit` holds a part of an iterator at a time; groups, bad clips and names are those of a list."""
    monkeypatch.setattr("spectronorm.audio.sources._AT_ONCE", 3)
    rows = [{"audio": (wave, RATE), "fold": index % 2} for index, wave in enumerate(clips.waves)]
    rows.insert(4, {"audio": (np.full(500, np.nan, np.float32), RATE), "fold": 0})
    whole = sn.fit(rows, FRONT_END, max_bad=0.5)
    assert sn.fit(iter(rows), FRONT_END, max_bad=0.5) == whole
    assert [bad.path for bad in whole.bad] == ["000004"]
    with pytest.raises(TooManyBad, match="1 of 9 files is bad"):
        sn.fit(iter(rows), FRONT_END, max_bad=0.1)
    with pytest.raises(ArgumentError, match="gone through once"):
        sn.fit(iter(rows), FRONT_END, sample=sn.passes.fit.Sample(0.5))


def test_a_saved_profile_of_an_iterator_is_that_of_a_list(clips: Clips, tmp_path: Path) -> None:
    """The bytes on disk are equal."""
    rows = [(wave, RATE) for wave in clips.waves]
    sn.fit(rows, FRONT_END, output=tmp_path / "list.safetensors")
    sn.fit(iter(rows), FRONT_END, output=tmp_path / "once.safetensors")
    assert (tmp_path / "list.safetensors").read_bytes() == (tmp_path / "once.safetensors").read_bytes()


def test_an_endless_iterator_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """`open_source` holds an iterator's sounds, up to a bound that it names."""

    def endless() -> Iterator[tuple[NDArray[np.float32], int]]:
        while True:
            yield np.zeros(1000, np.float32), RATE

    monkeypatch.setattr("spectronorm.audio.items._MOST_HELD", 100_000)
    with pytest.raises(ArgumentError, match="give it to fit"):
        sn.open_source(endless())


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([np.zeros(9)], "without a rate"),
        ([(np.zeros((900, 2)), RATE)], "transpose"),
        ([(np.zeros(9), 0)], "sample rate"),
        ([(np.zeros(9), True)], "sample rate"),
        ([(np.zeros(9), "fast")], "sample rate"),
        ([(np.zeros(9, complex), RATE)], "dtype complex"),
        ([(np.zeros((1, 2, 3)), RATE)], "shape"),
        ([3], "item 0 is int 3"),
        ([None], "item 0"),
        ([{"label": "x"}], "needs a sound"),
        ([{}], "needs a sound"),
        ([io.StringIO("text")], "opened for bytes"),
        (np.zeros(9), "with their rates"),
        (3, "not int"),
        (None, "not NoneType"),
        (object(), "not object"),
    ],
)
def test_values_that_are_no_sound_are_refused(value: Any, words: str) -> None:
    """One clear error of the family names the item and the rule."""
    with pytest.raises(ArgumentError, match=words):
        sn.open_source(value)


@pytest.mark.parametrize("value", [[], (), iter([]), {}])
def test_nothing_is_refused(value: Any) -> None:
    """An empty iterable is an error, not an empty profile."""
    with pytest.raises(SpectronormError):
        sn.fit(value, FRONT_END)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["audio", "path", "array", "rate"]), inner)
        ),
        max_leaves=6,
    )
)
def test_no_value_leaves_the_family_of_errors(value: Any) -> None:
    """Any Python value gives a source or an error of spectronorm's family."""
    try:
        source = sn.open_source([value])
        for clip in source:
            Reader().read(clip, RATE)
    except SpectronormError:
        pass


def test_bad_waves_are_bad_clips(clips: Clips) -> None:
    """NaN, empty and far too loud waves are listed with the reasons that files have."""
    rows = [
        (clips.waves[0], RATE),
        (np.array([np.nan], "f4"), RATE),
        (np.zeros(0, "f4"), RATE),
        (np.full(9, 900.0), RATE),
    ]
    found = sn.fit(rows, FRONT_END, max_bad=1)
    assert [bad.reason.value for bad in found.bad] == ["not-finite", "empty", "out-of-range"]


# Hugging Face


def test_an_open_dataset_is_a_source(clips: Clips, expected: sn.Profile) -> None:
    """A `Dataset` in memory gives the folder's profile, without torchcodec, with the names of its classes."""
    source = sn.open_source(dataset_of(clips))
    assert sn.fit(source, FRONT_END).total == expected.total
    assert [clip.name for clip in source] == [path.name for path in clips.paths]
    assert [dict(clip.columns) for clip in source][:2] == [{"label": "cat", "fold": "0"}, {"label": "dog", "fold": "1"}]


def test_a_dataset_is_shuffled_filtered_and_sharded(clips: Clips, expected: sn.Profile) -> None:
    """Selections of rows keep each clip with its columns."""
    dataset = dataset_of(clips)
    assert sn.open_source(dataset.shuffle(seed=3)).clips[5].columns == sn.open_source(dataset).clips[5].columns
    assert sn.fit(dataset.shuffle(seed=3), FRONT_END).total == expected.total
    halves = [sn.fit(dataset.shard(2, index), FRONT_END) for index in range(2)]
    assert (halves[0] + halves[1]).total == expected.total


def test_a_dataset_on_disk_travels_by_its_place(clips: Clips, expected: sn.Profile, tmp_path: Path) -> None:
    """A data set on disk is read by other processes, and a reference to it is small."""
    datasets = pytest.importorskip("datasets")
    dataset_of(clips).save_to_disk(tmp_path / "saved")
    loaded = datasets.load_from_disk(tmp_path / "saved")
    source = sn.open_source(loaded)
    assert len(pickle.dumps(source.clips[0])) < 5000
    assert sn.fit(source, FRONT_END, engine=ProcessEngine(2)).total == expected.total


def test_a_saved_dataset_needs_no_datasets(clips: Clips, expected: sn.Profile, tmp_path: Path) -> None:
    """The folder of `save_to_disk` is read by pyarrow alone, with the names of its classes; so are its splits."""
    datasets = pytest.importorskip("datasets")
    dataset_of(clips).save_to_disk(tmp_path / "saved", num_shards=3)
    source = sn.open_source(tmp_path / "saved")
    assert sn.fit(source, FRONT_END, engine=ProcessEngine(2)).total == expected.total
    assert source.clips[1].columns == {"label": "dog", "fold": "1"}
    both = datasets.DatasetDict(train=dataset_of(clips), test=dataset_of(clips))
    both.save_to_disk(tmp_path / "both")
    for opened in (sn.open_source(tmp_path / "both"), sn.open_source(both)):
        assert opened.values("split") == ("test", "train")
        assert len({clip.name for clip in opened}) == 16


def test_parquet_with_audio_is_a_source(clips: Clips, expected: sn.Profile, tmp_path: Path) -> None:
    """Parquet files of the Hub's layout are read row by row; a file's name tells its split."""
    dataset = dataset_of(clips)
    (tmp_path / "hub" / "data").mkdir(parents=True)
    dataset.select(range(5)).to_parquet(tmp_path / "hub" / "data" / "train-00000-of-00001.parquet", batch_size=2)
    dataset.select(range(5, 8)).to_parquet(tmp_path / "hub" / "data" / "test-00000-of-00001.parquet")
    (tmp_path / "hub" / "README.md").write_text("card")
    source = sn.open_source(tmp_path / "hub")
    assert source.unread == {".md": 1}
    assert sn.fit(source, FRONT_END).total == expected.total
    assert source.values("split") == ("test", "train")
    one = sn.open_source(tmp_path / "hub" / "data" / "test-00000-of-00001.parquet")
    assert one.clips[0].columns == {"label": "dog", "fold": "1", "split": "test"}
    backwards = Source(tuple(reversed(source.clips)))
    assert [Reader().read(clip, RATE).length for clip in backwards] == [6000 + 100 * n for n in range(7, -1, -1)]


def test_a_streamed_dataset_is_measured_in_one_pass(clips: Clips, expected: sn.Profile) -> None:
    """An `IterableDataset` gives the profile of the `Dataset`, with its classes as groups."""
    streamed = dataset_of(clips).to_iterable_dataset(num_shards=2)
    assert sn.fit(streamed, FRONT_END).total == expected.total
    grouped = sn.fit(streamed, FRONT_END, group_by="label")
    assert grouped == sn.fit(dataset_of(clips), FRONT_END, group_by="label")


def test_a_dataset_without_audio_says_so(clips: Clips) -> None:
    """The columns that there are are named."""
    with pytest.raises(ArgumentError, match="no column of audio .*label, fold"):
        sn.open_source(dataset_of(clips).remove_columns("audio"))


def test_rows_without_bytes_name_files(clips: Clips, expected: sn.Profile, tmp_path: Path) -> None:
    """A row with a path alone is the file; missing files and empty rows are bad clips with a reason."""
    pa = pytest.importorskip("pyarrow")
    rows = [{"bytes": None, "path": str(path)} for path in clips.paths]
    rows += [{"bytes": None, "path": "absent.wav"}, {"bytes": None, "path": None}, {"bytes": b"", "path": "e"}]
    pa.parquet.write_table(pa.table({"audio": rows}), tmp_path / "x.parquet")
    found = sn.fit(tmp_path / "x.parquet", FRONT_END, max_bad=1)
    assert found.total == expected.total
    assert sorted(bad.reason.value for bad in found.bad) == ["empty", "empty", "missing"]


@given(st.integers(0, 6000), st.integers(0, 255), st.integers(0, 3))
def test_an_arrow_file_that_lies_is_an_error(
    tmp_path_factory: pytest.TempPathFactory, place: int, byte: int, cut: int
) -> None:
    """Damage anywhere in an Arrow or Parquet file gives bad clips or a `SourceError`: offsets are checked first."""
    pa = pytest.importorskip("pyarrow")
    folder = tmp_path_factory.mktemp("lies")
    table = pa.table({"audio": [{"bytes": bytes(range(256)) * 4, "path": f"{n}.wav"} for n in range(4)]})
    with pa.OSFile(str(folder / "data.arrow"), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)
    pa.parquet.write_table(table, folder / "x.parquet")
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": "data.arrow"}]}))
    (folder / "dataset_info.json").write_text("{}")
    for name in ("data.arrow", "x.parquet"):
        data = bytearray((folder / name).read_bytes())
        data[place % len(data)] = byte
        (folder / name).write_bytes(data[: len(data) - cut * 100])
    for target in (folder, folder / "x.parquet"):
        try:
            for clip in sn.open_source(target):
                with pytest.raises(AudioError):
                    Reader().read(clip, RATE)  # no row is a sound
        except SpectronormError:
            pass


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"_data_files": 3}', '{"_data_files": [{"filename": "../../x"}]}'])
def test_a_saved_dataset_with_another_state_is_refused(text: str, tmp_path: Path) -> None:
    """The file that names the data is checked, and leads to no other folder."""
    (tmp_path / "state.json").write_text(text)
    (tmp_path / "dataset_info.json").write_text("{}")
    with pytest.raises(SourceError):
        sn.open_source(tmp_path)


def test_a_pipeline_maps_a_dataset(clips: Clips, expected: sn.Profile, tmp_path: Path) -> None:
    """`map` gives the pipeline's spectrograms, in one process or two."""
    datasets = pytest.importorskip("datasets")
    pipeline = sn.Pipeline(FRONT_END, sn.Standardize().fit(expected))
    dataset = dataset_of(clips).cast_column("audio", datasets.Audio(decode=False))
    dataset.save_to_disk(tmp_path / "saved")
    alone, both = (
        datasets.load_from_disk(tmp_path / "saved").map(Mapped(pipeline), num_proc=workers, load_from_cache_file=False)
        for workers in (None, 2)
    )
    for row, again, wave in zip(alone, both, clips.waves, strict=True):
        np.testing.assert_allclose(row["spectrogram"], pipeline(wave), atol=1e-5)
        assert row["spectrogram"] == again["spectrogram"]


def test_the_hash_of_a_pipeline_is_stable(expected: sn.Profile, tmp_path: Path) -> None:
    """The hash by which `datasets` finds finished work survives use, saving and another process; settings change it."""
    fingerprint = pytest.importorskip("datasets.fingerprint")
    pipeline = sn.Pipeline(FRONT_END, sn.Standardize().fit(expected))
    pipeline.save(tmp_path / "p.safetensors")
    first = fingerprint.Hasher.hash(Mapped(pipeline))
    pipeline(np.zeros(9000, np.float32))
    assert fingerprint.Hasher.hash(Mapped(pipeline)) == first
    assert fingerprint.Hasher.hash(Mapped(sn.Pipeline(FRONT_END, sn.MinMax().fit(expected)))) != first
    code = (
        "import sys, spectronorm as sn\nfrom datasets.fingerprint import Hasher\n"
        "from spectronorm.interop.hugging_face import Mapped\nprint(Hasher.hash(Mapped(sn.load(sys.argv[1]))))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    command = [sys.executable, "-c", code, str(tmp_path / "p.safetensors")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == first


# WebDataset


def shard_of(path: Path, members: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, data in members.items():
            about = tarfile.TarInfo(name)
            about.size = len(data)
            archive.addfile(about, io.BytesIO(data))
    return path


def samples_of(clips: Clips, first: int, stop: int) -> dict[str, bytes]:
    members: dict[str, bytes] = {}
    for index in range(first, stop):
        members[f"{index:03d}.wav"] = clips.bytes[index]
        members[f"{index:03d}.cls"] = str(index % 2).encode()
        members[f"{index:03d}.json"] = json.dumps({"fold": index % 4, "nested": {"a": 1}}).encode()
        members[f"{index:03d}.txt"] = b"a word\n"
    return members


@pytest.mark.parametrize(("suffix", "mode"), [(".tar", "w"), (".tar.gz", "w:gz")])
def test_members_beside_a_clip_are_its_columns(
    suffix: str, mode: str, clips: Clips, expected: sn.Profile, tmp_path: Path
) -> None:
    """`.json`, `.cls` and `.txt` of a sample become columns; other members are counted as not read."""
    members = {**samples_of(clips, 0, 8), "readme.md": b"x", "lonely.json": b"{}"}
    source = sn.open_source(shard_of(tmp_path / f"s{suffix}", members, mode))
    assert source.clips[3].columns == {"fold": "3", "cls": "1", "label": "1", "text": "a word"}
    assert source.unread == {".json": 1, ".md": 1}
    assert sn.fit(source, FRONT_END).total == expected.total


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_origin_gives_the_same_labels(clips: Clips, tmp_path: Path) -> None:
    """The package webdataset reads the samples that spectronorm reads, with their classes and JSON."""
    webdataset = pytest.importorskip("webdataset")
    path = shard_of(tmp_path / "s.tar", samples_of(clips, 0, 8))
    theirs = {
        one["__key__"]: (one["cls"], one["json"]["fold"], one["wav"])
        for one in webdataset.WebDataset(str(path), shardshuffle=False, empty_check=False).decode()
    }
    source = sn.open_source(path)
    assert len(theirs) == len(source)
    for clip in source:
        label, fold, _ = theirs[clip.name.removesuffix(".wav")]
        assert clip.columns["label"] == str(label)
        assert clip.columns["fold"] == str(fold)


def test_shards_by_folder_and_braces(clips: Clips, expected: sn.Profile, tmp_path: Path) -> None:
    """A folder of shards and a pattern with braces give the clips of all shards; a missing shard is a bad clip."""
    for number in range(4):
        shard_of(tmp_path / f"train-{number:06d}.tar", samples_of(clips, 2 * number, 2 * number + 2))
    pattern = str(tmp_path / "train-{000000..000003}.tar")
    assert sn.open_source(pattern).clips == sn.open_source(tmp_path).clips
    assert sn.fit(pattern, FRONT_END).total == expected.total
    (tmp_path / "train-000002.tar").unlink()
    found = sn.fit(pattern, FRONT_END, max_bad=0.5)
    assert [bad.path for bad in found.bad] == ["train-000002.tar"]


@pytest.mark.parametrize(
    "pattern", ["absent-*.wav", "{1..9999999999}.wav", "{0..9}{0..9}{0..9}{0..9}{0..9}{0..9}{0..9}"]
)
def test_patterns_of_nothing_and_of_too_much_are_refused(pattern: str, tmp_path: Path) -> None:
    """A pattern that no file has, or that stands for millions of places, is one error."""
    with pytest.raises(SourceError):
        sn.open_source(tmp_path / pattern)


@pytest.mark.parametrize("data", [b"{", b"[1]", b"\xff\xfe", b"[" * 100_000, b"x" * (1 << 21)])
def test_sidecars_that_are_none_are_counted(data: bytes, clips: Clips, tmp_path: Path) -> None:
    """JSON that is damaged, no object, too deep or too large is not read, and is counted."""
    source = sn.open_source(shard_of(tmp_path / "s.tar", {"a.wav": clips.bytes[0], "a.json": data}))
    assert (dict(source.clips[0].columns), dict(source.unread)) == ({}, {".json": 1})


def test_nothing_is_written_beside_a_source(clips: Clips) -> None:
    """Opening and measuring writes no file into the folder of the clips."""
    before = sorted(clips.folder.iterdir())
    sn.fit(sn.open_source(str(clips.folder / "*" / "*.wav")), FRONT_END)
    assert sorted(clips.folder.iterdir()) == before


@pytest.mark.parametrize("kind", ["pairs", "bytes", "paths", "open dataset"])
def test_other_passes_take_them(kind: str, clips: Clips, expected: sn.Profile, tmp_path: Path) -> None:
    """`apply`, `images`, `check` and `ClipDataset` take whatever `fit` takes."""
    torch = pytest.importorskip("torch")
    value = dataset_of(clips) if kind == "open dataset" else KINDS[kind](clips)
    pipeline = sn.Pipeline(FRONT_END, sn.Standardize().fit(expected))
    sn.apply(value, pipeline, tmp_path / "applied")
    assert len(list((tmp_path / "applied").rglob("*.npy"))) == 8
    codec = sn.images.ImageCodec(FRONT_END, sn.images.LevelRange.fixed_db(FRONT_END, -100, 0))
    sn.images.export(value, codec, tmp_path / "images")
    assert len(list((tmp_path / "images").rglob("*.png"))) == 8
    sn.check(expected, value)
    loaded = sn.nn.ClipDataset(value, FRONT_END, duration=0.3, cache=tmp_path / "cache")
    assert len(loaded) == 8
    assert torch.isfinite(loaded[0][0]).all()
