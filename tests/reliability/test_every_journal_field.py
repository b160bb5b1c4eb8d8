"""Every field of journals, results of comparisons and checkpoints of a GAN with every odd value."""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import spectronorm as sn
from spectronorm.experiment.results import LINES, SETTINGS, Results, Scores, TrainedModel
from spectronorm.passes.measured import _LENGTH
from spectronorm.runs import resume
from spectronorm.runs.journal import Journal
from spectronorm.storage import canonical_json, container

from .attack import run_apply, run_fit, run_invert
from .conftest import write_clips
from .odd_values import texts
from .test_every_field import odd_tensors, refused_or_sound


class Journaled:
    """The tasks, items and payloads of a run, as its journal would hold them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tasks: list[Any] = []
        self.items: dict[bytes, Any] = {}
        self.payloads: dict[bytes, bytes] = {}
        worked, put = resume._worked, Journal.put

        def noted(task: Any, item: Any) -> Any:
            self.tasks.append(task)
            self.items[task.key(item)] = item
            return worked(task, item)

        def noted_put(journal: Journal, key: bytes, payload: bytes) -> None:
            self.payloads[key] = payload
            put(journal, key, payload)

        monkeypatch.setattr(resume, "_worked", noted)
        monkeypatch.setattr(Journal, "put", noted_put)


def _parts(name: str, payload: bytes) -> tuple[dict[str, Any], bytes]:
    """The JSON of a payload, and the container behind it."""
    if name != "fit":
        return json.loads(payload), b""
    stop = _LENGTH.size + _LENGTH.unpack_from(payload)[0]
    return json.loads(payload[_LENGTH.size : stop]), payload[stop:]


def _joined(name: str, text: bytes, rest: bytes) -> bytes:
    return text if name != "fit" else _LENGTH.pack(len(text)) + text + rest


def _plain(value: Any) -> bool:
    """Tell if everything in a restored result is of a kind that results have."""
    if isinstance(value, float):
        return math.isfinite(value) and value >= 0
    if isinstance(value, int) and not isinstance(value, bool):
        return 0 <= value < 1 << 53
    if isinstance(value, tuple | list):
        return all(_plain(one) for one in value)
    return value is None or isinstance(value, str | bytes | Path | sn.audio.ClipReference) or not callable(value)


@pytest.mark.parametrize(("name", "command"), {"fit": run_fit, "apply": run_apply, "invert": run_invert}.items())
def test_a_journal(name: str, command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record with a right checksum and any content is done again, or gives a result as only work gives it."""
    source = write_clips(tmp_path / "clips", 4)
    (source / "low" / "bad.wav").write_bytes(b"no audio")
    seen = Journaled(monkeypatch)
    command(source, tmp_path / "out", 1)
    assert seen.payloads
    task = seen.tasks[-1]
    tried = 0
    for key, payload in seen.payloads.items():
        item = seen.items[key]
        sound = resume._restored(task, item, payload)
        assert sound is not None
        plain, rest = _parts(name, payload)
        for what, text in texts(plain):
            tried += 1
            found = resume._restored(task, item, _joined(name, text.encode("utf-8", "surrogatepass"), rest))
            if found is None:
                continue
            kinds = {field: {type(value), type(None)} for field, value in vars(sound).items() if value is not None}
            assert all(type(getattr(found, field)) in kind for field, kind in kinds.items()), what
            assert all(_plain(value) for value in vars(found).values()), what
    assert tried > 100


MODEL = TrainedModel(
    fold="1",
    seed=0,
    arm="a",
    scores=Scores((1, 0), (-0.1, -2.0)),
    predicted=(0, 1),
    loss=(1.5, 0.5),
    seconds=2.0,
    shifted={"noise": {"none": Scores((1, 1), (-1.0, -3.0))}},
)


def test_results_of_a_comparison(tmp_path: Path) -> None:
    """A line that is taken has whole numbers, finite scores, and describes itself in JSON."""
    settings = {"clips": [["x.wav", "a", "1", "x"], ["y.wav", "b", "1", "y"]], "seeds": 2}
    Results(tmp_path, settings).add(MODEL)
    plain = json.loads((tmp_path / LINES).read_text())

    def read(text: str) -> None:
        (tmp_path / LINES).write_text(text + "\n")
        (model,) = Results(tmp_path, settings).done.values()
        json.dumps(asdict(model), allow_nan=False)
        assert model.seed >= 0
        assert model.seconds >= 0

    read(json.dumps(plain))
    refused_or_sound(texts(plain), read)


def test_settings_of_a_comparison(tmp_path: Path) -> None:
    """A folder whose settings are odd belongs to another run, in one sentence."""
    settings = {"clips": [["x.wav", "a"]], "front_end": {"n_fft": 64}, "seeds": 2}
    Results(tmp_path, settings)

    def read(text: str) -> None:
        (tmp_path / SETTINGS).write_text(text)
        Results(tmp_path, settings)

    refused_or_sound(texts(json.loads(canonical_json(settings))), read)


def _odd_checkpoints(header: Mapping[str, Any], tensors: container.Tensors) -> Iterator[tuple[str, bytes]]:
    import safetensors.numpy  # noqa: PLC0415

    for name, text in texts(dict(header)):
        yield name, bytes(safetensors.numpy.save(dict(tensors), metadata={container.HEADER_KEY: text}))
    some = {name: tensors[name] for name in list(tensors)[:3]}
    for name, data in odd_tensors(dict(header), some):
        changed = container.unpack(data, name)[1]
        kept = {key: tensor for key, tensor in tensors.items() if key not in some}
        yield name, container.pack(dict(header), {**kept, **changed})


def test_a_checkpoint_of_a_gan(tmp_path: Path) -> None:
    """A checkpoint that is taken has finite weights of this training; any other is refused."""
    pytest.importorskip("torch")
    from spectronorm.gan.checkpoint import load_checkpoint, save_checkpoint  # noqa: PLC0415
    from spectronorm.gan.prepare import prepare_gan  # noqa: PLC0415

    gan_cases = importlib.import_module("gan_cases")
    clips = gan_cases.write_clips(tmp_path / "clips")
    prepared = prepare_gan(gan_cases.origin_of(clips), gan_cases.FRONT_END, gan_cases.design())
    path = tmp_path / "checkpoint"
    trainer = prepared.trainer()
    save_checkpoint(trainer, path)
    header, tensors = container.load_tensors(path)

    def read(data: bytes) -> None:
        path.write_bytes(data)
        load_checkpoint(trainer, path)
        assert all(np.isfinite(tensor.detach().numpy()).all() for tensor in trainer.generator.state_dict().values())

    read(container.pack(header, tensors))
    refused_or_sound(_odd_checkpoints(header, tensors), read)
