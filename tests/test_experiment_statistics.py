"""The statistics of a comparison recover what is known, and the early stopping keeps its error rate."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

pytest.importorskip("torch")

from spectronorm.experiment.answer.advice import advice
from spectronorm.experiment.answer.chances import Chances, chances
from spectronorm.experiment.answer.discordance import half_width_floor
from spectronorm.experiment.answer.outcomes import Outcomes
from spectronorm.experiment.answer.power import Precision, detectable, power_of_better
from spectronorm.experiment.answer.precision import (
    ALIKE_EVERYWHERE,
    TOO_FEW_UNITS,
    precision_of,
    stated_difference,
    why_unstated,
)
from spectronorm.experiment.answer.sentences import sentence
from spectronorm.experiment.answer.sequential import DIFFERENT, EQUIVALENT, OPEN, boundary, evaluate_look
from spectronorm.experiment.answer.statistics import PairedDifference, bootstrap, holm
from spectronorm.experiment.answer.units import Interval, UnitSpread, combined, unit_spread
from spectronorm.experiment.answer.words import BETTER, UNSAID, ArmVerdict, verdicts
from spectronorm.experiment.running.plan import planned_difference


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
    """Without overlap, the interval over equal folds is SciPy's one-sample t."""
    folds = np.repeat(np.arange(len(values)), 4)
    difference = np.array(values)[folds][:, None]
    outcomes = Outcomes(
        ("a", "b"), np.stack([difference, np.zeros_like(difference)]), folds, np.arange(len(folds)), 0.0
    )
    found = unit_spread(difference, outcomes)
    expected = stats.ttest_1samp(values, 0.0)
    assert found is not None
    assert found.interval.p == pytest.approx(expected.pvalue, rel=1e-6)
    ends = (found.interval.low, found.interval.high)
    assert ends == pytest.approx(tuple(expected.confidence_interval(0.95)), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("folds", [2, 5, 10])
def test_overlapping_training_sets_widen_the_fold_interval(folds: int) -> None:
    """The variance of the mean of k folds is s² (1/k + 1/(k − 1)), as Nadeau and Bengio correct it."""
    values = np.random.default_rng(folds).normal(size=folds)
    of_fold = np.repeat(np.arange(folds), 6)
    difference = values[of_fold][:, None]
    found = unit_spread(difference, made(np.stack([difference, np.zeros_like(difference)]), folds=of_fold))
    assert found is not None
    assert found.scale == pytest.approx(values.std(ddof=1) * math.sqrt(1 / folds + 1 / (folds - 1)))


def test_one_fold_and_one_seed_say_nothing() -> None:
    """One model of each arm cannot be told from chance, whatever its difference."""
    hits = np.zeros((2, 500, 1))
    hits[0] = 1.0
    found = bootstrap(made(hits)).difference("a", "b")
    assert found.units is None
    assert found.chances is None
    assert [verdict.word for verdict in verdicts([found])] == [UNSAID]


def test_few_recordings_in_a_fold_say_nothing() -> None:
    """Six speakers in one fold get no word, and the sentence says what is needed."""
    generator = np.random.default_rng(5)
    hits = np.stack([generator.random((600, 4)) < 0.9, generator.random((600, 4)) < 0.5]).astype(float)
    (verdict,) = verdicts([bootstrap(made(hits, groups=np.arange(600) % 6)).difference("a", "b")])
    assert verdict.word == UNSAID
    assert "a fold has only 6 recordings or speakers, and 10 or more are needed" in sentence(verdict)


def test_with_one_fold_the_seeds_decide() -> None:
    """A difference that changes its sign with the seed is no finding, however many clips there are."""
    shift = np.array([0.05, -0.03, 0.04])
    generator = np.random.default_rng(6)
    hits = (generator.random((2, 5000, 3)) < 0.5 + np.stack([shift, np.zeros(3)])[:, None]).astype(float)
    (verdict,) = verdicts([bootstrap(made(hits)).difference("a", "b")])
    assert verdict.difference.spread is not None
    assert verdict.difference.spread.units == "seeds"
    assert verdict.word not in ("better", "worse")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 1.0])
def test_a_sum_of_two_errors_is_covered(share: float) -> None:
    """Over 4000 draws, the 95 % interval of errors with 2 and 99 degrees of freedom holds the truth in 94 % or more."""
    generator = np.random.default_rng(7)
    covered = 0
    for _ in range(4000):
        parts = ((share * generator.chisquare(2) / 2, 2.0), ((1 - share) * generator.chisquare(99) / 99, 99.0))
        scale, df = combined(*parts)
        covered += abs(generator.normal()) <= stats.t.isf(0.025, df) * scale
    assert covered / 4000 >= 0.94


def test_equal_folds_make_no_certainty() -> None:
    """Forty clips on which two arms never differ do not show that the arms are equivalent; two hundred do."""
    for clips, word in ((40, "not significant"), (200, "equivalent")):
        found = bootstrap(made(np.ones((2, clips, 1)), folds=np.arange(clips) * 2 // clips)).difference("a", "b")
        assert [verdict.word for verdict in verdicts([found])] == [word]
        assert found.chances is not None
        assert found.chances.same < 1.0


@given(st.floats(0, 1), st.integers(2, 5000))
def test_the_floor_is_never_above_what_a_difference_can_be(share: float, groups: int) -> None:
    """The floor lies in (0, 1], falls with more recordings, and covers a never seen discordance."""
    floor = half_width_floor(share, groups)
    assert 0 < floor <= 1
    assert half_width_floor(0.0, groups) <= floor + 1e-12
    assert half_width_floor(0.0, groups) == pytest.approx(1 - 0.025 ** (1 / groups), rel=1e-6)


@given(st.floats(-0.5, 0.5), st.floats(0.001, 0.2), st.integers(1, 30))
def test_the_probabilities_add_up_and_turn(location: float, scale: float, df: int) -> None:
    """Better, same and worse add up to one, and exchanging the arms exchanges better and worse."""
    found = chances(UnitSpread("folds", location, scale, df))
    other = chances(UnitSpread("folds", -location, scale, df))
    assert found.better + found.same + found.worse == pytest.approx(1.0)
    assert (found.better, found.worse) == pytest.approx((other.worse, other.better), abs=1e-12)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_rejects_as_defined(p_values: list[float]) -> None:
    """Stepping down from the smallest p, each is held against 0.05 / (how many are left), until one fails."""
    adjusted = holm(p_values)
    standing = True
    for rank, index in enumerate(np.argsort(p_values, kind="stable")):
        standing = standing and p_values[index] * (len(p_values) - rank) <= 0.05
        assert (adjusted[index] <= 0.05) == standing


@pytest.mark.parametrize(("pairs", "df", "widening"), [(1, 4, 1.5), (15, 4, 1.5), (3, 9, 1.0), (1, 1000, 1.0)])
def test_the_detectable_difference_is_detected(pairs: int, df: float, widening: float) -> None:
    """A difference of the stated size is called better in four of five simulated runs."""
    generator = np.random.default_rng(2)
    precision = Precision(0.01, df, widening)
    size = detectable(precision, pairs)
    estimate = size + 0.01 * generator.standard_normal(20_000)
    scale = widening * 0.01 * np.sqrt(generator.chisquare(df, 20_000) / df)
    by_units = estimate > stats.t.isf(0.025, df) * scale
    by_recordings = estimate > stats.norm.isf(0.025 / pairs) * 0.01
    assert 0.78 <= (by_units & by_recordings).mean() <= 0.82
    assert power_of_better(size, precision, pairs) == pytest.approx(0.8, abs=1e-3)


def test_arms_that_differ_by_much_disagree_on_as_many_clips() -> None:
    """Arms that disagree on one clip in ten: a difference of 5 points has the run's own error, one of 30 a larger."""
    precision = Precision(0.02, 4, 1.5, discordance=0.1)
    assert precision.se_at(0.05) == 0.02
    # Of two arms of which the first is right wherever the second is, a clip's variance is d - d^2.
    generator = np.random.default_rng(9)
    differ = (generator.random(200_000) < 0.3).astype(float)
    assert precision.se_at(0.3) == pytest.approx(0.02 * differ.std() / math.sqrt(0.1), rel=0.01)
    assert Precision(0.02, 4, 1.5).se_at(0.3) == 0.02
    assert power_of_better(0.12, precision, 1) <= power_of_better(0.12, Precision(0.02, 4, 1.5), 1)


@pytest.mark.parametrize(("folds", "seeds", "apart"), [(1, 4, 0.0), (1, 4, 0.03), (4, 2, 0.0), (4, 2, 0.05)])
def test_the_difference_stated_after_the_first_block_is_called_better(folds: int, seeds: int, apart: float) -> None:
    """Runs with trainings as far apart as stated call a difference of the stated size better four times in five."""
    generator = np.random.default_rng(8)
    groups = np.arange(160)
    of_fold = groups * folds // len(groups)

    def run(size: float) -> Outcomes:
        stays, noise = (generator.standard_normal((len(groups), n)) for n in (1, seeds))
        shifts = apart * math.sqrt(2) * generator.standard_normal((folds, seeds))[of_fold]
        first = size + 0.3 * (math.sqrt(1 / 3) * stays + math.sqrt(2 / 3) * noise) + shifts
        return made(np.stack([first, np.zeros_like(first)]), folds=of_fold)

    def stated() -> float:
        whole, first = run(0.0), of_fold == 0
        block = Outcomes(("a", "b"), whole.values[:, first, :1], of_fold[first], groups[first], overlap=whole.overlap)
        return planned_difference(block, [("a", "b")], len(groups), folds, seeds, apart, hits=False)

    size = float(np.median([stated() for _ in range(100)]))
    runs = [bootstrap(run(size), replicates=200, seed=n).difference("a", "b") for n in range(300)]
    said = [verdicts([difference])[0].word for difference in runs]
    # Folds are made as if training sets did not overlap, which the interval allows for all the same.
    assert 0.73 <= said.count(BETTER) / len(said) <= 0.87


@pytest.mark.parametrize(("folds", "seeds", "stated"), [(2, 3, False), (3, 1, True), (1, 2, False), (1, 3, True)])
def test_two_folds_or_seeds_do_not_tell_what_a_run_detects(folds: int, seeds: int, stated: bool) -> None:
    """Two folds, or two seeds of one fold, give no figure and no number of blocks; three give both."""
    clips = 240
    hits = (np.random.default_rng(4).random((2, clips, seeds)) < 0.7).astype(float)
    found = bootstrap(made(hits, folds=np.arange(clips) * folds // clips)).difference("a", "b")
    size = stated_difference([found])
    assert (size is not None) is stated
    assert size is None or 0.03 < size <= 1.0
    blocks = {"folds": folds, "seeds": seeds, "block_seconds": 60.0}
    said = advice(list(verdicts([found])), "b", precision_of([found]), 1, **blocks)
    assert (TOO_FEW_UNITS in said[1]) is not stated


def test_advice_names_the_winner_and_the_time() -> None:
    """The advice says which arm to use, or to stay, and how many more blocks settle two points."""
    open_question = difference(0.01, (-0.02, 0.04, 0.4), (-0.05, 0.06, 0.6))
    clear = difference(0.19, (0.14, 0.25, 1e-4), (0.1, 0.3, 0.01))
    precision = Precision(0.007, 4, 1.0)
    given = {"folds": 5, "seeds": 1, "block_seconds": 60.0}
    stay = advice(list(verdicts([open_question])), "global", precision, 1, **given)
    assert stay[0] == "Stay with “global”: this run calls no arm better."
    assert "more block" in stay[1]
    assert "minute" in stay[1] or "hour" in stay[1]
    assert advice(list(verdicts([clear])), "global", precision, 1, **given) == ("Use “pcen”.",)
    too_few = advice(list(verdicts([open_question])), "global", Precision(0.03, 4, 1.5), 1, **given)
    assert "more recordings are needed" in too_few[1]


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
    assert sum(_claims(generator, 2.5, critical) == DIFFERENT for _ in range(40)) >= 38


def test_identical_arms_are_equivalent() -> None:
    """Arms that hit the same clips are equivalent once there are two folds and enough clips, and open before."""
    hits = np.ones((2, 1000, 1))
    folds = np.repeat([0, 1], 500)
    assert evaluate_look(made(hits, folds=folds), "a", "b", fraction=0.2, critical=2.1).state == EQUIVALENT
    assert evaluate_look(made(hits[:, :40], folds=folds[480:520]), "a", "b", fraction=1.0, critical=2.1).state == OPEN
    assert evaluate_look(made(hits), "a", "b", fraction=0.1, critical=2.1).state == OPEN


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
        state = evaluate_look(part, "a", "b", fraction=done / (folds * seeds), critical=critical).state
        if state != OPEN:
            return state
    return OPEN


def difference(
    estimate: float, bootstrap: tuple[float, float, float], folds: tuple[float, float, float]
) -> PairedDifference:
    half, p = (folds[1] - folds[0]) / 2, folds[2]
    scale = abs(estimate) / stats.t.isf(p / 2, 4) if estimate and p < 0.05 else half / stats.t.isf(0.025, 4)
    spread = UnitSpread("folds", (folds[0] + folds[1]) / 2, scale, 4)
    return PairedDifference(
        "pcen", "global", estimate, Interval(*bootstrap), spread, 0.01, chances=Chances(0.2, 0.7, 0.1)
    )


@pytest.mark.parametrize(
    ("case", "word", "said"),
    [
        (
            difference(0.19, (0.14, 0.25, 1e-4), (0.1, 0.3, 0.01)),
            "better",
            "“pcen” is better than “global” here by 19.0 points (+14.0 … +25.0).",
        ),
        (
            difference(-0.19, (-0.25, -0.14, 1e-4), (-0.3, -0.1, 0.01)),
            "worse",
            "“global” is better than “pcen” here by 19.0 points (+14.0 … +25.0).",
        ),
        (
            difference(0.0, (-0.017, 0.018, 0.9), (-0.03, 0.03, 0.9)),
            "not significant",
            (
                "“pcen” and “global” do not differ significantly here (−1.7 … +1.8 points); “pcen” is better by more "
                "than 2 points with 20 % probability, within 2 points with 70 %, worse with 10 %."
            ),
        ),
        (
            difference(0.0, (-0.017, 0.018, 0.9), (-0.01, 0.01, 0.9)),
            "equivalent",
            "“pcen” and “global” are equally good here, within two points (−1.7 … +1.8 points).",
        ),
        (
            difference(0.05, (0.01, 0.09, 0.02), (-0.02, 0.12, 0.1)),
            "unresolved",
            (
                "“pcen” against “global” is unresolved here "
                "(+1.0 … +9.0 points over recordings, −2.0 … +12.0 over folds, p = 0.02 after Holm); “pcen” is "
                "better by more than 2 points with 20 % probability, within 2 points with 70 %, worse with 10 %."
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


@pytest.mark.parametrize(("folds", "seeds"), [(5, 1), (1, 3)])
def test_arms_that_agree_on_every_clip_state_no_detectable_difference(folds: int, seeds: int) -> None:
    """A run without one disagreement knows nothing of its precision: no figure, and an interval that is not certain."""
    clips = 100
    hits = np.ones((2, clips, seeds))
    resampled = bootstrap(made(hits, folds=np.arange(clips) * folds // clips))
    found = resampled.difference("a", "b")
    assert stated_difference([found]) is None
    assert why_unstated([found]) == ALIKE_EVERYWHERE
    assert found.bootstrap.high == -found.bootstrap.low == pytest.approx(found.floor)
    assert 0.03 < found.floor < 0.05
    assert resampled.interval("a") == pytest.approx((1.0 - found.floor, 1.0))
    assert bootstrap(made(0 * hits)).interval("b") == pytest.approx((0.0, found.floor))


def test_a_run_that_can_rank_nothing_recommends_nothing() -> None:
    """Six speakers give no word; the advice does not praise the reference arm for it."""
    generator = np.random.default_rng(0)
    hits = (generator.random((2, 120, 3)) < 0.7).astype(float)
    found = bootstrap(made(hits, np.arange(120) // 20)).difference("a", "b")
    said = advice(list(verdicts([found])), "b", precision_of([found]), 1, folds=1, seeds=3, block_seconds=1.0)
    assert said[0] == "This run cannot rank the arms, so it gives no reason to change “b”."


def test_a_fraction_of_a_recording_is_a_mean() -> None:
    """Nineteen recordings in five folds are 3.8 on average."""
    hits = (np.random.default_rng(0).random((2, 19, 1)) < 0.7).astype(float)
    assert (
        "only 3.8 recordings or speakers on average"
        in bootstrap(made(hits, folds=np.arange(19) % 5)).difference("a", "b").missing
    )
