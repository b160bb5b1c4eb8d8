"""Tables of several trainings: means and deviations of what is known, and the words as they were given."""

from __future__ import annotations

from benchmarks.gan_trainings import FIGURES, score_rows, taught_rows


def test_trainings_are_summed_up_and_words_that_differ_are_unresolved() -> None:
    """Mean ± standard deviation over seeds, a dash where there is no figure, and one word only if all agree."""
    row = dict.fromkeys((key for key, _, _ in FIGURES), 1.0)
    seeds = [
        {"rows": [{**row, "name": "a", "inception": value, "copies": None, "copied": word}]}
        for value, word in ((1.0, "copies"), (3.0, "no copies"))
    ]
    head, found = score_rows(seeds)
    told = dict(zip(head, found, strict=True))
    assert told["Inception"] == "2.00 ± 1.41"
    assert told["copies, z"] == "–"
    assert told["copied"] == "unresolved"
    assert score_rows(seeds[:1])[1][-1] == "copies"


def test_what_sets_teach_stands_as_the_command_said_it() -> None:
    """Shares become per cent, and the set that the others are compared with has no difference."""
    real = {"name": "training clips", "accuracy": 0.9, "interval": [0.8, 0.95]}
    other = {"name": "generated", "accuracy": 0.5, "interval": [0.4, 0.6], "difference": -0.4, "word": "worse"}
    other |= {"bootstrap": [-0.5, -0.3], "over_seeds": None}
    rows = taught_rows([real, other])
    assert rows[1] == ("training clips", "90.0", "80.0 … 95.0", "–", "–", "–", "–")
    assert rows[2] == ("generated", "50.0", "40.0 … 60.0", "−40.0", "−50.0 … −30.0", "–", "worse")
