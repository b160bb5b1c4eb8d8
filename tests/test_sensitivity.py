"""The cost of wrong statistics is that of a model whose answer is known, and every bad input is one error."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

torch = pytest.importorskip("torch")

import spectronorm as sn  # noqa: E402
from spectronorm.cli.app import app  # noqa: E402
from spectronorm.errors import ArgumentError  # noqa: E402
from spectronorm.experiment.metrics.known import METRICS  # noqa: E402
from spectronorm.experiment.metrics.metric import truth_of  # noqa: E402
from spectronorm.experiment.sensitivity import LabelledLevels, Sensitivity, measure_sensitivity, open_model  # noqa: E402
from spectronorm.experiment.sensitivity.model import of_module  # noqa: E402
from spectronorm.experiment.sensitivity.words import sensitivity_sentences  # noqa: E402
from spectronorm.normalize import FittedNormalizer  # noqa: E402

BANDS, FRAMES, CLIPS = 6, 10, 400
LEVELS = sn.Levels(bands=BANDS, unit="dB", low=-200.0, high=200.0, made_by="a test")


def threshold_model(at: float = 0.0) -> torch.nn.Module:
    """Return a model that says class 1 if the mean of its input is above a threshold."""

    class Threshold(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            mean = x.mean(dim=(1, 2, 3)) - at
            return torch.stack([-mean, mean], dim=1)

    return Threshold()


def clips(seed: int = 0) -> tuple[LabelledLevels, FittedNormalizer]:
    """Return clips whose mean level is the class, and a normalizer with their own statistics."""
    generator = np.random.default_rng(seed)
    labels = np.arange(CLIPS) % 2
    means = np.where(labels, 1.0, -1.0) + 0.8 * generator.standard_normal(CLIPS)
    levels = (means[:, None, None] + 0.1 * generator.standard_normal((CLIPS, BANDS, FRAMES))).astype(np.float32)
    fitted = sn.Fixed(float(levels.mean()), float(levels.std())).for_front_end(LEVELS)
    return LabelledLevels(levels, labels.tolist(), [str(i // 2) for i in range(CLIPS)]), fitted


def test_an_error_of_the_mean_costs_what_the_threshold_says() -> None:
    """For a model with a threshold, each change equals the accuracy at the moved threshold, counted by hand."""
    given, fitted = clips()
    found = measure_sensitivity(of_module(threshold_model()), given, fitted)
    x = np.asarray(fitted(given.levels)).mean(axis=(1, 2))
    labels = np.array(given.labels)
    assert found.value == pytest.approx(((x > 0) == labels).mean())
    for effect in found.of_kind("mean"):
        assert effect.value == pytest.approx(((x > effect.mean) == labels).mean(), abs=0.003)
        assert effect.low <= effect.change <= effect.high
    # A factor of the deviation does not move a threshold at zero.
    assert all(effect.change == 0.0 for effect in found.of_kind("std"))


def test_correct_statistics_are_told_apart_from_shipped_ones() -> None:
    """Shipped numbers that are off by half a deviation and a factor of two are found to be so, and cost accuracy."""
    given, fitted = clips()
    shift, scale = fitted.affine.shift, fitted.affine.scale
    wrong = sn.Fixed(float(shift.ravel()[0] + 0.5 * scale.ravel()[0]), float(2 * scale.ravel()[0])).for_front_end(
        LEVELS
    )
    found = measure_sensitivity(of_module(threshold_model()), given, wrong)
    assert found.offset == pytest.approx(0.5, abs=1e-3)
    assert found.ratio == pytest.approx(2.0, rel=1e-3)
    assert found.own.change > 0.03
    assert found.own.low > 0


def test_statistics_of_more_clips_cost_less() -> None:
    """The mean loss falls from five clips to a hundred and sixty, and the worst draw is never better than the mean."""
    given, fitted = clips()
    few = measure_sensitivity(of_module(threshold_model()), given, fitted, draws=20).of_kind("from clips")
    assert [effect.mean for effect in few] == [5, 10, 20, 40, 80, 160]
    assert few[-1].change > few[0].change
    assert all(effect.worst <= effect.change for effect in few)


def test_equal_seeds_give_equal_answers() -> None:
    """The draws depend on the seed alone."""
    given, fitted = clips()
    first, again, other = (
        measure_sensitivity(of_module(threshold_model()), given, fitted, draws=2, seed=seed) for seed in (0, 0, 1)
    )
    assert first == again
    assert first != other


def test_a_metric_of_one_s_own_is_measured() -> None:
    """A metric that is the accuracy in another form gives the accuracy's values."""

    def hits(labels: np.ndarray, probabilities: np.ndarray) -> float:
        return float((probabilities.argmax(axis=1) == labels).mean())

    given, fitted = clips()
    plain = measure_sensitivity(of_module(threshold_model()), given, fitted, draws=1)
    own = measure_sensitivity(of_module(threshold_model()), given, fitted, draws=1, metric=hits)
    assert own.metric == "hits"
    assert [effect.value for effect in own.effects] == pytest.approx([effect.value for effect in plain.effects])


def broken(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Fail, as a metric may."""
    raise ValueError("no positive class")


def test_bad_input_is_one_error() -> None:
    """One class, one recording, other lengths, a failing metric, a model of another size: each says what it needs."""
    given, fitted = clips()
    ones = [1] * CLIPS
    with pytest.raises(ArgumentError, match="one class"):
        LabelledLevels(given.levels, ones, given.groups)
    with pytest.raises(ArgumentError, match="one recording or speaker"):
        LabelledLevels(given.levels, given.labels, ["a"] * CLIPS)
    with pytest.raises(ArgumentError, match="do not fit"):
        LabelledLevels(given.levels[:5], given.labels, given.groups)
    with pytest.raises(ArgumentError, match="no positive class"):
        measure_sensitivity(of_module(threshold_model()), given, fitted, metric=broken)
    with pytest.raises(ArgumentError, match="does not take a batch"):
        measure_sensitivity(of_module(torch.nn.Conv2d(3, 2, 3)), given, fitted)
    with pytest.raises(ArgumentError, match="logits"):
        measure_sensitivity(of_module(torch.nn.Conv2d(1, 2, 3)), given, fitted)
    with pytest.raises(ArgumentError, match="finds its statistics in each clip"):
        measure_sensitivity(
            of_module(threshold_model()),
            given,
            sn.PerClip().fit(sn.Meter(LEVELS).add(given.levels, layout="bft").profile()),
        )
    for name in ("nothing", "no_such_module:model", "json:loads", "missing.onnx"):
        with pytest.raises(ArgumentError):
            open_model(name)


@pytest.mark.parametrize("name", ["recall", "map", "auc", "eer"])
def test_a_built_in_metric_is_that_of_the_predictions(name: str) -> None:
    """Each value is the metric of the model's outputs at the moved threshold; an error rate is worst at its highest."""
    given, fitted = clips()
    found = measure_sensitivity(of_module(threshold_model()), given, fitted, metric=name, draws=3)
    x = np.asarray(fitted(given.levels)).mean(axis=(1, 2))
    truth = truth_of(np.array(given.labels), 2)
    assert found.metric == METRICS[name].title
    scores = -np.logaddexp(0.0, np.stack([2 * x, -2 * x], axis=1))
    assert found.value == pytest.approx(METRICS[name].by_clip(truth, scores).mean(), abs=1e-6)
    jagged = found.of_kind("band by band")
    assert all(e.low <= e.change <= e.high for e in found.effects)
    assert all(e.worst >= e.change if name == "eer" else e.worst <= e.change for e in jagged)
    if name in ("map", "auc", "eer"):  # A threshold moves no rank.
        assert all(e.change == pytest.approx(0.0, abs=1e-9) for e in found.of_kind("mean"))
    assert "cost less than 1 point" in " ".join(sensitivity_sentences(found))


def test_clips_with_several_labels_have_a_mean_average_precision() -> None:
    """Two classes that a clip may both have, each ranked by its own band; a class without a clip is one error."""

    class TwoBands(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.mean(dim=3)[:, 0, :2]

    generator = np.random.default_rng(1)
    truth = (generator.random((CLIPS, 2)) < [0.3, 0.6]).astype(np.int64)
    levels = generator.standard_normal((CLIPS, BANDS, FRAMES)).astype(np.float32)
    levels[:, :2] += truth[:, :, None]
    groups = [str(i) for i in range(CLIPS)]
    given = LabelledLevels(levels, truth, groups, ("dog", "rain"))
    fitted = sn.Fixed(0.0, 1.0).for_front_end(LEVELS)
    found = measure_sensitivity(of_module(TwoBands()), given, fitted, metric="map", draws=1)
    scores = levels[:, :2].mean(axis=2)
    assert found.value == pytest.approx(METRICS["map"].by_clip(truth > 0, scores).mean(), abs=1e-6)
    assert found.value > 0.9
    none = truth * [1, 0]
    with pytest.raises(ArgumentError, match="the source has no clip of class 'rain'"):
        measure_sensitivity(
            of_module(TwoBands()), LabelledLevels(levels, none, groups, given.classes), fitted, metric="map"
        )
    with pytest.raises(ArgumentError, match="of at least 3 classes"):
        three = LabelledLevels(levels, np.hstack([truth, truth[:, :1]]), groups)
        measure_sensitivity(of_module(TwoBands()), three, fitted)


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    """Forty clips of noise, loud or quiet, in a table with labels and recordings."""
    generator = np.random.default_rng(0)
    rows = ["path,label,recording"]
    for number in range(40):
        loud = number % 2
        wave = 10 ** (generator.normal(-10 if loud else -30, 3) / 20) * generator.standard_normal(4000)
        soundfile.write(tmp_path / f"{number:02d}.wav", np.clip(wave, -1, 1), 8000)
        rows.append(f"{number:02d}.wav,{'loud' if loud else 'quiet'},{number // 2}")
    (tmp_path / "clips.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


MODEL = """
import torch

class Loud(torch.nn.Module):
    def forward(self, x):
        mean = x.mean(dim=(1, 2, 3))
        return torch.stack([mean, -mean], dim=1)

def trained():
    return Loud()
"""


def test_the_command_writes_a_page_a_record_and_sentences(sounds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a table, a profile and a module the command says what errors cost, and writes report and record."""
    monkeypatch.chdir(sounds)
    (sounds / "loudness_classifier.py").write_text(MODEL)
    front_end = sn.FrontEnd(sample_rate=8000, bands=sn.Mel(16))
    sn.fit("clips.csv", front_end).save("clips.safetensors")
    arguments = [
        "sensitivity",
        "loudness_classifier:trained",
        "clips.csv",
        "-p",
        "clips.safetensors",
        "--normalize",
        "global",
    ]
    result = CliRunner().invoke(app, [*arguments, "-o", "out", "--draws", "2"])
    assert result.exit_code == 0, result.output
    assert "With the shipped statistics the accuracy is" in result.stdout
    assert "40 clips of 20 recordings or speakers" in result.stdout
    record = json.loads((sounds / "out" / "sensitivity.json").read_text())
    assert record["value"] > 0.9
    assert {effect["kind"] for effect in record["effects"]} == {
        "mean",
        "std",
        "mean and std",
        "band by band",
        "from clips",
    }
    assert abs(record["offset"]) < 0.2
    assert "<table" in (sounds / "out" / "report.html").read_text()
    for wrong, said in (
        (["--classes", "loud"], "does not know the label"),
        (["--label", "kind"], "column 'kind' is not there"),
        (["--metric", "math:none"], "cannot be imported"),
        (["--metric", "f1"], "must be one of accuracy"),
        (["--metric", "map", "--classes", "loud,quiet,dog"], "2 outputs for 3 classes"),
        (["--classes", "loud,quiet,loud"], "has 'loud' twice"),
        (["--normalize", "clip"], "finds its statistics in each clip"),
    ):
        bad = CliRunner().invoke(app, [*arguments, "-o", "out", *wrong])
        assert bad.exit_code == 2, bad.output
        assert said in bad.stderr


@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")  # torch's own, in its exporter
def test_an_onnx_model_gives_what_its_module_gives(tmp_path: Path) -> None:
    """An exported model and its module have equal effects; a model of another input is refused with its shape."""
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    given, fitted = clips()
    module = threshold_model().eval()
    shape = {"x": {0: torch.export.Dim("clip")}}
    torch.onnx.export(
        module, (torch.zeros(2, 1, BANDS, FRAMES),), str(tmp_path / "model.onnx"), dynamic_shapes=shape, dynamo=True
    )
    by_file = measure_sensitivity(open_model(str(tmp_path / "model.onnx")), given, fitted, draws=1)
    by_module: Sensitivity = measure_sensitivity(of_module(module), given, fitted, draws=1)
    assert [e.value for e in by_file.effects] == pytest.approx([e.value for e in by_module.effects], abs=0.005)
    (tmp_path / "not.onnx").write_bytes(b"no model")
    with pytest.raises(sn.SpectronormError, match="not an ONNX model"):
        open_model(str(tmp_path / "not.onnx"))
    narrow = LabelledLevels(given.levels[:, :4], given.labels, given.groups)
    fixed = sn.Fixed(0.0, 1.0).for_front_end(sn.Levels(bands=4, unit="dB", low=-200.0, high=200.0, made_by="a test"))
    with pytest.raises(ArgumentError, match="does not take a batch"):
        measure_sensitivity(open_model(str(tmp_path / "model.onnx")), narrow, fixed)
