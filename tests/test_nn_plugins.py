"""Plug-ins in exported models: what torch can trace comes out as in NumPy, and what it cannot is named."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

import spectronorm as sn
from spectronorm.arrays import Affine, namespace
from spectronorm.front_end.compress import COMPRESSIONS, Compression, Grid
from spectronorm.nn import Preprocess, export_onnx, export_program
from spectronorm.normalize import NORMALIZERS, ClipNormalizer, Normalizer
from spectronorm.profile import LevelCounter

pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
EXAMPLE = Path(__file__).parent.parent / "examples" / "plugin" / "src"


class _Log1p(Compression):
    unit: ClassVar[str] = "log1p"

    def __call__(self, values: Any, power: float) -> Any:
        return namespace(values).log1p(values)

    def inverse(self, level: Any, power: float) -> Any:
        return namespace(level).expm1(level)

    def grid(self, power: float) -> Grid:
        return Grid.up_to(40.0)


@dataclass(frozen=True)
class ByNumpy(_Log1p):
    """Leaves torch."""

    def __call__(self, values: Any, power: float) -> Any:
        return np.log1p(values)


@dataclass(frozen=True)
class Branching(_Log1p):
    """Decides by a value."""

    def __call__(self, values: Any, power: float) -> Any:
        return namespace(values).log1p(values) * (2.0 if float(values.max()) > 1e-3 else 1.0)


@dataclass(frozen=True)
class WithoutOnnx(_Log1p):
    """Uses an operation that ONNX lacks."""

    def __call__(self, values: Any, power: float) -> Any:
        level = namespace(values).log1p(values)
        return level + 0.0 * torch.special.i0e(values) if isinstance(values, torch.Tensor) else level


@dataclass(frozen=True)
class Raising(_Log1p):
    """Refuses tensors with an error of its own."""

    def __call__(self, values: Any, power: float) -> Any:
        if isinstance(values, torch.Tensor):
            raise KeyError("not for tensors")
        return np.log1p(values)


@dataclass(frozen=True)
class ClipRange(ClipNormalizer):
    """Maps each clip's extremes to 0 and 1."""

    def clip_affine(self, level: Any, valid: Any = None) -> Affine:
        """The map of each clip, whose padding does not count."""
        xp = namespace(level)
        low, high = (level if valid is None else xp.where(valid, level, xp.full_like(level, x)) for x in (1e9, -1e9))
        low, high = xp.min(low, axis=(-2, -1), keepdims=True), xp.max(high, axis=(-2, -1), keepdims=True)
        return Affine(low, xp.where(high > low, high - low, xp.ones_like(low)))


@dataclass(frozen=True)
class ClipMedianByNumpy(ClipNormalizer):
    """Leaves torch for each clip's median."""

    def clip_affine(self, level: Any) -> Affine:
        """The map of each clip."""
        median = np.median(np.asarray(level), axis=(-2, -1), keepdims=True)
        return Affine(torch.as_tensor(median) if isinstance(level, torch.Tensor) else median, 1.0)


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Registers the classes above and the example plug-in's, and takes them off afterwards."""
    monkeypatch.syspath_prepend(EXAMPLE)
    from spectronorm_example.midrange import Midrange  # noqa: PLC0415
    from spectronorm_example.mu_law import MuLaw  # noqa: PLC0415

    compressions = {
        "mu-law": MuLaw,
        **{cls.__name__.lower(): cls for cls in (ByNumpy, Branching, WithoutOnnx, Raising)},
    }
    normalizers = {"midrange": Midrange, "cliprange": ClipRange, "clipmedian": ClipMedianByNumpy}
    for registry, classes in ((COMPRESSIONS, compressions), (NORMALIZERS, normalizers)):
        monkeypatch.setattr(registry, "_classes", dict(registry._classes))
        for name, cls in classes.items():
            registry.register(name)(cls)
    yield
    for name in [name for name in sys.modules if name.startswith("spectronorm_example")]:
        del sys.modules[name]


def pipeline(compress: str = "mu-law", normalize: str = "midrange") -> sn.Pipeline:
    """A pipeline of plug-ins, fitted to noise and to silence."""
    front_end = sn.FrontEnd(sample_rate=8_000, compress=COMPRESSIONS.find(compress)())
    counter, rng = LevelCounter(front_end), np.random.default_rng(0)
    for gain in (0.5, 0.02, 0.0):
        counter.add((gain * rng.standard_normal(front_end.min_samples * 6)).astype(np.float32))
    measured: Normalizer = NORMALIZERS.find(normalize)()
    return sn.Pipeline(front_end, measured.fit(sn.Profile(front_end, {(): counter.measurement()})))


@pytest.mark.parametrize("lengths", [False, True])
@pytest.mark.parametrize("normalize", ["midrange", "cliprange"])
def test_an_exported_plugin_computes_what_numpy_does(normalize: str, lengths: bool, tmp_path: Path) -> None:
    """A compression and a normalizer from elsewhere come out of onnxruntime as from NumPy, in batches of any size."""
    case = pipeline(normalize=normalize)
    model = export_onnx(case, tmp_path / "model.onnx", lengths=lengths)
    wave = (0.1 * np.random.default_rng(1).standard_normal((3, 3001))).astype(np.float32)
    inputs = {"wave": wave}
    expected = case(wave.astype(np.float64))
    if lengths:
        inputs["lengths"] = np.array([3001, 2000, 900])
        module = Preprocess(case)
        expected = module(torch.from_numpy(wave), torch.from_numpy(inputs["lengths"])).numpy()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    got = onnxruntime.InferenceSession(model, options).run(None, inputs)[0]
    np.testing.assert_allclose(got, expected, atol=1e-4, rtol=0.0)


REFUSED = [
    ("bynumpy", "midrange", "compression bynumpy"),
    ("branching", "midrange", "compression branching"),
    ("withoutonnx", "midrange", "compression withoutonnx"),
    ("raising", "midrange", "KeyError: 'not for tensors'.*compression raising"),
    ("mu-law", "clipmedian", "normalizer clipmedian"),
]


@pytest.mark.parametrize(("compress", "normalize", "told"), REFUSED)
def test_a_plugin_that_onnx_cannot_express_is_named(
    compress: str, normalize: str, told: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """One sentence says torch's reason, the plug-ins with their modules, and the rule; no file, and no dump of code."""
    with pytest.raises(sn.errors.ExportError, match=told) as refused:
        export_onnx(pipeline(compress, normalize), tmp_path / "model.onnx")
    message = str(refused.value)
    assert __name__ in message
    assert "operations that ONNX has" in message
    assert "\n" not in message
    assert not list(tmp_path.iterdir())
    assert "def forward" not in "".join(capfd.readouterr())


@pytest.mark.parametrize(("compress", "told"), [("branching", "compression branching"), ("raising", "not for tensors")])
def test_a_plugin_that_torch_cannot_trace_is_named(compress: str, told: str) -> None:
    """`export_program` refuses it with an error of the same family."""
    with pytest.raises(sn.errors.ExportError, match=told):
        export_program(pipeline(compress))
