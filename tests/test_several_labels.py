"""Clips with several labels: they are read from every kind of table, trained on, and compared under every metric."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

torch = pytest.importorskip("torch")
metrics = pytest.importorskip("sklearn.metrics")

from tests.experiment_cases import FRONT_END, LINEAR, RATE, write_clips  # noqa: E402

import spectronorm as sn  # noqa: E402
from spectronorm.cli.app import app  # noqa: E402
from spectronorm.errors import ArgumentError, SourceError  # noqa: E402
from spectronorm.experiment import Design, Results, Training, compare, labelled_clips, parse_arms, prepare  # noqa: E402

TONES = {"low": 100, "middle": 200, "high": 350}


def heard(index: int) -> list[str]:
    """Return the labels of a clip: every combination of three in turn, also none."""
    return [name for bit, name in enumerate(TONES) if (index // 3) >> bit & 1]


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    """Seventy-two clips with up to three tones in noise; labels joined by a semicolon."""
    generator = np.random.default_rng(0)
    time = np.arange(512) / RATE
    rows = ["path,heard,fold,recording"]
    for index in range(72):
        wave = 0.1 * generator.standard_normal(512)
        for name in heard(index):
            wave += 0.3 * np.sin(2 * np.pi * TONES[name] * time)
        soundfile.write(tmp_path / f"{index:02d}.wav", 0.5 * wave, RATE, subtype="FLOAT")
        rows.append(f"{index:02d}.wav,{'; '.join(heard(index))},{index % 3 + 1},r{index}")
    (tmp_path / "clips.csv").write_text("\n".join(rows) + "\n")
    return tmp_path / "clips.csv"


def run(table: Path, folder: Path, metric: str, separator: str = ";") -> tuple[object, Results, object]:
    """Compare two arms under a metric."""
    training = Training(model=LINEAR, epochs=6, batch_size=16, learning_rate=0.05, device="cpu")
    design = Design(parse_arms("global,band", FRONT_END), training, seeds=1, metric=metric)
    clips = labelled_clips(sn.open_source(table), label="heard", separator=separator)
    ready = prepare(clips, design, folder)
    results = Results(folder, ready.settings())
    return compare(ready, results), results, clips


@pytest.mark.parametrize("metric", ["map", "auc", "eer", "accuracy"])
def test_the_metric_of_a_run_is_scikit_learn_s(sounds: Path, tmp_path: Path, metric: str) -> None:
    """The mean over folds of each model's metric, from the scores that the run kept; words are about it."""
    outcome, results, clips = run(sounds, tmp_path / "out", metric)
    values = []
    for fold in clips.held_out:
        truth = clips.labels[clips.test_clips(fold)]
        scores = np.array(results.done[fold, 0, "band"].scores.of_classes)
        match metric:
            case "map":
                values.append(metrics.average_precision_score(truth, scores))
            case "auc":
                values.append(metrics.roc_auc_score(truth, scores))
            case "accuracy":
                values.append(metrics.accuracy_score(truth, scores > np.log(0.5)))
    found = {arm.arm: arm.mean for arm in outcome.answer.primary.arms}
    if values:
        assert found["band"] == pytest.approx(np.mean(values), abs=1e-9)
    assert [one.name for one in outcome.answer.classes] == sorted(TONES)
    assert {one.clips for one in outcome.answer.classes} == {36}
    again = Results(tmp_path / "out", results.settings)
    assert again.done == results.done


def test_models_learn_several_labels(sounds: Path, tmp_path: Path) -> None:
    """The tones are plain to hear, so that each class is ranked far better than by chance under either arm."""
    outcome, *_ = run(sounds, tmp_path / "out", "auc")
    assert all(arm.mean > 0.8 for arm in outcome.answer.primary.arms)


def test_a_lower_error_rate_is_better(tmp_path: Path) -> None:
    """Under the equal error rate the arm with fewer errors wins, in words, chances and advice."""
    table = write_clips(tmp_path / "sounds", drowned=True, seed=0, clips=300, folds=5)
    training = Training(model="linear", epochs=6, batch_size=20, device="cpu")
    design = Design(parse_arms("global,band", FRONT_END), training, seeds=2, metric="eer")
    ready = prepare(labelled_clips(sn.open_source(table)), design, tmp_path / "out")
    said = compare(ready, Results(tmp_path / "out", ready.settings())).answer
    found = {arm.arm: arm.mean for arm in said.primary.arms}
    assert found["band"] < found["global"]
    (verdict,) = said.primary.verdicts
    assert verdict.word == "better"
    assert verdict.difference.estimate < 0
    assert verdict.difference.chances.better > 0.9
    assert "“band” is better than “global”" in said.sentences[0]
    assert "points of mean equal error rate" in said.sentences[0]
    assert said.advice[0] == "Use “band”."


def test_labels_are_read_from_every_kind_of_list(sounds: Path, tmp_path: Path) -> None:
    """A list in JSON Lines, in Parquet, in items of Python, and a list of classes of Hugging Face are one data set."""
    wanted = labelled_clips(sn.open_source(sounds), label="heard", separator=";")
    assert wanted.classes == ("high", "low", "middle")
    rows = [
        {"path": str(sounds.parent / f"{i:02d}.wav"), "heard": heard(i), "fold": i % 3 + 1, "recording": f"r{i}"}
        for i in range(72)
    ]
    lines = tmp_path / "clips.jsonl"
    lines.write_text("\n".join(map(json.dumps, rows)) + "\n")
    items = [{"audio": row["path"], **{k: v for k, v in row.items() if k != "path"}} for row in rows]
    sources = [sn.open_source(lines), sn.open_source(items)]
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.Table.from_pylist(rows)
    pytest.importorskip("pyarrow.parquet").write_table(table, tmp_path / "clips.parquet")
    sources.append(sn.open_source(tmp_path / "clips.parquet"))
    for source in sources:
        found = labelled_clips(source, label="heard", separator=";")
        assert (found.classes, found.labels.tolist()) == (wanted.classes, wanted.labels.tolist())


def test_a_list_of_classes_of_hugging_face_has_their_names(sounds: Path, tmp_path: Path) -> None:
    """In memory, saved to disk, and as Parquet with bytes."""
    datasets = pytest.importorskip("datasets")
    names = list(TONES)
    features = datasets.Features(
        {
            "audio": {"bytes": datasets.Value("binary"), "path": datasets.Value("string")},
            "heard": datasets.Sequence(datasets.ClassLabel(names=names)),
            "fold": datasets.Value("int64"),
        }
    )
    rows = [
        {
            "audio": {"bytes": (sounds.parent / f"{i:02d}.wav").read_bytes(), "path": f"{i:02d}.wav"},
            "heard": [names.index(name) for name in heard(i)],
            "fold": i % 3 + 1,
        }
        for i in range(72)
    ]
    made = datasets.Dataset.from_list(rows, features=features).cast_column("audio", datasets.Audio(decode=False))
    made.save_to_disk(tmp_path / "saved")
    made.to_parquet(tmp_path / "clips.parquet")
    wanted = labelled_clips(sn.open_source(sounds), label="heard", separator=";")
    for source in (made, tmp_path / "saved", tmp_path / "clips.parquet"):
        found = labelled_clips(sn.open_source(source), label="heard", separator=";")
        assert (found.classes, found.labels.tolist()) == (wanted.classes, wanted.labels.tolist())


def test_bad_input_is_one_error(sounds: Path, tmp_path: Path) -> None:
    """No label at all, an empty separator, a class that a fold lacks, an update from few classes, an unknown metric."""
    source = sn.open_source(sounds)
    with pytest.raises(SourceError, match="no clip has a sound"):
        labelled_clips(source, label="sound", separator=";")
    with pytest.raises(ArgumentError, match="separator"):
        labelled_clips(source, label="heard", separator=" ")
    text = sounds.read_text().splitlines()
    text = [line.replace("high", "low") if line.split(",")[2] == "2" else line for line in text]
    sounds.write_text("\n".join(text) + "\n")
    with pytest.raises(ArgumentError, match=r"metric='map' cannot be computed: fold 2 has no clip of class 'high'"):
        run(sounds, tmp_path / "out", "map")
    assert not list((tmp_path / "out").glob("results*"))
    with pytest.raises(ArgumentError, match="metric='mep'"):
        run(sounds, tmp_path / "out", "mep")


def test_the_command_compares_under_a_metric(sounds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--separator` makes the mean average precision the metric; page, tables and answer.json are about it."""
    monkeypatch.chdir(tmp_path)
    args = ["compare", str(sounds), "--label", "heard", "--separator", ";", "--arms", "global,band"]
    args += ["--sample-rate", "1000", "--n-fft", "64", "--hop-length", "32", "--bands", "linear"]
    args += ["--model", "linear", "--epochs", "3", "--seeds", "1", "-o", "out"]
    done = CliRunner().invoke(app, args)
    assert done.exit_code == 0, done.output
    for words in ("mean average precision (%)", "average precision (%)", "several of 3 labels", "without a label"):
        assert words in done.output
    answer = json.loads((tmp_path / "out" / "answer.json").read_text())["answer"]
    assert answer["primary"]["endpoint"] == "map"
    assert {one["name"] for one in answer["classes"]} == set(TONES)
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Average precision of each class" in page
    assert "Confusion" not in page
