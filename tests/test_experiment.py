"""A comparison is paired, leaks nothing, finds what is there, does not find what is not, and survives a kill."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import spectronorm as sn
from spectronorm.cli.app import app

torch = pytest.importorskip("torch")

from tests.experiment_cases import FRONT_END, LINEAR, prepared, write_clips  # noqa: E402

from spectronorm.experiment import (  # noqa: E402
    Results,
    answer,
    labelled_clips,
    parse_arms,
    run,
)
from spectronorm.experiment.answer.outcomes import outcomes  # noqa: E402
from spectronorm.experiment.answer.precision import TOO_FEW_UNITS  # noqa: E402
from spectronorm.experiment.answer.statistics import bootstrap  # noqa: E402
from spectronorm.experiment.clips.levels import Waves  # noqa: E402
from spectronorm.experiment.running.compare import compare  # noqa: E402
from spectronorm.experiment.running.jobs import _together  # noqa: E402
from spectronorm.experiment.running.plan import expected, plan, same_model  # noqa: E402
from spectronorm.experiment.running.prepare import arm_inputs  # noqa: E402
from spectronorm.experiment.training.checkpoint import Checkpoint  # noqa: E402
from spectronorm.experiment.training.models import MODELS, begins_with_batch_norm, make_model  # noqa: E402
from spectronorm.experiment.training.train import (  # noqa: E402
    _batches,
    _generators,
    log_probabilities,
    mean_log_probabilities,
    train,
)
from spectronorm.report.comparison_page import save_comparison_page  # noqa: E402
from spectronorm.report.comparison_tables import tables  # noqa: E402


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The planted effect's clips."""
    return write_clips(tmp_path_factory.mktemp("drowned"), drowned=True, seed=0)


def test_a_planted_effect_is_found(table: Path, tmp_path: Path) -> None:
    """Where classes differ by a pattern that other bands drown, band normalization wins clear of zero."""
    ready = prepared(table, tmp_path, seeds=2)
    said = compare(ready, Results(tmp_path, ready.settings())).answer
    (verdict,) = said.accuracy.verdicts
    assert verdict.difference.first == "band"
    assert verdict.word == "better"
    assert verdict.difference.bootstrap.low > 0.05
    (loss,) = said.log_loss.verdicts
    assert loss.difference.estimate < 0
    assert loss.word == "better"
    assert said.sentences[0].startswith("“band” is better than “global” here by ")
    assert "global" in plan(ready)[0]


@pytest.mark.parametrize(("folds", "said"), [(2, TOO_FEW_UNITS), (3, "better four times in five if it is better by")])
def test_two_folds_state_no_difference(folds: int, said: str, tmp_path: Path) -> None:
    """After the first block and at the end, a run of two folds says why it states none; three folds state one."""
    ready = prepared(write_clips(tmp_path, drowned=False, seed=0, clips=60, folds=folds), tmp_path, epochs=2)
    results = Results(tmp_path, ready.settings())
    outcome = compare(ready, results)
    assert said in expected(ready, results)[0]
    assert said in "\n".join(tables(outcome))


def test_a_null_is_not_found(tmp_path: Path) -> None:
    """With all bands alike the interval of band against global covers zero in at least 45 of 50 data sets."""
    covered = 0
    for seed in range(50):
        folder = tmp_path / str(seed)
        ready = prepared(write_clips(folder, drowned=False, seed=seed, clips=48), folder, epochs=6)
        results = Results(folder, ready.settings())
        blocks = list(run(ready, results))
        found = outcomes(results.done, ready.clips, ("global", "band"), blocks)
        covered += not bootstrap(found, replicates=2000).difference("band", "global").bootstrap.excludes_zero
    assert covered >= 45


def test_arms_that_are_alike_give_the_same_numbers(table: Path, tmp_path: Path) -> None:
    """Arms of a block share weights, batches and draws: the same arm under two names gives identical results."""
    file = tmp_path / "arms.json"
    augment = [{"kind": "spec_augment", "freq_mask_param": 4, "time_mask_param": 2}, {"kind": "mixup", "alpha": 0.4}]
    twins = [{"name": name, "normalize": "band", "augment": augment} for name in ("one", "two")]
    file.write_text(json.dumps({"arm": twins}))
    ready = prepared(table, tmp_path / "out", str(file))
    results = Results(tmp_path / "out", ready.settings())
    outcome = compare(ready, results)
    for (fold, seed, name), model in results.done.items():
        if name == "one":
            twin, again = results.done[fold, seed, "two"], results.done[fold, seed, "one again"]
            assert (twin.scores, twin.loss) == (model.scores, model.loss)
            assert again.loss != model.loss
    assert outcome.answer.accuracy.verdicts[0].difference.estimate == 0.0


def test_an_augmentation_draws_the_same_beside_others(table: Path, tmp_path: Path) -> None:
    """An arm with one more augmentation gets the same masks as the arm without it."""
    file = tmp_path / "arms.toml"
    file.write_text(
        '[[arm]]\nname = "masks"\naugment = ["spec_augment"]\n'
        '[[arm]]\nname = "both"\naugment = [{kind = "gain", min_db = 0.0, max_db = 0.0}, "spec_augment"]\n'
    )
    ready = prepared(table, tmp_path / "out", str(file))
    index = np.arange(8)
    batches = [
        arm_inputs(ready, ready.design.arm(name), "1").batch(index, ready.clips.labels[index], _generators([1, 2]))[0]
        for name in ("masks", "both")
    ]
    torch.testing.assert_close(batches[0], batches[1], atol=1e-3, rtol=1e-4)


def test_statistics_never_see_the_held_out_fold(table: Path, tmp_path: Path) -> None:
    """An arm's normalizer is exactly what a pass over the training folds alone would give."""
    ready = prepared(table, tmp_path)
    for fold in ready.clips.held_out:
        alone = sn.Standardize(per="band").fit(sn.fit(sn.open_source(table).without(fold=fold), FRONT_END))
        fitted = ready.normalizer(ready.design.arm("band"), fold)
        np.testing.assert_array_equal(fitted.affine.shift, alone.affine.shift)
        np.testing.assert_array_equal(fitted.affine.scale, alone.affine.scale)
        assert f"fold={fold}" not in fitted.fitted_on.groups


def test_a_killed_run_ends_with_the_same_table(table: Path, tmp_path: Path) -> None:
    """Kill -9 in mid-run, half a line in the results, the same command again: the same answer as without."""

    def command(folder: str) -> list[str]:
        arguments = ["compare", table, "-o", tmp_path / folder, "--arms", "global,band,clip", "--seeds", "2", "--json"]
        arguments += [
            "--model",
            LINEAR,
            "--epochs",
            "40",
            "--sample-rate",
            "1000",
            "--n-fft",
            "64",
            "--hop-length",
            "32",
        ]
        arguments += ["--bands", "linear", "--drop-nyquist", "--shifts", "gain-20"]
        return [sys.executable, "-c", "from spectronorm.cli import main; main()", *map(str, arguments)]

    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    lines = tmp_path / "killed" / "results.jsonl"
    process = subprocess.Popen(command("killed"), env=environment, stdout=subprocess.PIPE)
    while not (lines.exists() and lines.read_bytes().count(b"\n") >= 3):
        time.sleep(0.02)
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = lines.read_bytes().count(b"\n")
    assert done < 24
    with lines.open("ab") as file:
        file.write(b'{"fold":"2","se')
    answers = []
    for folder in ("killed", "whole"):
        again = CliRunner().invoke(app, command(folder)[3:])
        assert again.exit_code == 0, again.output
        answers.append({name: value for name, value in json.loads(again.stdout).items() if name != "report"})
    assert answers[0] == answers[1]
    kept = (tmp_path / "killed" / "results.jsonl").read_text().splitlines()
    assert len(kept) == 24
    page = (tmp_path / "whole" / "report.html").read_text()
    assert "http" not in page.replace("http-equiv", "")
    assert "src=" in page
    assert page.count("<img") == page.count('src="data:image/png;base64,')


def test_the_page_opens_offline_on_a_phone(table: Path, tmp_path: Path) -> None:
    """In a browser 390 pixels wide the page fits, shows all its pictures and asks for nothing from outside."""
    browser_api = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("there is no chromium")
    ready = prepared(table, tmp_path, "global,band,clip", shifts=("gain-20",))
    results = Results(tmp_path, ready.settings())
    save_comparison_page(ready, results, compare(ready, results), tmp_path / "report.html")
    with browser_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 390, "height": 800})
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto((tmp_path / "report.html").as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.evaluate("[...document.images].every(image => image.naturalWidth > 300)")
        assert page.locator("img").count() == 6
        assert page.locator("audio").count() == page.locator(".clip").count() == 8
        assert "misclassified by 4 of 4 models, by 4 as " in page.locator(".clip").first.inner_text()
        assert page.locator(".answer p").first.inner_text().startswith("“band” is better than “global” here")
        assert "gain-20" in page.locator("table").last.text_content()
        assert not [url for url in asked if not url.startswith(("file:", "data:"))]
        browser.close()


def test_other_settings_do_not_mix_with_a_run(table: Path, tmp_path: Path) -> None:
    """A folder with results refuses a comparison with other arms, naming what differs; more seeds are welcome."""
    first = prepared(table, tmp_path)
    Results(tmp_path, first.settings())
    other = prepared(table, tmp_path, "none,band")
    with pytest.raises(sn.errors.ArgumentError, match=r"other settings \(arms, reference\)"):
        Results(tmp_path, other.settings())
    Results(tmp_path, prepared(table, tmp_path, seeds=3).settings())


def test_a_budget_ends_early(table: Path, tmp_path: Path) -> None:
    """With a budget a run stops when all is settled, and says why; with no time left it stops after a block."""
    ready = prepared(table, tmp_path, seeds=6)
    outcome = compare(ready, Results(tmp_path / "a", ready.settings()), budget=1e9)
    assert outcome.looks["band"].state == "different"
    assert 3 <= len(outcome.answer.blocks) < 18
    assert "settled" in outcome.stopped
    outcome = compare(ready, Results(tmp_path / "b", ready.settings()), budget=1e-9)
    assert len(outcome.answer.blocks) == 1
    assert "time was used up after 1 of 18" in outcome.stopped


def test_a_budget_holds_within_a_block(table: Path, tmp_path: Path) -> None:
    """After the first block the time ends a run in the middle of a block, whose work the next run goes on with."""
    ready = prepared(table, tmp_path, seeds=2, epochs=3)
    results = Results(tmp_path / "a", ready.settings())
    epochs: list[int] = []
    # Each look at the clock takes a second, and the clock is looked at once an epoch.
    outcome = compare(
        ready,
        results,
        budget=17.0,
        progress=lambda done, _: epochs.append(done),
        clock=lambda: float(len(epochs)),
    )
    assert "time was used up after 1 of 6" in outcome.stopped
    assert 3 < len(results.done) < 6
    again = compare(ready, Results(tmp_path / "a", ready.settings()))
    straight = compare(ready, Results(tmp_path / "b", ready.settings()))
    assert again.answer.accuracy == straight.answer.accuracy


def test_an_unfinished_seed_waits(table: Path, tmp_path: Path) -> None:
    """A table rests on seeds that did every fold: one more fold with the next seed does not change it."""
    ready = prepared(table, tmp_path, seeds=2)
    results = Results(tmp_path, ready.settings())
    tables = []
    for number, _ in enumerate(run(ready, results), start=1):
        if number in (3, 4):
            tables.append(answer(results.done, ready.design, ready.clips, []))
    assert tables[0] == tables[1] != answer(results.done, ready.design, ready.clips, [])


def test_a_budget_s_answer_is_json(table: Path, tmp_path: Path) -> None:
    """Stopped after one block, when nothing can be said yet, the command still prints one JSON object."""
    arguments = ["compare", table, "-o", tmp_path, "--arms", "global,band", "--model", LINEAR, "--epochs", "2"]
    arguments += ["--budget", "0.001s", "--json", "--sample-rate", "1000", "--n-fft", "64", "--hop-length", "32"]
    result = CliRunner().invoke(app, [*map(str, arguments), "--bands", "linear", "--drop-nyquist"])
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert said["looks"]["band"]["state"] == "open"
    assert said["answer"]["primary"]["verdicts"][0]["difference"]["spread"] is None
    assert said["answer"]["primary"]["verdicts"][0]["word"] == "cannot be said from this"
    assert json.loads((tmp_path / "answer.json").read_text())["answer"] == said["answer"]


def test_the_same_model_by_algebra_is_known(table: Path, tmp_path: Path) -> None:
    """None, global and min-max are one model before a convolution with BatchNorm; band is not, nor any without."""
    ready = prepared(table, tmp_path, "none,global,minmax,band,pcen", model="tiny")
    assert same_model(ready) == [("global", "none"), ("minmax", "none"), ("minmax", "global")]
    assert "“global” and “none” are the same model by algebra: a negative control." in plan(ready)
    linear = prepared(table, tmp_path, "none,global")
    assert not begins_with_batch_norm(linear.models[linear.design.training.model])
    assert same_model(linear) == []


def test_xresnet18_is_fastai_s(tmp_path: Path) -> None:
    """As many parameters as fastai 2.8's xresnet18(n_out=10, c_in=1), and its shapes on the way."""
    model = make_model("xresnet18", 10, 64, (0,))
    assert sum(parameter.numel() for parameter in model.parameters()) == 11_200_298
    x = torch.zeros(2, 1, 201, 401)
    shapes = []
    for layer in model:
        x = layer(x)
        shapes.append(tuple(x.shape[1:]))
    assert shapes[2] == (64, 101, 201)
    assert shapes[3] == (64, 51, 101)
    assert shapes[7] == (512, 7, 13)
    assert shapes[-1] == (10,)
    blocks = [module for module in model.modules() if type(module).__name__ == "ResidualBlock"]
    assert len(blocks) == 8
    assert all((block.path[1][1].weight == 0).all() for block in blocks)


@pytest.mark.parametrize("name", MODELS)
def test_equal_seeds_give_equal_weights(name: str) -> None:
    """A model's first weights are a function of the seed, and making one leaves other random numbers alone."""
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one, two, other = (make_model(name, 3, 16, seed).state_dict() for seed in ((1, 2), (1, 2), (1, 3)))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(one[key], two[key]) for key in one)
    # A linear classifier is convex and begins at zero whatever the seed is.
    assert name == "linear" or any(not torch.equal(one[key], other[key]) for key in one)


def test_factors_are_crossed(tmp_path: Path) -> None:
    """A file of factors gives every combination, named after its values."""
    file = tmp_path / "arms.toml"
    file.write_text('[factors]\nlevel = ["as_recorded", "standardize"]\nnormalize = ["none", "band"]\n')
    arms = parse_arms(str(file), FRONT_END)
    assert [arm.name for arm in arms] == [
        "as_recorded × none",
        "as_recorded × band",
        "standardize × none",
        "standardize × band",
    ]
    assert arms[2].front_end == replace(FRONT_END, level=sn.waveform.StandardizeWaveform())
    assert arms[3].normalizer == sn.Standardize(per="band")


def test_made_folds_keep_recordings_whole(noise_folder: Path) -> None:
    """Made folds are even in their classes, and no recording is in two of them."""
    clips = [
        replace(clip, columns={**clip.columns, "recording": f"r{i // 2}"})
        for i, clip in enumerate(sn.open_source(noise_folder))
    ]
    made = labelled_clips(sn.audio.Source(tuple(clips)), folds=3, group="recording")
    homes = {(group, made.fold_of(i)) for i, group in enumerate(made.groups)}
    assert len(homes) == len(set(made.groups)) == 6
    assert [len(made.test_clips(fold)) for fold in made.held_out] == [4, 4, 4]
    assert all(set(made.labels[made.test_clips(fold)].tolist()) == {0, 1} for fold in made.held_out)


def test_planted_validation_clips_are_caught(table: Path, tmp_path: Path) -> None:
    """Copies of a held-out fold in the training folds are found by `spectronorm check` in the run's own profile."""
    folder = tmp_path / "planted"
    shutil.copytree(table.parent, folder)
    rows = (folder / "clips.csv").read_text().splitlines()
    for index in (0, 3):  # both in fold 1
        shutil.copy(folder / f"{index:03d}.wav", folder / f"copy{index}.wav")
        rows.append(f"copy{index}.wav,{rows[index + 1].split(',')[1]},2,another{index}")
    (folder / "clips.csv").write_text("\n".join(rows) + "\n")
    for source, leaks in ((table, 0), (folder / "clips.csv", 2)):
        out = tmp_path / f"out{leaks}"
        prepared(source, out)
        (profile,) = (out / "profiles").iterdir()
        checked = CliRunner().invoke(app, ["check", str(profile), str(source), "--hold-out", "fold=1", "--json"])
        assert checked.exit_code == (1 if leaks else 0), checked.output
        assert len(json.loads(checked.stdout)["leaks"]) == leaks


def test_archives_are_compared_like_folders(table: Path, tmp_path: Path) -> None:
    """A zip of class folders gives the waves that the folders give."""
    for index, row in enumerate(table.read_text().splitlines()[1:13]):
        name, label, *_ = row.split(",")
        (tmp_path / "clips" / label).mkdir(parents=True, exist_ok=True)
        shutil.copy(table.parent / name, tmp_path / "clips" / label / f"{index}.wav")
    archive = shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path / "clips")
    found = [
        Waves(labelled_clips(sn.open_source(source), folds=2).source, 0.2, tmp_path / "cache").waves(FRONT_END)
        for source in (tmp_path / "clips", archive)
    ]
    np.testing.assert_array_equal(found[0], found[1])


def test_crops_of_the_test_clips_are_averaged(tmp_path: Path) -> None:
    """With test_crops a clip's probability is the mean over crops that pass the gate; without, the whole clip's."""
    table = write_clips(tmp_path / "swelling", drowned=True, seed=0, swell_db=12.0)
    file = tmp_path / "arms.toml"
    crop = '{kind = "frame_crop", frames = 3, gate_db = 3.0}'
    file.write_text(
        f'[[arm]]\nname = "whole"\nnormalize = "band"\naugment = [{crop}]\n'
        f'[[arm]]\nname = "crops"\nnormalize = "band"\naugment = [{crop}]\ntest_crops = 4\n'
    )
    ready = prepared(table, tmp_path / "out", str(file))
    whole, crops = (arm_inputs(ready, ready.design.arm(name), "1") for name in ("whole", "crops"))
    test = ready.clips.test_clips("1")
    (x,), views = list(whole.views(test)), list(crops.views(test))
    assert [tuple(view.shape) for view in views] == [(len(test), 1, 32, 3)] * 4
    frames = x[0, 0].unfold(-1, 3, 1)
    assert all(any(torch.equal(view[0, 0], part) for part in frames.unbind(1)) for view in views)
    batch, _ = crops.batch(test, ready.clips.labels[test], _generators([1]))
    assert batch.shape == views[0].shape
    model = make_model(LINEAR, 2, 16, (0,))
    each = [log_probabilities(model, view, ready.design.training) for view in views]
    mean = mean_log_probabilities(model, views, ready.design.training)
    np.testing.assert_allclose(np.exp(mean), np.mean(np.exp(each), axis=0), rtol=1e-6)
    results = Results(tmp_path / "out", ready.settings())
    compare(ready, results)
    assert results.done["1", 0, "whole"].loss == results.done["1", 0, "crops"].loss
    apart = [results.done["1", 0, name].scores.log_probability for name in ("whole", "crops")]
    assert np.abs(np.subtract(*apart)).max() > 0.01
    with pytest.raises(sn.errors.ArgumentError, match="test_crops=2 needs a frame_crop"):
        replace(ready.design.arm("whole"), augmentations=(), test_crops=2)


def test_a_mean_of_arms_averages_their_models(table: Path, tmp_path: Path) -> None:
    """Its probabilities are the mean over the models that its arms have alone, and nothing is trained again."""
    file = tmp_path / "arms.toml"
    file.write_text(
        '[[arm]]\nname = "a"\nnormalize = "band"\n[[arm]]\nname = "b"\nnormalize = "global"\n'
        '[[arm]]\nname = "both"\nmean_of = ["a", "b"]\n'
    )
    ready = prepared(table, tmp_path / "out", str(file), shifts=("gain-20",), epochs=20)
    assert _together(ready.design, list(ready.design.names)) == [("a", "b", "both"), ("a again",)]
    results = Results(tmp_path / "out", ready.settings())
    compare(ready, results)
    a, b, both = (results.done["1", 0, name] for name in ("a", "b", "both"))
    probability = {
        model.arm: np.exp([model.scores.log_probability, model.shifted["gain-20"]["mean"].log_probability])
        for model in (a, b, both)
    }
    np.testing.assert_allclose(probability["both"], (probability["a"] + probability["b"]) / 2, atol=2e-6)
    assert not np.allclose(probability["a"], probability["b"], atol=1e-3)
    np.testing.assert_allclose(both.loss, np.mean([a.loss, b.loss], axis=0), atol=1e-6)
    assert both.seconds < (a.seconds + b.seconds) / 2
    assert not list((tmp_path / "out").glob("checkpoint-*"))
    save_comparison_page(ready, results, compare(ready, results), tmp_path / "report.html")


def test_a_training_goes_on_from_its_checkpoint(table: Path, tmp_path: Path) -> None:
    """Stopped after three of six epochs, a training with dropout ends with the very weights of one in one piece."""
    file = tmp_path / "arms.toml"
    file.write_text('[[arm]]\nname = "a"\naugment = ["spec_augment", "mixup"]\n[[arm]]\nname = "b"\n')
    ready = prepared(table, tmp_path / "out", str(file))
    clips, training = ready.clips, ready.design.training

    def epochs(model: torch.nn.Module, checkpoint: Checkpoint | None, count: int) -> list[float]:
        inputs = arm_inputs(ready, ready.design.arm("a"), "1")
        losses = train(model, inputs, clips.labels, clips.train_clips("1"), training, (3,), checkpoint)
        return [epoch.loss for epoch, _ in zip(losses, range(count), strict=False)]

    def fresh() -> torch.nn.Module:
        return torch.nn.Sequential(torch.nn.Dropout(0.2), make_model("tiny", 2, 16, (0,)))

    whole = fresh()
    expected = epochs(whole, None, 6)
    path = tmp_path / "checkpoint.pt"
    assert epochs(fresh(), Checkpoint(path, "key", every=0.0), 3) == expected[:3]
    torch.rand(5)  # what others draw does not matter
    again = fresh()
    assert epochs(again, Checkpoint(path, "key", every=0.0), 6) == expected
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in whole.state_dict().items())
    assert len(Checkpoint(path, "key").load()["losses"]) == 5
    assert Checkpoint(path, "another").load() is None
    path.write_bytes(path.read_bytes()[:5000])
    assert Checkpoint(path, "key").load() is None
    assert epochs(fresh(), Checkpoint(path, "key"), 6) == expected


def test_a_kill_within_a_training_loses_seconds(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kill -9 in mid-model: the same run goes on from the model's last epochs, and ends with the same numbers."""
    file = tmp_path / "arms.toml"
    file.write_text('[[arm]]\nname = "three"\nmembers = 3\n[[arm]]\nname = "one"\n')
    code = f"""if True:
        import os, signal
        from pathlib import Path
        from tests.experiment_cases import prepared
        from spectronorm.experiment import Results, run
        from spectronorm.experiment.training import checkpoint
        checkpoint.EVERY = 0.0
        folder = Path({str(tmp_path / "killed")!r})
        ready = prepared(Path({str(table)!r}), folder, {str(file)!r}, epochs=25)
        kill = lambda epochs, _: epochs < 30 or os.kill(os.getpid(), signal.SIGKILL)
        list(run(ready, Results(folder, ready.settings()), kill))
    """
    command, environment = [sys.executable, "-c", code], {**os.environ, "OMP_NUM_THREADS": "1"}
    assert subprocess.run(command, env=environment, check=False).returncode == -signal.SIGKILL
    killed = tmp_path / "killed"
    assert not (killed / "results.jsonl").exists()
    done = sorted(len(torch.load(path, weights_only=True)["state"]["losses"]) for path in killed.glob("*.pt"))
    assert 1 <= done[0] < 25
    assert done[1:] == [25]
    monkeypatch.setattr("spectronorm.experiment.training.checkpoint.EVERY", 1e9)
    found, trained = [], []
    for folder in (killed, tmp_path / "whole"):
        ready = prepared(table, folder, str(file), epochs=25)
        batches: list[int] = []
        monkeypatch.setattr(
            "spectronorm.experiment.training.train._batches",
            lambda *given, to=batches: (to.append(1), _batches(*given))[1],
        )
        results = Results(folder, ready.settings())
        list(run(ready, results))
        found.append({key: replace(model, seconds=0.0) for key, model in results.done.items()})
        trained.append(len(batches))
        assert not list(folder.glob("checkpoint*"))
    assert found[0] == found[1]
    assert len(found[0]) == 9
    assert trained == [trained[1] - sum(done), 3 * (3 + 0 + 3) * 25]  # "one" finds its model among the three
    assert found[1]["1", 0, "one"].scores != found[1]["1", 0, "three"].scores
