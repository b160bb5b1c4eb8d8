"""A metric that a user writes: a function of labels and probabilities judges a comparison like a built-in metric."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

pytest.importorskip("torch")

from tests.experiment_cases import FRONT_END, LINEAR, write_clips

import spectronorm as sn
from spectronorm.cli.app import app
from spectronorm.errors import ArgumentError
from spectronorm.experiment import (
    Design,
    Results,
    Training,
    compare,
    labelled_clips,
    parse_arms,
    prepare,
)
from spectronorm.experiment.metrics.known import METRICS, find_metric
from spectronorm.experiment.metrics.metric import truth_of


def hits(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the accuracy."""
    return float((probabilities.argmax(axis=1) == labels).mean())


def misses(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the error rate."""
    return 1.0 - hits(labels, probabilities)


misses.lower_is_better = True


def area(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the mean area under the ROC curve, by counting pairs."""
    found = []
    for number, scores in enumerate(probabilities.T):
        own, other = scores[labels == number], scores[labels != number]
        found.append((own[:, None] > other).mean() + 0.5 * (own[:, None] == other).mean())
    return float(np.mean(found))


def fails(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Fail, as a metric may."""
    raise ZeroDivisionError("no clip is loud")


def undefined(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return no number."""
    return float("nan")


def costs(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return a sum of money."""
    return 250.0 * hits(labels, probabilities)


def predictions(clips: int = 90, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Return truth and log-probabilities that are right more often than not."""
    generator = np.random.default_rng(0)
    truth = truth_of(np.arange(clips) % classes, classes)
    logits = 1.5 * truth + generator.standard_normal(truth.shape)
    return truth, logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)


def compared(table: Path, folder: Path, metric: object) -> object:
    """Compare two arms under a metric."""
    training = Training(model=LINEAR, epochs=4, batch_size=20, learning_rate=0.02, device="cpu")
    design = Design(parse_arms("global,band", FRONT_END), training, seeds=1, metric=metric)
    ready = prepare(labelled_clips(sn.open_source(table)), design, folder)
    return compare(ready, Results(folder, ready.settings()))


def test_the_accuracy_as_a_function_has_the_accuracy_s_values() -> None:
    """A mean over clips is its own jackknife: each clip's value is 1 or 0, and none reaches further than 1."""
    truth, scores = predictions()
    own = find_metric(hits)
    assert own.by_clip(truth, scores) == pytest.approx(METRICS["accuracy"].by_clip(truth, scores), abs=1e-9)
    assert own.reach(truth) == pytest.approx(1.0)


def test_the_jackknife_finds_each_clip_s_influence() -> None:
    """The area under the ROC curve as a function agrees with the built-in metric, whose influences are derivatives."""
    truth, scores = predictions()
    own, built_in = find_metric(area).by_clip(truth, scores), METRICS["auc"].by_clip(truth, scores)
    assert own.mean() == pytest.approx(built_in.mean(), abs=1e-12)
    assert np.corrcoef(own, built_in)[0, 1] > 0.999
    assert own.std() == pytest.approx(built_in.std(), rel=0.05)


def test_a_comparison_is_about_the_function(tmp_path: Path) -> None:
    """The accuracy as a function gives the answer of the accuracy; as an error rate, the arms change places."""
    table = write_clips(tmp_path / "clips", drowned=True, seed=0)
    plain, own, error = (
        compared(table, tmp_path / name, metric).answer
        for name, metric in (("plain", "accuracy"), ("own", hits), ("error", misses))
    )
    assert own.primary.endpoint == f"{__name__}:hits"
    assert [arm.mean for arm in own.primary.arms] == pytest.approx([arm.mean for arm in plain.primary.arms])
    before, after, turned = (found.primary.verdicts[0] for found in (plain, own, error))
    assert (after.word, after.holm) == (before.word, before.holm)
    assert turned.difference.estimate == pytest.approx(-before.difference.estimate)
    assert turned.word == before.word
    assert all("hits" in text for text in own.sentences if "better than" in text)


def test_the_command_takes_an_import_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--metric package.module:function`, found in the current folder; the record names it."""
    table = write_clips(tmp_path / "clips", drowned=True, seed=0)
    monkeypatch.chdir(tmp_path)
    judge = "def share(labels, p):\n    return float((p.argmax(axis=1) == labels).mean())\n"
    (tmp_path / "my_judge.py").write_text(judge)
    front_end = "--sample-rate 1000 --n-fft 64 --hop-length 32 --n-mels 8 --f-max 500"
    training = "--arms none,band --model linear --epochs 1 --seeds 1 --metric my_judge:share -o out"
    result = CliRunner().invoke(app, ["compare", str(table), *front_end.split(), *training.split()])
    assert result.exit_code == 0, result.output
    said = json.loads((tmp_path / "out" / "answer.json").read_text())
    assert said["answer"]["primary"]["endpoint"] == "my_judge:share"


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        (fails, "cannot be computed on 30 clips .fold 1.: ZeroDivisionError: no clip is loud"),
        (undefined, "is nan on 30 clips .fold 1."),
        (costs, "is 250 on right predictions of fold 1, but it must lie in"),
        (lambda labels, probabilities: 1.0, "no name of its own"),
        (7, "must be a name or a function"),
        ("mine", "must be one of accuracy"),
        ("numpy:nothing", "cannot be imported"),
        ("numpy:pi", "must be a name or a function"),
        (":f", "the form is package.module:name"),
    ],
)
def test_a_metric_that_cannot_be_used_is_one_error_before_training(
    tmp_path: Path, metric: object, message: str
) -> None:
    """The error comes before any model trains, and says the metric, the clips and the cause."""
    table = write_clips(tmp_path / "clips", drowned=True, seed=0)
    with pytest.raises(ArgumentError, match=message):
        compared(table, tmp_path / "out", metric)
    assert not (tmp_path / "out" / "results.jsonl").exists()
