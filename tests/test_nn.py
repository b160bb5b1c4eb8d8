"""The torch modules: equal to NumPy, clip by clip, differentiable, compilable, and clear about bad input."""

from __future__ import annotations

import copy
import io
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import spectronorm as sn
from spectronorm.nn import Normalize, Preprocess, Spectrogram
from spectronorm.nn.padding import clip_by_clip
from spectronorm.normalize import normalizer_names
from torch_cases import FRONT_ENDS, pipeline, waves

ALL_NORMALIZERS = [name for name in normalizer_names() if name != "none"]
COMPRESSIONS = [name for name in FRONT_ENDS if name.startswith("compress ")]


def grad(x: torch.Tensor) -> torch.Tensor:
    """The same tensor asking for a gradient, which the NumPy path cannot give."""
    return x.clone().requires_grad_()


def check_padding(case: sn.Pipeline, wave: np.ndarray, lengths: list[int]) -> None:
    """Each padded clip comes out as it does alone, and beyond as the normalizer pads, which is zero for most."""
    batch = torch.from_numpy(wave.copy())
    for row, length in zip(batch, lengths, strict=True):
        row[length:] = torch.tensor([float("nan"), 3.0])[torch.arange(len(row) - length) % 2]
    module = Preprocess(case)
    for x in (batch, grad(batch)):
        got = module(x, torch.tensor(lengths)).detach().numpy()
        for i, length in enumerate(lengths):
            alone = case(wave[i, :length])
            np.testing.assert_allclose(got[i, :, : alone.shape[-1]], alone, atol=1e-8)
            beyond = got[i, :, alone.shape[-1] :]
            if case.normalizer.normalizer.padding == "zero":
                assert (beyond == 0.0).all()
            else:
                behind = case.normalizer.padding_of(case.front_end(wave[i, :length]))
                np.testing.assert_allclose(beyond, np.broadcast_to(behind, beyond.shape), atol=1e-12)


@pytest.mark.parametrize("name", FRONT_ENDS)
def test_equals_numpy(name: str) -> None:
    """Every front end there is gives in torch what it gives in NumPy, with and without gradients, in each DFT."""
    case, x = pipeline(name), waves(name)
    expected = case(x)
    wave = torch.from_numpy(x)
    np.testing.assert_allclose(Preprocess(case)(wave).numpy(), expected, atol=1e-9)
    forms = ["fft", "convolution"]
    stft = case.front_end.stft
    if stft.windowed_only and stft.frame_samples == stft.n_fft:
        forms.append("stft")
    for form in forms:
        np.testing.assert_allclose(Preprocess(case, dft=form)(grad(wave)).detach().numpy(), expected, atol=1e-8)


@pytest.mark.parametrize("name", FRONT_ENDS)
@settings(max_examples=3)
@given(data=st.data())
def test_padding_invariance_of_front_ends(name: str, data: st.DataObject) -> None:
    """Features of a clip do not change when it is padded further, whatever stands in the padding: a law."""
    x, shortest = waves(name, seed=data.draw(st.integers(0, 99))), FRONT_ENDS[name].min_samples
    lengths = data.draw(st.lists(st.integers(shortest, x.shape[1]), min_size=3, max_size=3))
    check_padding(pipeline(name), x, lengths)


def test_a_frame_in_the_padding_cannot_be_the_loudest() -> None:
    """With top_db, which looks for a clip's loudest cell, a click at its end counts in its own frames only."""
    wave = np.zeros((2, 40 * 512))
    length = 10 * 512 + 511
    wave[:, length - 1] = 1.0
    check_padding(pipeline("librosa"), wave, [length, length + 400])


@pytest.mark.parametrize("name", ALL_NORMALIZERS)
@settings(max_examples=5)
@given(data=st.data())
def test_padding_invariance_of_normalizers(name: str, data: st.DataObject) -> None:
    """No normalizer counts padding, and all of them leave it at exactly what they pad with: a law."""
    x, shortest = waves("logmel", seed=data.draw(st.integers(0, 99))), FRONT_ENDS["logmel"].min_samples
    lengths = data.draw(st.lists(st.integers(shortest, x.shape[1]), min_size=3, max_size=3))
    check_padding(pipeline("logmel", name), x, lengths)


@pytest.mark.parametrize("name", FRONT_ENDS)
@settings(max_examples=3)
@given(seed=st.integers(0, 99), clips=st.integers(1, 5))
def test_batch_invariance(name: str, seed: int, clips: int) -> None:
    """A clip's result does not depend on what else is in the batch: a law."""
    module, x = Preprocess(pipeline(name)), torch.from_numpy(waves(name, clips, seed))
    for batch in (x, grad(x)):
        whole = module(batch)
        for i in range(clips):
            torch.testing.assert_close(whole[i], module(batch[i]), atol=1e-9, rtol=0.0)


@pytest.mark.parametrize("name", ALL_NORMALIZERS)
def test_batch_invariance_of_normalizers(name: str) -> None:
    """Normalizers take each clip of a batch for itself."""
    module, x = Preprocess(pipeline("logmel", name)), torch.from_numpy(waves("logmel", 4))
    for i in range(4):
        torch.testing.assert_close(module(x)[i], module(x[i]), atol=1e-9, rtol=0.0)


def test_shapes_and_lengths_of_leading_axes() -> None:
    """A batch with a channel axis keeps its axes, and takes one length a clip."""
    module, x = Preprocess(pipeline()), torch.randn(4, 1, 8000)
    lengths = torch.tensor([8000, 400, 5001, 7999])
    assert module(x).shape == (4, 1, 201, 41)
    torch.testing.assert_close(module(x, lengths)[:, 0], module(x[:, 0], lengths))
    assert module.frames(lengths).tolist() == [module.spectrogram.front_end.frames(n) for n in lengths.tolist()]
    level = module.spectrogram(x, lengths)
    assert (level[1, 0, :, 3:] == module.spectrogram.front_end.floor).all()


@pytest.mark.parametrize("name", [*COMPRESSIONS, "specgan", "kaldi", "level standardize", "level rms"])
def test_gradients_of_front_ends(name: str) -> None:
    """The gradient at the waveform is the derivative, for every compression and for what else has a formula."""
    small = sn.STFT(n_fft=16, hop_length=8, power=FRONT_ENDS[name].stft.power)
    front_end = sn.FrontEnd(
        sample_rate=8_000, level=FRONT_ENDS[name].level, stft=small, compress=FRONT_ENDS[name].compress
    )
    wave = torch.randn(2, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).requires_grad_()
    assert torch.autograd.gradcheck(Spectrogram(front_end), (wave,), atol=1e-4)


@pytest.mark.parametrize("name", ALL_NORMALIZERS)
def test_gradients_of_normalizers(name: str) -> None:
    """The gradient through every normalizer is the derivative, padding included."""
    module = Normalize(pipeline("level as_recorded", name).normalizer)
    level = torch.randn(2, 201, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).requires_grad_()
    some = torch.tensor([4, 3])
    assert torch.autograd.gradcheck(lambda x: module(x, some)[:, ::50], (level,), fast_mode=True)


@pytest.mark.parametrize("name", FRONT_ENDS)
def test_silence_has_a_finite_gradient(name: str) -> None:
    """Digital silence, and silence in the padding, give finite gradients."""
    wave = torch.zeros(2, waves(name).shape[1], dtype=torch.float64).requires_grad_()
    shortest = FRONT_ENDS[name].min_samples
    Preprocess(pipeline(name))(wave, torch.tensor([wave.shape[1], shortest])).square().sum().backward()
    assert wave.grad is not None
    assert torch.isfinite(wave.grad).all()


@pytest.mark.parametrize(("name", "normalize"), [("fastaudio", "sliding"), ("kaldi", "clip"), ("passt", "band")])
def test_compiles_as_one_graph(name: str, normalize: str) -> None:
    """torch.compile takes the module whole, with lengths and without, and the result is the same."""
    torch._dynamo.reset()
    module = Preprocess(pipeline(name, normalize))
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    x = torch.from_numpy(waves(name))
    lengths = torch.tensor([x.shape[1], x.shape[1] - 100, FRONT_ENDS[name].min_samples])
    torch.testing.assert_close(compiled(x), module(x), atol=1e-9, rtol=0.0)
    torch.testing.assert_close(compiled(x, lengths), module(x, lengths), atol=1e-9, rtol=0.0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("autocast", [False, True])
def test_half_precision(dtype: torch.dtype, autocast: bool) -> None:
    """Half-precision waves and autocast change the result by no more than rounding the wave does."""
    case = pipeline("logmel", "band")
    module, wave = Preprocess(case).to(dtype), torch.from_numpy(waves("logmel")).to(dtype)
    expected = torch.from_numpy(case(wave.double().numpy()))
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
        for x in (wave, grad(wave)):
            got = module(x)
            assert got.dtype == dtype
            torch.testing.assert_close(got.double(), expected, atol=1e-4, rtol=2 * torch.finfo(dtype).eps + 2e-3)
        single = module(grad(wave.float()))
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), expected, atol=2e-3, rtol=0.0)


def test_precision_float64_gives_what_numpy_gives() -> None:
    """In float32 quiet cells beside loud ones are rounding noise; precision="float64" gives them exactly."""
    case = pipeline("level as_recorded")
    wave = torch.from_numpy(waves("level as_recorded")[1:2] * 6).float()
    expected = torch.from_numpy(case(wave.double().numpy()))
    exact = Preprocess(case, precision="float64")(grad(wave))
    assert exact.dtype == torch.float32
    torch.testing.assert_close(exact.double(), expected, atol=1e-5, rtol=0.0)


def test_state_dict_moves_numbers_and_refuses_another_front_end() -> None:
    """A checkpoint restores the normalizer's numbers exactly, and one of another front end is refused by name."""
    source, target = Preprocess(pipeline("logmel", "band")), Preprocess(pipeline("logmel", "minmax-band"))
    file = io.BytesIO()
    torch.save(source.state_dict(), file)
    file.seek(0)
    target.load_state_dict(torch.load(file, weights_only=True))
    assert target.pipeline().normalizer.affine == source.pipeline().normalizer.affine
    wave = torch.from_numpy(waves("logmel"))
    torch.testing.assert_close(target(wave), source(wave), atol=0.0, rtol=0.0)
    with pytest.raises(sn.errors.FrontEndMismatch, match="sample_rate"):
        target.load_state_dict(Preprocess(pipeline("byol-a", "band")).state_dict(), strict=False)


def test_constants_keep_their_precision() -> None:
    """Neither .half() nor .float() rounds the buffers, and copies and pickles compute the same."""
    module, wave = Preprocess(pipeline("logmel", "band")), grad(torch.from_numpy(waves("logmel")))
    expected = module(wave)
    for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module)), copy.deepcopy(module).half().float()):  # noqa: S301
        torch.testing.assert_close(other(wave), expected, atol=0.0, rtol=0.0)
    assert {name for name, _ in module.named_buffers()} == {
        "spectrogram.transform.window",
        "spectrogram.filters",
        "normalize.shift",
        "normalize.scale",
    }
    assert all(buffer.device.type == "meta" for buffer in copy.deepcopy(module).to("meta").buffers())


def test_trainable_mean_and_scale() -> None:
    """Trained numbers start as fitted, follow the gradient, and come back as a pipeline that computes the same."""
    case = pipeline("logmel", "band")
    module, wave = Preprocess(case, trainable=True), torch.from_numpy(waves("logmel")).float()
    torch.testing.assert_close(module(wave), Preprocess(case)(wave))
    optimizer = torch.optim.SGD(module.parameters(), lr=1.0)
    goal = 3.0 * module(wave).detach() + 1.0
    losses = []
    for _ in range(30):
        loss = (module(wave) - goal).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.5 * losses[0]
    trained = module.pipeline()
    assert trained.normalizer.affine != case.normalizer.affine
    np.testing.assert_allclose(trained(wave.double().numpy()), module(wave).detach().numpy(), atol=1e-4)
    level = case.front_end(wave.double().numpy())
    np.testing.assert_allclose(module.normalize.inverse(module.normalize(torch.from_numpy(level))).detach(), level)
    assert (module(wave, torch.tensor([wave.shape[1], 1024, 1024]))[1:, :, 3:] == 0.0).all()


def test_trainable_needs_numbers_of_the_data_set() -> None:
    """A normalizer that looks at each clip has nothing to train, and no inverse without the clip's map."""
    fitted = pipeline("logmel", "clip").normalizer
    with pytest.raises(sn.errors.ArgumentError, match="Standardize"):
        Normalize(fitted, trainable=True)
    with pytest.raises(sn.errors.ArgumentError, match="affine_of"):
        Normalize(fitted).inverse(torch.zeros(128, 3))


def test_functions_that_know_no_mask_go_clip_by_clip() -> None:
    """What cannot leave padding out by a mask is computed on each clip's own length, but not while compiling."""
    x, lengths = torch.arange(12.0).reshape(2, 6), torch.tensor([6, 2])
    centred = clip_by_clip(lambda clip: clip - clip.mean(-1, keepdim=True), x, lengths, what="centring")
    torch.testing.assert_close(centred[1], torch.tensor([-0.5, 0.5, 0.0, 0.0, 0.0, 0.0]))
    compiled = torch.compile(lambda x: clip_by_clip(torch.neg, x, lengths, what="centring"), backend="eager")
    with pytest.raises(Exception, match="centring goes through padded clips one by one"):
        compiled(x)


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")  # torch's own, in its forward derivatives
def test_functional_transforms_reach_through() -> None:
    """torch.func's gradients and forward derivatives are those of the module, not lost in the NumPy path."""
    module, wave = Spectrogram(FRONT_ENDS["logmel"]), torch.from_numpy(waves("logmel"))[0]
    x = grad(wave)
    module(x).sum().backward()
    torch.testing.assert_close(torch.func.grad(lambda x: module(x).sum())(wave), x.grad)
    ones = torch.ones_like(wave)
    _, forward = torch.func.jvp(lambda x: module(x).sum(), (wave,), (ones,))
    torch.testing.assert_close(forward, x.grad.sum())
    stacked = torch.stack([wave, wave * 0.5])
    torch.testing.assert_close(torch.func.vmap(module)(stacked), module(stacked), atol=1e-9, rtol=0.0)


BAD = {
    "integers": (torch.zeros(2, 8000, dtype=torch.int16), {}, "32768"),
    "an array": (np.zeros((2, 8000)), {}, "from_numpy"),
    "no axes": (torch.tensor(0.5), {}, "without axes"),
    "too short": (torch.zeros(2, 399), {}, "400"),
    "axes swapped": (torch.zeros(8000, 2), {}, r"must be \(\.\.\., channel, sample\): pass wave\.T"),
    "NaN": (torch.full((2, 8000), float("nan")), {}, "16000 samples of the wave are NaN"),
    "infinity": (torch.full((1, 8000), float("inf")), {}, "NaN or infinite"),
    "another rate": (torch.zeros(2, 8000), {"sample_rate": 44_100}, "44100.*16000"),
    "lengths too long": (torch.zeros(2, 8000), {"lengths": torch.tensor([8001, 8000])}, "8001.*8000"),
    "lengths too short": (torch.zeros(2, 8000), {"lengths": torch.tensor([399, 8000])}, "399.*400"),
    "lengths of another batch": (torch.zeros(2, 8000), {"lengths": torch.tensor([8000] * 3)}, r"\(3,\).*\(2,\)"),
    "lengths in shares": (torch.zeros(2, 8000), {"lengths": torch.tensor([0.5, 1.0])}, "whole numbers"),
    "a list of lengths": (torch.zeros(2, 8000), {"lengths": [8000, 8000]}, "whole numbers"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_gets_one_clear_error(what: str) -> None:
    """Whatever is wrong with the input, the message says the value, the rule and what to do."""
    wave, options, message = BAD[what]
    with pytest.raises((sn.errors.ShapeError, sn.errors.ArgumentError), match=message):
        Preprocess(pipeline())(wave, **options)


def test_bad_levels_and_settings() -> None:
    """Levels of another front end and unknown settings are refused."""
    with pytest.raises(sn.errors.ShapeError, match="201 bands"):
        Normalize(pipeline().normalizer)(torch.zeros(2, 64, 10))
    for options in ({"dft": "dct"}, {"precision": "float16"}):
        with pytest.raises(sn.errors.ArgumentError, match="must be one of"):
            Spectrogram(FRONT_ENDS["logmel"], **options)
    with pytest.raises(sn.errors.ArgumentError, match="convolution"):
        Spectrogram(FRONT_ENDS["kaldi"], dft="stft")


@pytest.mark.parametrize("error", ["ImportError", "OSError"])
def test_without_torch_the_extra_is_named(error: str) -> None:
    """Where torch is missing or broken, importing spectronorm.nn says what to install; the rest needs none of it."""
    code = f"""
import sys
class Broken:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "torch":
            raise {error}("no torch here")
sys.meta_path.insert(0, Broken())
import spectronorm, spectronorm.augment
assert "torch" not in sys.modules
try:
    import spectronorm.nn
except spectronorm.errors.MissingExtra as missing:
    assert 'pip install ".[torch]"' in str(missing), missing
else:
    raise SystemExit("no error")
"""
    subprocess.run([sys.executable, "-c", code], check=True)
