"""Pages of the open questions: tables as a run's answer says, and samples that never hold what is held out."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.doc_blocks import ROOT, blocks
from tests.shell_lines import joined
from typer.testing import CliRunner

import spectronorm as sn

pytest.importorskip("torch")

from benchmarks.question_pages import PAGES, put_run
from benchmarks.sampled_statistics import FRONT_END, Sampled, errors, write_samples

from spectronorm.cli.app import app
from spectronorm.experiment import parse_arms


def test_every_page_has_an_answer_a_command_and_its_arms() -> None:
    """The arms of each file are sound, and a page's command names its file."""
    pages = sorted(PAGES.glob("*.md"))
    assert pages
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert "**Answer.**" in text
        assert "TODO" not in text
        assert "| word |" in text
        assert f"docs/questions/{page.stem}.toml" in text or "python -m benchmarks." in text
    for path in PAGES.glob("*.toml"):
        assert (PAGES / f"{path.stem}.md").is_file()
        assert len(parse_arms(str(path), FRONT_END)) >= 2


COMPARED = ("crops.md", "filterbanks.md", "flips.md", "longer.md", "smaller.md", "speech.md")
"""Pages whose command is a comparison; the command of `samples.md` is the benchmark that is tested below."""


@pytest.mark.parametrize("name", COMPARED)
def test_the_command_of_a_page_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first block of the page's own command, on a few seconds of noise, gives an answer that fits the page."""
    rng, rows = np.random.default_rng(0), ["path,label,fold,speaker"]
    for number in range(24):
        rate = 8_000
        soundfile.write(tmp_path / f"{number}.wav", 0.1 * rng.standard_normal(rate), rate)
        rows.append(f"{number}.wav,{number // 6 % 2},{number % 6 + 1},s{number % 6}")
    (tmp_path / "clips.csv").write_text("\n".join(rows) + "\n")
    (line,) = (
        line for block in blocks(f"docs/questions/{name}") for line in joined(block.text) if block.language == "sh"
    )
    words = shlex.split(line)[1:]
    assert words[:1] == ["compare"]
    words[1], words[-1] = str(tmp_path / "clips.csv"), str(tmp_path / "run")
    # On some processors torch's convolutions of a few frames in bfloat16 give NaN, whatever the numbers.
    words = ["float32" if word == "bfloat16" else word for word in words]
    monkeypatch.chdir(ROOT)
    found = CliRunner().invoke(app, [*words, "--budget", "1s"])
    assert found.exit_code == 0, found.output
    page = tmp_path / "page.md"
    page.write_text((PAGES / name).read_text(encoding="utf-8"))
    put_run(name, tmp_path / "run", page)
    told = (PAGES / name).read_text(encoding="utf-8")
    answer = json.loads((tmp_path / "run" / "answer.json").read_text(encoding="utf-8"))["answer"]
    assert all(f"| {row['arm']} |" in told for row in answer["primary"]["arms"])


def test_a_run_becomes_two_tables_and_its_own_words(tmp_path: Path) -> None:
    """Means, both intervals, the word and the sentences stand in the page as they stand in the answer."""
    means = [{"arm": "a", "mean": 0.5, "low": 0.4, "high": 0.6}, {"arm": "b", "mean": 0.75, "low": 0.7, "high": 0.8}]
    difference = {
        "first": "b",
        "second": "a",
        "estimate": 0.25,
        "bootstrap": {"low": 0.1, "high": 0.4, "p": 0.001},
        "spread": {"units": "folds", "location": 0.25, "scale": 0.1, "df": 4},
        "chances": {"better": 0.9, "same": 0.06, "worse": 0.04},
    }
    answer = {
        "primary": {"arms": means, "verdicts": [{"difference": difference, "holm": 0.001, "word": "unresolved"}]},
        "log_loss": {"arms": [{"arm": "a", "mean": 1.5}, {"arm": "b", "mean": 0.7}]},
        "control": {**difference, "estimate": -0.01},
        "basis": ["The answer rests on 5 blocks.", "Holm."],
        "sentences": ["b and a are unresolved."],
        "advice": ["Stay with a."],
        "detectable": 0.077,
    }
    (tmp_path / "answer.json").write_text(json.dumps({"answer": answer}))
    page, marks = (
        tmp_path / "x.md",
        [f"<!-- {name}: {end} -->" for name in ("arms", "differences") for end in ("begin", "end")],
    )
    page.write_text("before\n" + "\n".join(marks) + "\nafter\n")
    put_run("x", tmp_path, page)
    text = page.read_text(encoding="utf-8")
    assert "| b | 75.0 | 70.0 … 80.0 | 0.700 |" in text
    assert "| b − a | +25.0 | +10.0 … +40.0 | −2.8 … +52.8 | 0.001 | unresolved | 0.90, 0.06, 0.04 |" in text
    assert "gives −1.0 points" in text
    assert "- b and a are unresolved.\n- Such a run calls an arm better four times in five" in text
    assert "if it is better by 7.7 points (1 pair of arms)" in text
    assert text.startswith("before\n")
    assert text.endswith("after\n")


def test_a_sample_never_holds_the_fold_that_is_held_out(tmp_path: Path) -> None:
    """Statistics are those of the sampled clips of the other folds, and their errors are small but not zero."""
    rng, rows = np.random.default_rng(0), ["path,label,fold"]
    for number in range(60):
        soundfile.write(tmp_path / f"{number}.wav", rng.uniform(0.01, 0.5) * rng.standard_normal(8_000), 16_000)
        rows.append(f"{number}.wav,{number % 2},{number % 3 + 1}")
    (tmp_path / "clips.csv").write_text("\n".join(rows) + "\n")
    source, folder, folds = sn.open_source(tmp_path / "clips.csv"), tmp_path / "samples", ["1", "2", "3"]
    folder.mkdir()
    whole = write_samples(source, folder, folds)
    for held in folds:
        fitted = Sampled("band", str(folder / "20")).fit(whole.without(fold=held))
        assert f"fold={held}" not in fitted.fitted_on.groups
        drawn = sn.Profile.load(folder / "20" / f"{held}.safetensors").without(fold=held)
        np.testing.assert_allclose(fitted.affine.shift[:, 0], drawn.band.mean)
        assert drawn.clips < 0.4 * whole.without(fold=held).clips
    found = errors(folder, whole, folds)
    assert [row["share"] for row in found] == [20, 10]
    assert 0 < found[0]["mean"] < 1
