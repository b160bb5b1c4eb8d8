"""Metrics equal scikit-learn's definitions, and their values by clip are the derivatives of the weighted metric."""

from __future__ import annotations

import numpy as np
import pytest

metrics = pytest.importorskip("sklearn.metrics")
optimize = pytest.importorskip("scipy.optimize")

from spectronorm.errors import ArgumentError  # noqa: E402
from spectronorm.experiment.metrics.known import METRICS, find_metric  # noqa: E402
from spectronorm.experiment.metrics.metric import truth_of  # noqa: E402


def predictions(seed: int, *, several: bool, ties: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Return truth and log-probabilities of 60 clips and 5 classes that are right more often than not."""
    generator = np.random.default_rng(seed)
    if several:
        truth = generator.random((60, 5)) < [0.1, 0.2, 0.3, 0.5, 0.7]
        truth[:5] = np.eye(5, dtype=bool)
        logits = 1.5 * truth - 1 + generator.standard_normal(truth.shape)
        scores = -np.logaddexp(0, -(np.round(logits, 1) if ties else logits))
    else:
        truth = truth_of(generator.permutation(np.arange(60) % 5), 5)
        logits = np.round(1.5 * truth + generator.standard_normal(truth.shape), 1 if ties else 12)
        scores = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    return truth, scores


def reference(name: str, truth: np.ndarray, scores: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Return scikit-learn's value."""
    one = bool((truth.sum(axis=1) == 1).all())
    decided = np.eye(5)[scores.argmax(axis=1)] if one else scores > np.log(0.5)
    match name:
        case "accuracy":
            return float(metrics.accuracy_score(truth, decided, sample_weight=weights))
        case "recall":
            return float(metrics.recall_score(truth, decided, average="macro", sample_weight=weights, zero_division=0))
        case "map":
            return float(metrics.average_precision_score(truth, scores, average="macro", sample_weight=weights))
        case "auc":
            return float(metrics.roc_auc_score(truth, scores, average="macro", sample_weight=weights))
    return float(np.mean([error_rate(*pair, weights) for pair in zip(truth.T, scores.T, strict=True)]))


def error_rate(positives: np.ndarray, scores: np.ndarray, weights: np.ndarray | None) -> float:
    """Return the equal error rate from scikit-learn's ROC curve, as the field computes it."""
    false, true, _ = metrics.roc_curve(positives, scores, drop_intermediate=False, sample_weight=weights)
    return float(optimize.brentq(lambda x: 1 - x - np.interp(x, false, true), 0.0, 1.0))


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("ties", [False, True])
def test_a_metric_is_scikit_learn_s_and_the_mean_of_its_values(name: str, several: bool, ties: bool) -> None:
    """With one label or several, with and without equal scores."""
    truth, scores = predictions(1, several=several, ties=ties and name != "eer")
    found = METRICS[name].by_clip(truth, scores)
    assert found.shape == (60,)
    assert found.mean() == pytest.approx(reference(name, truth, scores), abs=1e-9)
    if name != "accuracy":
        assert METRICS[name].by_class(truth, scores).mean() == pytest.approx(found.mean(), abs=1e-12)


@pytest.mark.parametrize("name", ["accuracy", "recall", "map", "auc"])
@pytest.mark.parametrize("ties", [False, True])
def test_a_clip_s_value_is_the_derivative_by_its_weight(name: str, ties: bool) -> None:
    """The weight of one clip is changed a little in scikit-learn's weighted metric."""
    truth, scores = predictions(2, several=True, ties=ties)
    values = METRICS[name].by_clip(truth, scores)
    step = 1e-6
    for clip in range(0, 60, 7):
        up, down = np.ones(60), np.ones(60)
        up[clip] += step
        down[clip] -= step
        slope = (reference(name, truth, scores, up) - reference(name, truth, scores, down)) / (2 * step)
        assert values[clip] - values.mean() == pytest.approx(60 * slope, abs=1e-5)


def test_the_values_of_an_equal_error_rate_have_its_standard_error() -> None:
    """Over many drawn data sets, the standard error from the values is the rate's own scatter."""
    rates, errors = [], []
    for seed in range(300):
        generator = np.random.default_rng(seed)
        truth = truth_of(generator.integers(2, size=300), 2)
        one = 1.2 * truth[:, 1] + generator.standard_normal(300)
        values = METRICS["eer"].by_clip(truth, np.stack([-one, one], axis=1))
        rates.append(values.mean())
        errors.append(values.std(ddof=1) / np.sqrt(300))
    assert np.mean(errors) == pytest.approx(np.std(rates), rel=0.15)


def test_an_equal_error_rate_is_known_by_hand() -> None:
    """Two of four positives below one of four others: a quarter of either is on the wrong side."""
    truth = truth_of(np.array([1, 1, 1, 0, 1, 0, 0, 0]), 2)
    score = np.arange(8.0, 0.0, -1.0)
    assert METRICS["eer"].by_clip(truth, np.stack([-score, score], axis=1)).mean() == pytest.approx(0.25)
    apart = np.array([8.0, 7, 6, 4, 5, 3, 2, 1])
    assert METRICS["eer"].by_clip(truth, np.stack([-apart, apart], axis=1)).mean() == pytest.approx(0.0)


def test_a_metric_that_cannot_be_computed_is_one_error() -> None:
    """A class without a clip, a class that all clips have, and an unknown name."""
    truth, _ = predictions(3, several=True)
    without, everywhere = truth.copy(), truth.copy()
    without[:, 2] = False
    everywhere[:, 3] = True
    names = list("abcde")
    for name in ("map", "auc", "eer", "recall"):
        METRICS[name].check(truth, names, "fold 1")
        with pytest.raises(ArgumentError, match=r"fold 1 has no clip of class 'c'"):
            METRICS[name].check(without, names, "fold 1")
    with pytest.raises(ArgumentError, match=r"all of class 'd'"):
        METRICS["auc"].check(everywhere, names, "fold 1")
    with pytest.raises(ArgumentError, match=r"did you mean 'map'"):
        find_metric("mapp")


@pytest.mark.parametrize("name", ["accuracy", "recall"])
def test_clips_that_happen_to_have_one_label_are_decided_as_the_others(name: str) -> None:
    """Of a model with a probability for each class, every class above one half counts, whatever a fold's clips have."""
    truth = np.eye(3, dtype=bool)[[0, 1, 2, 0, 1, 2]]
    scores = np.log(np.where(truth, 0.9, 0.7))
    assert METRICS["accuracy"].by_clip(truth, scores).mean() == 0.0
    whole = np.vstack([truth, [True, True, True]])
    of_all = METRICS[name].by_clip(whole, np.vstack([scores, np.log([0.9, 0.9, 0.9])]))
    assert of_all.mean() == pytest.approx({"accuracy": 1 / 7, "recall": 1.0}[name])
    one = np.log(np.where(truth, 0.6, 0.2))  # of a model that chooses one class
    assert METRICS[name].by_clip(truth, one).mean() == pytest.approx(1.0)
