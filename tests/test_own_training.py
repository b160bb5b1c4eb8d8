"""Arms with a model, a rate or a training of their own, pretrained models, and options beside a protocol."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.experiment_cases import FRONT_END, LINEAR, prepared, write_clips  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from spectronorm.errors import ArgumentError  # noqa: E402
from spectronorm.experiment import Results, compare, parse_arms  # noqa: E402
from spectronorm.experiment.running.prepare import arm_inputs  # noqa: E402
from spectronorm.experiment.running.run import ArmTraining, run  # noqa: E402
from spectronorm.experiment.training.learning_rate import RATE_FACTORS, find_learning_rate  # noqa: E402
from spectronorm.experiment.training.models import check_model, make_model  # noqa: E402
from spectronorm.experiment.training.train import train  # noqa: E402

HERE = "tests.test_own_training"


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """The same sums on any machine."""
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clips(tmp_path_factory.mktemp("clips"), drowned=True, seed=0, clips=60)


class Norms(nn.Module):
    """A "pretrained" network with batch normalization, dropout and a last linear layer."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5), nn.AdaptiveAvgPool2d(1))
        self.head = nn.Linear(4, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x).flatten(1))


torch.manual_seed(0)
PRETRAINED = Norms(2).eval()


def arms_file(folder: Path, arms: list[dict[str, object]]) -> str:
    path = folder / "arms.json"
    path.write_text(json.dumps({"arm": arms}))
    return str(path)


def test_an_arm_has_its_own_model_rate_and_epochs(table: Path, tmp_path: Path) -> None:
    """Model, epochs and rate are those of the arm where it has them; the others train as before."""
    text = arms_file(
        tmp_path,
        [
            {"name": "shared", "normalize": "band"},
            {"name": "mlp", "normalize": "band", "model": "mlp"},
            {"name": "long", "normalize": "band", "epochs": 9, "learning_rate": 0.001},
        ],
    )
    ready = prepared(table, tmp_path / "run", text)
    results = Results(tmp_path / "run", ready.settings())
    next(run(ready, results))
    done = {name: results.done["1", 0, name] for name in ("shared", "mlp", "long")}
    assert [len(model.loss) for model in done.values()] == [6, 6, 9]
    assert [model.learning_rate for model in done.values()] == [0.02, 0.02, 0.001]
    assert set(ready.models) == {LINEAR, "mlp"}
    alone = prepared(table, tmp_path / "alone", "band,global")
    others = Results(tmp_path / "alone", alone.settings())
    next(run(alone, others))
    assert others.done["1", 0, "band"].scores == done["shared"].scores


def test_factors_may_be_models(tmp_path: Path) -> None:
    """A factor `model` or `learning_rate` is crossed with the others, and a wrong one is refused by the arm's name."""
    path = tmp_path / "factors.toml"
    path.write_text(
        '[factors]\nnormalize = ["global", "band"]\nmodel = ["linear", "mlp"]\nlearning_rate = [0.01, 0.03]\n'
    )
    arms = parse_arms(str(path), FRONT_END)
    assert len(arms) == 8
    assert arms[0].own.model == "linear"
    assert len({arm.name for arm in arms}) == 8
    path.write_text('[[arm]]\nname = "x"\ntrains = "half"\n[[arm]]\nname = "y"\n')
    with pytest.raises(ArgumentError, match=r"arm 'x': trains='half' must be one of all, head, none"):
        parse_arms(str(path), FRONT_END)


def test_the_held_out_loss_is_that_of_the_tested_clips(table: Path, tmp_path: Path) -> None:
    """After the last epoch it is the mean log-loss of the scores, it goes on after a kill, and it decides nothing."""
    ready = prepared(table, tmp_path / "run")
    results = Results(tmp_path / "run", ready.settings())
    next(run(ready, results))
    model = results.done["1", 0, "band"]
    assert len(model.held_out_loss) == len(model.loss) == 6
    assert model.held_out_loss[-1] == pytest.approx(-np.mean(model.scores.log_probability), abs=1e-5)
    again = Results(tmp_path / "run", ready.settings())
    assert again.done["1", 0, "band"] == model


def test_a_search_finds_the_rate_and_sees_no_held_out_clip(table: Path, tmp_path: Path) -> None:
    """From a rate that is nine times too low the search goes up; other labels of the held-out fold change nothing."""
    ready = prepared(table, tmp_path / "run", learning_rate=0.02 / 9, search_learning_rate=True)
    arm = ready.design.arm("band")
    training = ready.design.training_of(arm)
    inputs = arm_inputs(ready, arm, "1")

    def make() -> nn.Module:
        return make_model(LINEAR, 2, 32, (0,))

    found = find_learning_rate(make, inputs, ready.clips, "1", training, (0, 1))
    assert found > training.learning_rate
    assert found in [factor * training.learning_rate for factor in RATE_FACTORS]
    labels = ready.clips.labels.copy()
    labels[ready.clips.test_clips("1")] ^= 1
    assert find_learning_rate(make, inputs, replace(ready.clips, labels=labels), "1", training, (0, 1)) == found


def test_a_searched_rate_is_kept_and_told(table: Path, tmp_path: Path) -> None:
    """The rate stands in the result, is found again in the folder, and an arm with its own rate is not searched."""
    text = arms_file(
        tmp_path, [{"name": "a", "normalize": "band"}, {"name": "b", "normalize": "band", "learning_rate": 0.5}]
    )
    ready = prepared(table, tmp_path / "run", text, search_learning_rate=True)
    first = ArmTraining(ready, next(iter(ready.design.blocks(ready.clips))), "a", tmp_path)
    list(first.epochs())
    kept = list(tmp_path.glob("learning-rate-*.json"))
    assert len(kept) == 1
    assert float(kept[0].read_text()) == first.result().learning_rate
    own = ArmTraining(ready, next(iter(ready.design.blocks(ready.clips))), "b", tmp_path)
    list(own.epochs())
    assert own.result().learning_rate == 0.5
    assert len(list(tmp_path.glob("learning-rate-*.json"))) == 1


def test_a_probe_trains_the_head_alone_and_evaluation_nothing(table: Path, tmp_path: Path) -> None:
    """With `head` only the last linear layer changes, batch normalization stays; with `none` no weight does."""
    text = arms_file(
        tmp_path,
        [
            {"name": "as it is", "normalize": "band", "model": f"{HERE}:PRETRAINED", "trains": "none"},
            {"name": "probe", "normalize": "band", "model": f"{HERE}:PRETRAINED", "trains": "head"},
        ],
    )
    ready = prepared(table, tmp_path / "run", text)
    outcome = compare(ready, Results(tmp_path / "run", ready.settings()))
    assert {mean.arm for mean in outcome.answer.accuracy.arms} == {"as it is", "probe"}
    arm = ready.design.arm("probe")
    training = ready.design.training_of(arm)
    model = make_model(f"{HERE}:PRETRAINED", 2, 32, (0,))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    clips = ready.clips
    epochs = list(train(model, arm_inputs(ready, arm, "1"), clips.labels, clips.train_clips("1"), training, (0,)))
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert len(epochs) == 6
    assert changed == {"head.weight", "head.bias"}
    assert not torch.equal(before["head.weight"], model.state_dict()["head.weight"])
    assert (
        list(
            train(
                model,
                arm_inputs(ready, arm, "1"),
                clips.labels,
                clips.train_clips("1"),
                replace(training, trains="none"),
                (0,),
            )
        )
        == []
    )


def test_a_probe_needs_a_linear_layer() -> None:
    """A model without one is refused with the rule."""
    from spectronorm.experiment.training.pretrained import prepare_to_train  # noqa: PLC0415
    from spectronorm.experiment.training.train import Training  # noqa: PLC0415

    with pytest.raises(ArgumentError, match="needs a model with a linear layer"):
        prepare_to_train(nn.Conv2d(1, 1, 1), Training(trains="head"))


def spectrogram_transformer(classes: int) -> nn.Module:
    """A very small AST of random weights."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    settings = transformers.ASTConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        patch_size=4,
        frequency_stride=4,
        time_stride=4,
        max_length=40,
        num_mel_bins=16,
        num_labels=classes,
    )
    return transformers.ASTForAudioClassification(settings)


def test_an_ast_is_compared_like_any_module() -> None:
    """A model of Hugging Face takes `(batch, 1, band, frame)`, gives logits, and its probe is its classifier."""
    pytest.importorskip("transformers")
    model = check_model(f"{HERE}:spectrogram_transformer", 3, (16, 40))
    x = torch.randn(2, 1, 16, 40)
    inner = model.eval().model
    torch.testing.assert_close(model(x), inner(x[:, 0].transpose(1, 2)).logits)
    from spectronorm.experiment.training.pretrained import prepare_to_train  # noqa: PLC0415
    from spectronorm.experiment.training.train import Training  # noqa: PLC0415

    prepare_to_train(model, Training(trains="head"))
    trained = [name for name, weight in model.named_parameters() if weight.requires_grad]
    assert trained == ["model.classifier.dense.weight", "model.classifier.dense.bias"]
