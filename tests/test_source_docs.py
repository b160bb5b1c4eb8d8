"""docs/sources.md: each row of its table has an example, and each example runs as it stands."""

from __future__ import annotations

import io
import json
import re
import shutil
import tarfile
from pathlib import Path

import pytest
import soundfile
from tests.manifest_layout import RATE, lay_out, tone, write

from spectronorm.audio.places.manifests import MANIFESTS

PAGE = (Path(__file__).parents[1] / "docs" / "sources.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with everything that the page opens."""
    datasets = pytest.importorskip("datasets")
    pytest.importorskip("av")
    root = lay_out(tmp_path_factory.mktemp("docs"))
    for index in range(4):
        write(root / "sounds" / ("dog", "cat")[index % 2] / f"{index // 2}.wav", 0.5, frequency=300 + 50 * index)
    (root / "sounds" / "notes.txt").write_text("notes")
    (root / "pieces.csv").write_text("path,start,end,label\nkaldi/rec1.wav,0.5,1.5,x\nkaldi/rec1.wav,2,3,y\n")
    with tarfile.open(root / "sounds.tar.gz", "w:gz") as archive:
        archive.add(root / "sounds", ".")
    paths = sorted((root / "sounds").rglob("*.wav"))
    rows = [{"audio": {"bytes": p.read_bytes(), "path": p.name}, "label": n % 2} for n, p in enumerate(paths)]
    stored = {"bytes": datasets.Value("binary"), "path": datasets.Value("string")}
    features = datasets.Features({"audio": stored, "label": datasets.ClassLabel(names=["cat", "dog"])})
    dataset = datasets.Dataset.from_list(rows, features=features).cast_column("audio", datasets.Audio(decode=False))
    dataset.save_to_disk(root / "saved")
    (root / "hub" / "data").mkdir(parents=True)
    dataset.to_parquet(root / "hub" / "data" / "train-00000-of-00001.parquet")
    (root / "shards").mkdir()
    for shard in range(2):
        with tarfile.open(root / "shards" / f"train-{shard:06d}.tar", "w") as archive:
            for name, data in (
                (f"{shard}.wav", paths[shard].read_bytes()),
                (f"{shard}.json", json.dumps({"label": "x"}).encode()),
            ):
                about = tarfile.TarInfo(name)
                about.size = len(data)
                archive.addfile(about, io.BytesIO(data))
    (root / "telephone").mkdir()
    shutil.copy(Path(__file__).parent / "samples" / "audio" / "edit_list.m4a", root / "telephone")
    soundfile.write(root / "telephone" / "b.wav", tone(1), RATE)
    return root


@pytest.mark.parametrize("number", range(len(BLOCKS)))
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_examples_run(number: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each example of the page measures what it says."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HF_HOME", str(folder / "cache"))
    exec(BLOCKS[number].replace("/data/sounds", f"{folder}/sounds"), {})  # noqa: S102  (the page is ours)


def test_each_row_has_an_example_of_a_few_lines() -> None:
    """Each row of the table leads to a section with an example of at most eight lines."""
    links = re.findall(r"\]\(#([a-z0-9-]+)\)", PAGE)
    sections = {re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in re.findall(r"## (.+)", PAGE)}
    assert len(links) >= 16
    assert set(links) <= sections
    assert all(len(block.splitlines()) <= 8 for block in BLOCKS)
    assert len(BLOCKS) >= len(set(links))


def test_each_manifest_is_on_the_page() -> None:
    """No kind of manifest is missing."""
    words = {cls.takes.split()[0] for cls in MANIFESTS.classes().values()}
    assert [word for word in words if word not in PAGE] == []
