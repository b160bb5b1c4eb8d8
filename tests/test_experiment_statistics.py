"""The statistics of a comparison recover what is known, and the early stopping keeps its error rate."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

pytest.importorskip("torch")

from spectronorm.experiment.answer.answer import ArmVerdict, sentence, verdicts
from spectronorm.experiment.answer.outcomes import Outcomes
from spectronorm.experiment.answer.sequential import DIFFERENT, EQUIVALENT, OPEN, boundary, look
from spectronorm.experiment.answer.statistics import Interval, PairedDifference, bootstrap, detectable, holm, t_interval


def made(values: np.ndarray, groups: np.ndarray | None = None, folds: np.ndarray | None = None) -> Outcomes:
    clips = values.shape[1]
    return Outcomes(
        ("a", "b"),
        values,
        np.zeros(clips, dtype=np.int64) if folds is None else folds,
        np.arange(clips) if groups is None else groups,
    )


def test_the_bootstrap_covers_the_truth() -> None:
    """Over 300 data sets the 95 % interval holds the true difference in 92 to 98 % of them."""
    generator = np.random.default_rng(0)
    covered = 0
    for trial in range(300):
        hits = np.stack([generator.random((120, 1)) < p for p in (0.8, 0.7)]).astype(float)
        interval = bootstrap(made(hits), replicates=600, seed=trial).difference("a", "b").bootstrap
        covered += interval.low <= 0.1 <= interval.high
    assert 0.92 <= covered / 300 <= 0.98


def test_clips_of_one_recording_count_as_one() -> None:
    """Ten copies of each clip, known as one recording each, give the interval of one copy; unknown, a third of it."""
    generator = np.random.default_rng(1)
    hits = (generator.random((2, 40, 1)) < 0.5).astype(float)
    copies = np.repeat(hits, 10, axis=1)
    known = bootstrap(made(copies, groups=np.repeat(np.arange(40), 10))).difference("a", "b")
    once = bootstrap(made(hits)).difference("a", "b")
    unknown = bootstrap(made(copies)).difference("a", "b")
    assert known.se == pytest.approx(once.se, rel=1e-9)
    assert unknown.se == pytest.approx(once.se / math.sqrt(10), rel=0.05)


def test_seeds_are_resampled_too() -> None:
    """A difference that changes from seed to seed alike for all clips has the seeds' error, not the clips'."""
    shift = np.array([0.2, -0.1, 0.05, 0.15])
    values = np.stack([np.broadcast_to(shift, (50, 4)), np.zeros((50, 4))])
    difference = bootstrap(made(values)).difference("a", "b")
    assert difference.se == pytest.approx(shift.std() / 2, rel=0.05)


def test_an_unfinished_seed_counts_each_clip_once() -> None:
    """Clips with one seed weigh as much as clips with two."""
    values = np.zeros((2, 4, 2))
    values[0, :2] = 1.0
    values[:, 2:, 1] = np.nan
    found = made(values)
    assert found.means() == {"a": 0.5, "b": 0.0}
    assert bootstrap(found).difference("a", "b").estimate == 0.5


@given(st.lists(st.floats(-1, 1), min_size=3, max_size=8).filter(lambda v: np.std(v) > 1e-6))
def test_the_fold_interval_is_student_s(values: list[float]) -> None:
    """The interval over folds is SciPy's one-sample t."""
    found = t_interval(np.array(values))
    expected = stats.ttest_1samp(values, 0.0)
    assert found is not None
    assert found.p == pytest.approx(expected.pvalue, rel=1e-9)
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval(0.95)), rel=1e-9, abs=1e-12)


def test_one_fold_has_no_fold_interval() -> None:
    """One fold says nothing about the next; equal folds give an interval without width."""
    assert t_interval(np.array([0.1])) is None
    assert t_interval(np.array([0.25, 0.25, 0.25])) == Interval(0.25, 0.25, 0.0)
    assert t_interval(np.zeros(3)) == Interval(0.0, 0.0, 1.0)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_rejects_as_defined(p_values: list[float]) -> None:
    """Stepping down from the smallest p, each is held against 0.05 / (how many are left), until one fails."""
    adjusted = holm(p_values)
    standing = True
    for rank, index in enumerate(np.argsort(p_values, kind="stable")):
        standing = standing and p_values[index] * (len(p_values) - rank) <= 0.05
        assert (adjusted[index] <= 0.05) == standing


def test_the_detectable_difference_is_detected() -> None:
    """A difference of the stated size is found in about four of five simulated runs."""
    generator = np.random.default_rng(2)
    size = detectable(400, 1, 0.1)
    found = 0
    for _ in range(2000):
        u = generator.random(400)
        difference = np.where(u < 0.05 + size / 2, 1, np.where(u < 0.1, -1, 0))
        found += abs(difference.mean()) / (difference.std() / 20) > 1.96
    assert 0.76 <= found / 2000 <= 0.84


@pytest.mark.parametrize(("looks", "expected"), [(1, 1.960), (2, 1.977), (5, 2.040), (10, 2.087)])
def test_the_boundary_is_o_brien_and_fleming_s(looks: int, expected: float) -> None:
    """The critical values are those of Jennison and Turnbull 2000 (table 2.3)."""
    assert boundary(looks, 1) == pytest.approx(expected, abs=0.015)


def test_false_alarms_stay_below_five_percent() -> None:
    """At most 5 % of 600 A/A experiments, whose models differ from run to run, claim a difference at any look."""
    generator = np.random.default_rng(3)
    critical = boundary(15, 1)
    assert sum(_claims(generator, 0.0, critical) == DIFFERENT for _ in range(600)) <= 30


def test_a_real_difference_is_settled_early() -> None:
    """A large difference is claimed in nearly all experiments, and none of the other sign is."""
    generator = np.random.default_rng(4)
    critical = boundary(15, 1)
    assert sum(_claims(generator, 1.5, critical) == DIFFERENT for _ in range(40)) >= 38


def test_identical_arms_are_equivalent() -> None:
    """Arms that hit the same clips are equivalent as soon as there are two folds, and open before."""
    hits = np.ones((2, 40, 1))
    folds = np.repeat([0, 1], 20)
    assert look(made(hits, folds=folds), "a", "b", fraction=0.2, critical=2.1).state == EQUIVALENT
    assert look(made(hits), "a", "b", fraction=0.1, critical=2.1).state == OPEN


def _claims(generator: np.random.Generator, effect: float, critical: float) -> str:
    """The end of one experiment: 5 folds of 40 clips, 3 seeds, models and clips that vary on the logit scale."""
    folds, seeds, size = 5, 3, 40
    fold_of = np.repeat(np.arange(folds), size)
    ease = generator.normal(1.5, 1.5, folds * size)
    run = np.repeat(generator.normal(0, 0.4, (2, folds, seeds)), size, axis=1)
    logit = ease[:, None] + run + generator.normal(0, 0.7, run.shape) + np.array([effect, 0.0])[:, None, None]
    hits = (generator.random(run.shape) < 1 / (1 + np.exp(-logit))).astype(float)
    for done in range(2, folds * seeds + 1):
        seed, fold = divmod(done - 1, folds)
        values = hits[:, :, : seed + 1].copy()
        values[:, fold_of > fold, seed] = np.nan
        there = ~np.isnan(values[0]).all(axis=1)
        part = Outcomes(("a", "b"), values[:, there], fold_of[there], np.arange(there.sum()))
        state = look(part, "a", "b", fraction=done / (folds * seeds), critical=critical).state
        if state != OPEN:
            return state
    return OPEN


def difference(
    estimate: float, bootstrap: tuple[float, float, float], folds: tuple[float, float, float]
) -> PairedDifference:
    return PairedDifference("pcen", "global", estimate, Interval(*bootstrap), Interval(*folds), 0.01)


@pytest.mark.parametrize(
    ("case", "word", "said"),
    [
        (
            difference(0.19, (0.14, 0.25, 1e-4), (0.1, 0.3, 0.01)),
            "better",
            "pcen is better than global here by 19.0 points (+14.0 … +25.0).",
        ),
        (
            difference(-0.19, (-0.25, -0.14, 1e-4), (-0.3, -0.1, 0.01)),
            "worse",
            "global is better than pcen here by 19.0 points (+14.0 … +25.0).",
        ),
        (
            difference(0.0, (-0.017, 0.018, 0.9), (-0.03, 0.03, 0.9)),
            "not significant",
            "pcen and global do not differ significantly here (−1.7 … +1.8 points).",
        ),
        (
            difference(0.0, (-0.017, 0.018, 0.9), (-0.01, 0.01, 0.9)),
            "equivalent",
            "pcen and global are equally good here, within two points (−1.7 … +1.8 points).",
        ),
        (
            difference(0.05, (0.01, 0.09, 0.02), (-0.02, 0.12, 0.1)),
            "unresolved",
            (
                "pcen against global is unresolved here "
                "(+1.0 … +9.0 points over recordings, −2.0 … +12.0 over folds, p = 0.02 after Holm)."
            ),
        ),
    ],
)
def test_the_words_fit_the_intervals(case: PairedDifference, word: str, said: str) -> None:
    """Each combination of the two intervals has its one word and its sentence."""
    (verdict,) = verdicts([case])
    assert verdict.word == word
    assert sentence(verdict) == said


def test_holm_can_take_a_finding_away() -> None:
    """A difference that is significant alone is unresolved among many."""
    one = difference(0.05, (0.01, 0.09, 0.02), (0.01, 0.09, 0.02))
    assert [v.word for v in verdicts([one])] == ["better"]
    nothing = difference(0.0, (-0.05, 0.05, 0.9), (-0.05, 0.05, 0.9))
    found = verdicts([one, nothing, nothing, nothing])
    assert found[0] == ArmVerdict(one, pytest.approx(0.08), "unresolved")
