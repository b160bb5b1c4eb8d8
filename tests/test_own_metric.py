"""A metric that a user writes: a function of labels and probabilities judges a comparison like a built-in metric."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

torch = pytest.importorskip("torch")

from tests.experiment_cases import FRONT_END, LINEAR, write_clips  # noqa: E402

import spectronorm as sn  # noqa: E402
from spectronorm.cli.app import app  # noqa: E402
from spectronorm.errors import ArgumentError  # noqa: E402
from spectronorm.experiment import (  # noqa: E402
    Design,
    LabelledLevels,
    Results,
    Training,
    compare,
    labelled_clips,
    measure_sensitivity,
    open_model,
    parse_arms,
    prepare,
)
from spectronorm.experiment.metrics.known import METRICS, find_metric  # noqa: E402
from spectronorm.experiment.metrics.metric import truth_of  # noqa: E402


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


class Unfit(torch.nn.Module):
    """A model that fails in a way of its own."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raise KeyError("no such layer")


def unfit(classes: int = 2) -> torch.nn.Module:
    return Unfit()


def lost(classes: int = 2) -> torch.nn.Module:
    raise RuntimeError("the weights are elsewhere")


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


def test_a_model_that_is_entirely_sure_has_values_without_a_warning() -> None:
    """A log-probability of -800, whose probability is zero in float64, is as any other."""
    truth = truth_of(np.array([0, 1, 0, 1]), 2)
    scores = np.where(truth, 0.0, -800.0)
    assert find_metric(hits).by_clip(truth, scores) == pytest.approx(np.ones(4))


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


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("unfit", "does not take a batch .2, 1, 32, 7.: .no such layer"),
        ("lost", "cannot be made .the weights are elsewhere"),
        ("broken", "SyntaxError"),
    ],
)
def test_a_model_that_fails_in_any_way_is_one_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, message: str
) -> None:
    """A user's module, function or model may raise anything: a comparison and a sensitivity say it in one error."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken_nets.py").write_text("def broken(classes:\n")
    name = "broken_nets:broken" if model == "broken" else f"{__name__}:{model}"
    table = write_clips(tmp_path / "clips", drowned=True, seed=0)
    design = Design(parse_arms("global,band", FRONT_END), Training(model=name), seeds=1)
    with pytest.raises(ArgumentError, match=message):
        prepare(labelled_clips(sn.open_source(table)), design, tmp_path / "out")
    with pytest.raises(ArgumentError, match=message.partition(" .")[0].replace("made", "opened")):
        open_model(name)(np.zeros((2, 32, 7), np.float32))


def error_rate_without_its_attribute(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Share of wrong clips, which does not say that less is better."""
    return 1.0 - hits(labels, probabilities)


def hits_called_an_error(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Share of right clips, which says that less is better."""
    return hits(labels, probabilities)


hits_called_an_error.lower_is_better = True  # type: ignore[attr-defined]


def percent_of_errors(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Error rate in percent, which is 0 on right predictions."""
    return 100.0 * error_rate_without_its_attribute(labels, probabilities)


percent_of_errors.lower_is_better = True  # type: ignore[attr-defined]


def drawn(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """A number that depends on chance."""
    return float(np.random.default_rng().random())


def constant(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """A number that depends on nothing."""
    return 0.5


def ends(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """End the process."""
    raise SystemExit(3)


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        (
            error_rate_without_its_attribute,
            "is 0 on right predictions .* and 1 on wrong ones; give the function a true",
        ),
        (
            hits_called_an_error,
            "is 1 on right predictions .* and 0 on wrong ones; remove its attribute lower_is_better",
        ),
        (percent_of_errors, "is 100 on wrong predictions"),
        (drawn, "on the same predictions"),
        (constant, "is 0.5 on right and on wrong predictions"),
        (ends, "SystemExit: 3"),
    ],
)
def test_a_metric_whose_words_would_be_untrue_is_refused(tmp_path: Path, metric: object, message: str) -> None:
    """A metric that prefers wrong predictions, has another range or depends on chance is refused before training."""
    table = write_clips(tmp_path / "clips", drowned=True, seed=0)
    with pytest.raises(ArgumentError, match=message):
        compared(table, tmp_path / "out", metric)
    levels = np.arange(6 * 32 * 7, dtype=np.float32).reshape(6, 32, 7)
    given = LabelledLevels(levels, [0, 1] * 3, list("abcdef"))
    fitted = sn.Fixed(-30.0, 10.0).for_front_end(FRONT_END)
    with pytest.raises(ArgumentError, match=message):
        measure_sensitivity(lambda x: np.zeros((len(x), 2)), given, fitted, metric=metric)


def test_a_metric_may_change_its_arguments() -> None:
    """A function that works in place has the values of one that does not."""

    def in_place(labels: np.ndarray, probabilities: np.ndarray) -> float:
        found = hits(labels, probabilities)
        probabilities[:], labels[:] = 0.0, 0
        return found

    truth, scores = predictions()
    assert find_metric(in_place).by_clip(truth, scores) == pytest.approx(find_metric(hits).by_clip(truth, scores))


class Detached(torch.nn.Linear):
    """Logits without gradient."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x.mean(dim=3)[:, 0]).detach()


def detached(classes: int) -> torch.nn.Module:
    return Detached(32, classes)


def unweighted(classes: int) -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d((1, classes)), torch.nn.Flatten())


def lazy(classes: int) -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.LazyLinear(classes))


def softmaxed(classes: int) -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(32 * 7, classes), torch.nn.Softmax(dim=1))


class Rounded(Detached):
    """Whole numbers in place of logits."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x).long()


def rounded(classes: int) -> torch.nn.Module:
    return Rounded(32, classes)


def leaves(classes: int) -> torch.nn.Module:
    raise SystemExit(4)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("detached", "logits without gradient"),
        ("unweighted", "no weights to train"),
        ("lazy", "has lazy layers"),
        ("softmaxed", "gives probabilities, but logits are needed"),
        ("rounded", "gives torch.int64"),
        ("leaves", "cannot be made"),
    ],
)
def test_a_model_that_cannot_be_trained_is_one_error(tmp_path: Path, model: str, message: str) -> None:
    """Weights that are missing, lazy or without gradient, and outputs that are no logits, are named as such."""
    table = write_clips(tmp_path / "clips", drowned=True, seed=0)
    training = Training(model=f"{__name__}:{model}", epochs=1, device="cpu")
    design = Design(parse_arms("global,band", FRONT_END), training, seeds=1)
    with pytest.raises(ArgumentError, match=message):
        ready = prepare(labelled_clips(sn.open_source(table)), design, tmp_path / "out")
        compare(ready, Results(tmp_path / "out", ready.settings()))
