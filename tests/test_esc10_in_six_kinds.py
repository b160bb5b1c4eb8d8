"""ESC-10 in six kinds of source: six equal profiles."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest

import spectronorm as sn
from spectronorm.audio import ClipReference

FRONT_END = sn.FrontEnd(44100)


def add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    about = tarfile.TarInfo(name)
    about.size = len(data)
    archive.addfile(about, io.BytesIO(data))


def audio_folder(clips: list[ClipReference], root: Path) -> Path:
    root.mkdir()
    for clip in clips:
        (root / clip.path.name).symlink_to(clip.path.absolute())
    rows = [f"{clip.path.name},{clip.columns['label']},{clip.columns['fold']}" for clip in clips]
    (root / "metadata.csv").write_text("\n".join(["file_name,label,fold", *rows]))
    return root


def rows_of(clips: list[ClipReference]) -> list[dict[str, object]]:
    return [
        {
            "audio": {"bytes": clip.path.read_bytes(), "path": clip.path.name},
            "label": clip.columns["label"],
            "fold": int(clip.columns["fold"]),
        }
        for clip in clips
    ]


def webdataset(clips: list[ClipReference], root: Path) -> Path:
    root.mkdir()
    with tarfile.open(root / "esc10-000000.tar", "w") as archive:
        for clip in clips:
            add(archive, clip.path.name, clip.path.read_bytes())
            columns = {"label": clip.columns["label"], "fold": int(clip.columns["fold"])}
            add(archive, f"{clip.path.stem}.json", json.dumps(columns).encode())
    return root / "esc10-000000.tar"


def shar(clips: list[ClipReference], root: Path) -> Path:
    root.mkdir()
    for number, some in enumerate((clips[:200], clips[200:])):
        with (
            tarfile.open(root / f"recording.{number:06d}.tar", "w") as archive,
            gzip.open(root / f"cuts.{number:06d}.jsonl.gz", "wt") as cuts,
        ):
            for clip in some:
                add(archive, f"{clip.path.name}.wav", clip.path.read_bytes())
                recording = {"id": clip.path.name, "sources": [{"type": "shar", "channels": [0], "source": ""}]}
                recording |= {"sampling_rate": 44100, "num_samples": 220500, "duration": 5.0, "channel_ids": [0]}
                add(archive, f"{clip.path.name}.json", json.dumps(recording).encode())
                cut = {"id": clip.path.name, "start": 0, "duration": 5.0, "channel": 0, "recording": recording}
                custom = {"label": clip.columns["label"], "fold": int(clip.columns["fold"])}
                cuts.write(json.dumps({**cut, "supervisions": [], "custom": custom, "type": "MonoCut"}) + "\n")
    return root


def kaldi(clips: list[ClipReference], root: Path) -> Path:
    root.mkdir()
    (root / "wav.scp").write_text("".join(f"{clip.path.name} {clip.path.absolute()}\n" for clip in clips))
    return root


def test_six_kinds_of_source_give_one_profile(esc10: Path, tmp_path: Path) -> None:
    """AudioFolder, Parquet, `Dataset`, WebDataset, Lhotse Shar and a Kaldi directory: the files have equal bytes."""
    datasets = pytest.importorskip("datasets")
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    clips = list(sn.open_source(esc10))
    (tmp_path / "hub").mkdir()
    pq.write_table(pa.Table.from_pylist(rows_of(clips)), tmp_path / "hub" / "esc10.parquet", row_group_size=100)
    dataset = datasets.Dataset.from_parquet(str(tmp_path / "hub" / "esc10.parquet"), cache_dir=str(tmp_path / "cache"))
    sources = {
        "AudioFolder": audio_folder(clips, tmp_path / "audiofolder"),
        "Parquet": tmp_path / "hub",
        "Dataset": dataset.cast_column("audio", datasets.Audio()),
        "WebDataset": webdataset(clips, tmp_path / "webdataset"),
        "Lhotse Shar": shar(clips, tmp_path / "shar"),
        "Kaldi": kaldi(clips, tmp_path / "kaldi"),
    }
    saved = {}
    for name, target in sources.items():
        source = sn.open_source(target)
        assert [clip.name for clip in source] == [clip.path.name for clip in clips]
        if name != "Kaldi":
            assert [clip.columns["fold"] for clip in source] == [clip.columns["fold"] for clip in clips]
            assert [clip.columns["label"] for clip in source] == [clip.columns["label"] for clip in clips]
        sn.fit(source, FRONT_END, group_by=(), output=tmp_path / f"{name}.safetensors")
        saved[name] = (tmp_path / f"{name}.safetensors").read_bytes()
    assert len(set(saved.values())) == 1
