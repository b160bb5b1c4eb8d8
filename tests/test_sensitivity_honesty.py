"""The words of `sensitivity` hold for few clips and few recordings, and for models of every kind of output."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.test_sensitivity import BANDS, CLIPS, FRAMES, clips, threshold_model  # noqa: E402

import spectronorm as sn  # noqa: E402
from spectronorm.errors import ArgumentError  # noqa: E402
from spectronorm.experiment.metrics.known import METRICS  # noqa: E402
from spectronorm.experiment.sensitivity import LabelledLevels, Sensitivity, measure_sensitivity, open_model  # noqa: E402
from spectronorm.experiment.sensitivity.errors_of_statistics import few_clips_errors  # noqa: E402
from spectronorm.experiment.sensitivity.labelled import labelled_levels  # noqa: E402
from spectronorm.experiment.sensitivity.model import of_module  # noqa: E402
from spectronorm.experiment.sensitivity.paired import paired  # noqa: E402
from spectronorm.experiment.sensitivity.words import sensitivity_sentences  # noqa: E402


@pytest.mark.parametrize(
    ("groups", "size", "lost", "least"), [(2, 20, 0.1, 0.9), (6, 20, 0.3, 0.9), (80, 1, 0.02, 0.93)]
)
def test_intervals_of_changes_cover_what_is_true_for_other_recordings(
    groups: int, size: int, lost: float, least: float
) -> None:
    """Two or six speakers, half of whose clips change together, or few rare changes: nineteen in twenty, or nearly."""
    generator, covered = np.random.default_rng(0), 0
    members = np.repeat(np.arange(groups), size)
    shared = 0.5 if size > 1 else 0.0
    for _ in range(200):
        alone, together = (generator.random(count) < lost for count in (len(members), groups))
        wrong = np.where(generator.random(len(members)) < shared, together[members], alone)
        before = np.log(np.tile([0.9, 0.1], (len(members), 1)))
        after = np.where(wrong[:, None], before[:, ::-1], before)
        labels = np.zeros(len(members), dtype=np.int64)
        *_, low, high, _ = paired(before, after[None], labels, members, METRICS["accuracy"], 0)
        assert low < high
        covered += low <= -lost <= high
    assert covered >= least * 200


def test_few_clips_are_drawn_as_from_other_recordings() -> None:
    """Statistics from 80 of 81 clips err as those of any 80 clips, not as those of nearly the whole source."""
    generator = np.random.default_rng(0)
    means = generator.standard_normal((81, 1))
    found = list(few_clips_errors(means, means**2 + 1.0, draws=400, seed=0))
    offsets = [offset.item() for offset, _ in found[-1].draws]
    assert found[-1].mean == 80
    assert np.std(offsets) == pytest.approx(means.std() / np.sqrt(80) / np.sqrt(means.var() + 1.0), rel=0.15)


def test_few_recordings_and_a_model_that_guesses_are_said() -> None:
    """Fewer than ten recordings, and a value that the shares of the classes reach without a model."""
    given, fitted = clips()
    few = LabelledLevels(given.levels, given.labels, [str(i % 6) for i in range(CLIPS)])
    said = " ".join(sensitivity_sentences(measure_sensitivity(of_module(threshold_model()), few, fitted, draws=1)))
    assert "rest on 6 recordings or speakers" in said
    assert "no better than guessing" not in said
    turned = LabelledLevels(given.levels, [1 - label for label in given.labels], given.groups, ("b", "a"))
    for metric in ("accuracy", "recall", "auc", "eer"):
        found = measure_sensitivity(of_module(threshold_model()), turned, fitted, metric=metric, draws=1)
        assert found.by_guess == pytest.approx(0.5)
        assert "no better than guessing by the shares of the classes (50.0 %)" in sensitivity_sentences(found)[1]


def test_an_error_that_changes_nothing_is_not_called_the_worst() -> None:
    """A threshold at zero is not moved by any factor of the deviation."""
    given, fitted = clips()
    said = sensitivity_sentences(measure_sensitivity(of_module(threshold_model()), given, fitted, draws=1))
    (line,) = [line for line in said if "deviation that was tried" in line]
    assert line.startswith("No error of the deviation that was tried made the accuracy worse")
    assert "(+0.0 … +0.0)" not in " ".join(said)


class Outputs(torch.nn.Module):
    """The threshold model with another form of its outputs."""

    def __init__(self, form: object) -> None:
        super().__init__()
        self.form = form

    def forward(self, x: torch.Tensor) -> object:
        return self.form(threshold_model()(x))  # type: ignore[operator]


def measured(form: object, **settings: object) -> Sensitivity:
    """Return the sensitivity of the threshold model with a form of its outputs."""
    given, fitted = clips()
    return measure_sensitivity(of_module(Outputs(form)), given, fitted, draws=1, **settings)  # type: ignore[arg-type]


def test_probabilities_are_recognized() -> None:
    """A model that ends with a softmax, or with several labels a sigmoid, has the answer of one that gives logits."""
    logits, soft = (measured(form, metric="eer") for form in (lambda z: z, lambda z: z.softmax(dim=1)))
    assert [e.value for e in soft.effects] == pytest.approx([e.value for e in logits.effects], abs=0.005)
    given, fitted = clips()
    several = LabelledLevels(given.levels, np.eye(2, dtype=np.int64)[np.asarray(given.labels)], given.groups)
    assert measure_sensitivity(of_module(Outputs(lambda z: z)), several, fitted, draws=1) == measure_sensitivity(
        of_module(Outputs(torch.sigmoid)), several, fitted, draws=1
    )


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (lambda z: z + torch.randn(z.shape), "outputs differ when the same clips are given again"),
        (lambda z: z > 0, "gives torch.bool"),
        (lambda z: z.to(torch.complex64), "gives torch.complex64"),
        (lambda z: {"logits": z}, "gives a dict"),
    ],
)
def test_outputs_that_are_no_logits_are_refused(form: object, message: str) -> None:
    """Random, boolean and complex outputs and dictionaries are each one error."""
    with pytest.raises(ArgumentError, match=message):
        measured(form)


def test_a_model_of_transformers_takes_its_own_layout() -> None:
    """A module whose `forward` takes `input_values` is given `(clip, frame, band)` and its `logits` are read."""

    class OfTransformers(torch.nn.Module):
        def forward(self, input_values: torch.Tensor) -> SimpleNamespace:
            assert input_values.shape[1:] == (FRAMES, BANDS)
            return SimpleNamespace(logits=threshold_model()(input_values.transpose(1, 2)[:, None]))

    given, fitted = clips()
    assert measure_sensitivity(of_module(OfTransformers()), given, fitted, draws=1) == measured(lambda z: z)


def test_silence_and_missing_groups_are_refused(tmp_path: Path) -> None:
    """Levels that are all equal have no statistics; a clip without its group is named, as `compare` does."""
    with pytest.raises(ArgumentError, match="all levels are -100, as those of digital silence"):
        LabelledLevels(np.full((4, 2, 3), -100.0, np.float32), [0, 1] * 2, list("abcd"))
    wave = 0.1 * np.random.default_rng(0).standard_normal(8000)
    items = [{"audio": (wave, 16_000), "label": "ab"[n % 2], **({"speaker": f"s{n}"} if n else {})} for n in range(6)]
    with pytest.raises(ArgumentError, match="groups 'speaker': 1 of 6 clips have nothing in this column"):
        labelled_levels(sn.open_source(items), sn.FrontEnd(bands=sn.Mel(8)), tmp_path)
    with pytest.raises(ArgumentError, match="has an empty name"):
        labelled_levels(sn.open_source(items[1:]), sn.FrontEnd(bands=sn.Mel(8)), tmp_path, classes=("a", "b", ""))


class Exported(torch.nn.Module):
    """The threshold model with a second output, or with a softmax."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.outputs = outputs

    def forward(self, x: torch.Tensor) -> object:
        mean = x.float().mean(dim=(1, 2, 3))
        logits = torch.stack([-mean, mean], dim=1)
        extra = (logits.argmax(dim=1), x.mean(dim=(1, 2)))
        return logits if self.outputs == 1 else (*extra[: self.outputs - 1], logits)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("outputs", "batch", "dtype"), [(1, 7, torch.float32), (1, 1, torch.float64), (2, 7, None)])
def test_exported_models_of_every_kind_are_run(
    tmp_path: Path, outputs: int, batch: int, dtype: torch.dtype | None
) -> None:
    """A fixed number of clips, double precision, or a label beside the logits: the answer is that of the module."""
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    path = tmp_path / "model.onnx"
    example = torch.zeros(batch, 1, BANDS, FRAMES, dtype=dtype or torch.float32)
    torch.onnx.export(Exported(outputs).eval(), (example,), str(path), dynamo=False)
    given, fitted = clips()
    by_file = measure_sensitivity(open_model(str(path)), given, fitted, draws=1)
    by_module = measure_sensitivity(of_module(threshold_model()), given, fitted, draws=1)
    assert by_file.value == pytest.approx(by_module.value, abs=0.005)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_outputs_that_may_all_be_logits_must_be_named(tmp_path: Path) -> None:
    """Of two matrices the one called `logits` is taken; if none is, the outputs are listed."""
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    example = (torch.zeros(2, 1, BANDS, FRAMES),)
    for names in (["label", "other", "scores"], ["label", "other", "logits"]):
        path = tmp_path / f"{names[-1]}.onnx"
        torch.onnx.export(Exported(3).eval(), example, str(path), dynamo=False, output_names=names)
    with pytest.raises(ArgumentError, match="has 3 outputs .label"):
        open_model(str(tmp_path / "scores.onnx"))
    assert open_model(str(tmp_path / "logits.onnx"))(np.zeros((3, BANDS, FRAMES), np.float32)).shape == (3, 2)
