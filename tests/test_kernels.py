"""The compiled kernels are what they stand for: NumPy's FFT and logarithms, libsndfile's samples, clips one by one."""

from __future__ import annotations

import platform
import struct
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import llvmlite.binding
import numba
import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given
from hypothesis import strategies as st
from llvmlite import ir
from numba import types

import spectronorm as sn
from spectronorm.audio.clip import within
from spectronorm.audio.decoding.plain_wav import read_plain_wav
from spectronorm.front_end import STFT, Decibel, FrontEnd, Ln, Mel
from spectronorm.front_end.bands.runs import BandRuns
from spectronorm.front_end.fast.logarithm import _COMMON, _NATURAL, compressed, logarithm
from spectronorm.front_end.fast.runs_in_lanes import grouped, sum_runs_of_four, sum_runs_of_one, sum_runs_of_two
from spectronorm.kernels import elementary, lent
from spectronorm.kernels.buffers import Workspace
from spectronorm.kernels.fft import Frames, power_of_frames
from spectronorm.kernels.fft.few_frames import roots_of_stage
from spectronorm.kernels.fft.lanes import Numbers, Value
from spectronorm.kernels.fft.one_frame import power_of_one, takes_one
from spectronorm.kernels.fft.plain_transform import transform_by_numpy
from spectronorm.kernels.fft.plan import plan_of
from spectronorm.kernels.fft.power_spectra import power_by_numpy
from spectronorm.kernels.jit import entry_of
from spectronorm.nn import Normalize, Preprocess, Spectrogram
from spectronorm.profile import LevelCounter, Measurement
from torch_cases import pipeline

RATE = 16_000


def power_of(frames: np.ndarray, n_fft: int) -> np.ndarray:
    """The squared magnitudes `(frame, bin)` of frames `(frame, sample)`, by the kernel."""
    count, size = frames.shape
    powers = power_of_frames(Frames(frames.reshape(-1), size, np.ones(size)), n_fft, count, Workspace())
    return powers[:, :count].T


@given(twos=st.integers(0, 7), threes=st.integers(0, 2), fives=st.integers(0, 2), seed=st.integers(0, 99))
def test_the_lanes_transform_as_numpy_does(twos: int, threes: int, fives: int, seed: int) -> None:
    """Every length of the prime factors 2, 3 and 5 gives NumPy's DFT: on x86-64 to the last bit."""
    n = max(2**twos * 3**threes * 5**fives, 2)
    frames = np.random.default_rng(seed).standard_normal((9, n))
    spectrum = np.fft.rfft(frames)
    expected = spectrum.real**2 + spectrum.imag**2
    if platform.machine() in {"x86_64", "AMD64"}:
        np.testing.assert_array_equal(power_of(frames, n), expected)
    else:
        np.testing.assert_allclose(power_of(frames, n), expected, rtol=0, atol=1e-13 * n)


@given(
    factors=st.tuples(st.integers(0, 7), st.integers(0, 2), st.integers(0, 2)),
    size=st.integers(1, 600),
    hop=st.integers(1, 300),
    count=st.integers(1, 40),
    dtype=st.sampled_from([np.float32, np.float64]),
    changed=st.tuples(st.booleans(), st.sampled_from([0.0, 0.97])),
)
def test_numpy_gives_the_bits_of_the_lanes(
    factors: tuple[int, int, int], size: int, hop: int, count: int, dtype: type, changed: tuple[bool, float]
) -> None:
    """The stages with NumPy are the compiled ones, whatever the frames, their changes, the hop and zeros behind."""
    n = max(2 ** factors[0] * 3 ** factors[1] * 5 ** factors[2], 2)
    size = min(size, n)
    random = np.random.default_rng(n + size)
    wave = random.standard_normal((count - 1) * hop + size).astype(dtype)
    frames = Frames(wave, hop, random.random(size), 0.25, 1.7, *changed)
    compiled = power_of_frames(frames, n, count, Workspace())[:, :count]
    plain, plan = np.empty((n // 2 + 1, count)), plan_of(n)
    assert plan is not None
    power_by_numpy(frames, plan, plain, Workspace())
    np.testing.assert_array_equal(plain, compiled)


@given(twos=st.integers(0, 6), threes=st.integers(0, 2), fives=st.integers(0, 1), sevens=st.integers(0, 2))
def test_single_precision_and_sevens_too(twos: int, threes: int, fives: int, sevens: int) -> None:
    """Signals of float32, whose length may have factors of 7: NumPy's DFT, to the noise of float32."""
    n = 2**twos * 3**threes * 5**fives * 7**sevens
    signals = np.random.default_rng(n).standard_normal((n, 16)).astype(np.float32)
    plan = plan_of(n, 7)
    assert plan is not None
    found = transform_by_numpy(plan, signals)
    expected = np.fft.rfft(signals.astype(np.float64), axis=0)
    atol = 1e-6 * np.sqrt(n) * 3
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[0], expected.real[0], rtol=0, atol=atol)
    np.testing.assert_allclose(found[1::2], expected.real[1:], rtol=0, atol=atol)
    np.testing.assert_allclose(found[2::2], expected.imag[1 : (n + 1) // 2], rtol=0, atol=atol)


def test_lengths_with_other_factors_have_no_plan() -> None:
    """They are left to NumPy, and the level is the same."""
    assert plan_of(441) is None
    front_end = FrontEnd(RATE, stft=STFT(441, hop_length=147))
    wave = np.random.default_rng(0).standard_normal(50_000)
    np.testing.assert_allclose(front_end.clip_level(wave), front_end.working_level(wave), rtol=0, atol=1e-8)


@pytest.mark.parametrize("n_fft", [400, 480, 512, 2048])
@pytest.mark.parametrize("samples", [2048, 50_000, 50_001, 120_003])
def test_blocks_join_without_a_seam(n_fft: int, samples: int) -> None:
    """Clips of one block, several, and a few frames more than several: the fast path is the plain one."""
    front_end = FrontEnd(RATE, stft=STFT(n_fft, hop_length=100), bands=Mel(40))
    wave = np.random.default_rng(1).standard_normal(samples)
    np.testing.assert_allclose(front_end.clip_level(wave), front_end.working_level(wave), rtol=0, atol=1e-8)


@pytest.mark.parametrize("n", [160, 200, 216, 360, 512, 1000, 2048, 8192])
def test_a_frame_alone_has_the_bits_of_the_plain_transform(n: int) -> None:
    """Transforms that end in a two and a four, with an odd and an even number of values before them."""
    plan = plan_of(n)
    assert plan is not None
    assert takes_one(plan)
    signal = np.random.default_rng(n).standard_normal(n)
    spectrum = transform_by_numpy(plan, signal[:, None].copy())[:, 0]
    re, im = spectrum[1::2], spectrum[2::2]
    expected = np.concatenate([spectrum[:1] ** 2, re * re])
    expected[1 : len(im) + 1] += im * im

    frame, other, found = np.zeros(8 * n), np.full(8 * n, np.nan), np.full(n // 2 + 9, np.nan)
    frame[:n] = signal
    stages = plan.radices, plan.starts, plan.roots
    power_of_one(stages, n, roots_of_stage(plan, 0, 1), roots_of_stage(plan, 1, 1), frame, other, found)

    np.testing.assert_array_equal(found[: n // 2 + 1], expected)


@pytest.mark.parametrize("n", [400, 1024, 144, 128, 15])
def test_other_transforms_are_not_taken_alone(n: int) -> None:
    plan = plan_of(n)
    assert plan is not None
    assert not takes_one(plan)


@pytest.mark.parametrize("frames", [1, 2, 4])
@pytest.mark.parametrize("bands", [1, 5, 40, 128])
def test_grouped_bands_have_the_bits_of_one_band_after_the_other(frames: int, bands: int) -> None:
    """Runs of all lengths, empty ones and the last bin too; frames that are not there are left out."""
    generator = np.random.default_rng(bands)
    matrix = np.zeros((bands, 65))
    for row in matrix:
        first, last = np.sort(generator.integers(0, 66, 2))
        row[first:last] = generator.random(last - first)
    runs, powers = BandRuns.of(matrix), generator.random((65, frames))
    expected = np.empty((bands, frames))
    runs.gather(powers, expected)
    weights, starts = grouped(runs, frames)
    for there in range(max(1, frames - 1), frames + 1):
        level = np.zeros((bands + 7) * frames + 8)
        add_up = {1: sum_runs_of_one, 2: sum_runs_of_two, 4: sum_runs_of_four}[frames]

        @numba.njit
        def run(powers: np.ndarray, weights: np.ndarray, starts: np.ndarray, level: np.ndarray, there: int) -> None:
            add_up(powers, (weights, starts), bands, level, there)  # noqa: B023

        run(powers.reshape(-1), weights, starts, level, there)
        np.testing.assert_array_equal(level[: bands * there].reshape(bands, there), expected[:, :there])


def test_borrowed_arrays_are_read_where_they_lie() -> None:
    """Strides, offsets and empty axes come from the array itself, and no reference to it is kept or lost."""

    def seen(array: np.ndarray) -> tuple[int, int, float]:
        return array.shape[0], array.shape[1], array.sum()

    array = np.arange(24.0).reshape(4, 6)
    for view in (array, array[1:, ::2], array[:, :0], array[::-1].T):
        read = entry_of(numba.njit(seen), (view,))
        held = sys.getrefcount(view)
        for _ in range(3):
            assert read(view) == (*view.shape, view.sum())
        assert sys.getrefcount(view) == held


def test_arrays_of_another_layout_are_passed_as_usual(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lent, "_layout_is_known", lambda: False)
    kind = numba.typeof(np.zeros(3))
    assert lent.lent(kind) is kind
    assert entry_of(numba.njit(lambda array: array.sum()), (np.zeros(3),))(np.arange(3.0)) == 3.0


@pytest.mark.parametrize("n_fft", [400, 441, 882])
def test_a_clip_is_standardized_in_float64_whatever_the_length_of_the_transform(n_fft: int) -> None:
    """A quiet clip of float32 with a large offset: by the kernels, and by NumPy where 7 divides the length."""
    front_end = FrontEnd(RATE, level=sn.waveform.StandardizeWaveform(), stft=STFT(n_fft))
    wave = (0.5 + 1e-3 * np.random.default_rng(6).standard_normal(20_000)).astype(np.float32)
    expected = front_end.working_level(wave.astype(np.float64))
    np.testing.assert_allclose(front_end.clip_level(wave), expected, rtol=0, atol=1e-7)


@pytest.mark.parametrize("power", [1.0, 2.0])
@pytest.mark.parametrize(
    "compress",
    [Decibel(), Decibel(amin=1e-5, ref=3.0, floor_db=-20.0), Ln(), Ln(offset=0.0, amin=1e-7), Ln(1e-3, amin=1e-3)],
)
def test_the_logarithm_is_numpys(compress: Decibel | Ln, power: float) -> None:
    """From silence to the loudest value, near 1, and at powers of two: within a few units in the last place."""
    random = np.random.default_rng(2)
    twos = 2.0 ** np.arange(-50, 50)
    near = [[0.0, 1.0, 1e-10], twos, np.nextafter(twos, 0), np.sqrt(0.5) * twos, 1 + 1e-9 * random.standard_normal(999)]
    values = np.concatenate([*near, 10.0 ** random.uniform(-15, 12, 20_000)])
    expected = compress(values, power)
    found = compressed(values.copy(), compress, power)
    np.testing.assert_allclose(found, expected, rtol=1e-15, atol=2e-15)


@pytest.mark.parametrize(
    ("base", "factor", "shift"), [(_COMMON, 10.0, 0.0), (_COMMON, 20.0, 3.7), (_NATURAL, 1.0, 0.0)]
)
def test_the_compiled_logarithm_has_the_bits_of_the_plain_one(
    base: tuple[float, float, float], factor: float, shift: float
) -> None:
    """No product and sum are fused, so that levels are equal on processors that can fuse them, and without numba."""
    values = 10.0 ** np.random.default_rng(8).uniform(-15, 12, 200_000)
    compiled, plain = values.copy(), values.copy()
    logarithm(compiled, (1e-10, 1e-9, *base, factor, shift, -100.0))
    logarithm.plain(plain, (1e-10, 1e-9, *base, factor, shift, -100.0))
    np.testing.assert_array_equal(compiled, plain)


def clips() -> list[np.ndarray]:
    """Noise of many lengths, with silent and constant clips among it, and one too long to wait for others."""
    random = np.random.default_rng(3)
    made = [(0.1 * random.standard_normal(n)).astype(np.float32) for n in (400, 80_000, 12_345, 1_000_000, 401, 99_999)]
    return [*made[:2], np.zeros(5000, np.float32), *made[2:4], np.full(700, 0.25, np.float32), *made[4:]]


@pytest.mark.parametrize("name", ["fastaudio", "whisper", "vggish"])
def test_clips_that_are_counted_together_are_counted_as_one_by_one(name: str) -> None:
    """Waiting for others changes no integer, whatever is silent or long among them, and a bad clip leaves no trace."""
    front_end = sn.preset(name)
    together, alone = LevelCounter(front_end), []
    for clip in clips():
        together.add(clip)
        too_short, too_loud = clip[:9], np.float32(1e18) * clip  # only decibels of waves as recorded can be too loud
        with pytest.raises(sn.errors.AudioError):
            together.add(too_loud if name == "whisper" and clip.any() else too_short)
        one = LevelCounter(front_end)
        one.add(clip)
        alone.append(one.measurement())
    assert together.measurement() == Measurement.sum(m for m in alone if m is not None)


def plain_wav(path: Path, samples: np.ndarray, rate: int = RATE, subtype: str = "PCM_16") -> bytes:
    soundfile.write(path, samples, rate, subtype=subtype)
    return path.read_bytes()


def read(path: Path) -> tuple[np.ndarray, int] | None:
    with path.open("rb") as file:
        found = read_plain_wav(file.fileno())
        return None if found is None else (found[0].copy(), found[1])


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("samples", [1, 1000, 200_001])
def test_a_plain_wav_has_libsndfiles_samples(channels: int, samples: int, tmp_path: Path) -> None:
    """16-bit PCM of any length and up to many channels: the same numbers to the last bit."""
    random = np.random.default_rng(4).integers(-32768, 32768, (samples, channels)).astype(np.int16)
    plain_wav(tmp_path / "a.wav", random)
    found = read(tmp_path / "a.wav")
    expected, rate = soundfile.read(tmp_path / "a.wav", dtype="float32", always_2d=True)
    assert found is not None
    assert found[1] == rate
    np.testing.assert_array_equal(found[0], expected)


def changed(data: bytes, at: int, form: str, value: int) -> bytes:
    size = struct.calcsize(form)
    return data[:at] + struct.pack(form, value) + data[at + size :]


NOT_PLAIN = {
    "cut off": lambda data: data[:-1],
    "longer than it says": lambda data: data + b"\0\0",
    "a size that is left out": lambda data: changed(data, 40, "<I", 0xFFFFFFFF),
    "a riff that is too short": lambda data: changed(data, 4, "<I", 36),
    "another format": lambda data: changed(data, 20, "<H", 3),
    "eight bits": lambda data: changed(data, 34, "<H", 8),
    "half a frame": lambda data: changed(changed(data[:-1], 40, "<I", 1999), 4, "<I", 2035),
    "no samples": lambda data: changed(changed(data[:44], 40, "<I", 0), 4, "<I", 36),
    "no channels": lambda data: changed(data, 22, "<H", 0),
    "frames of another size": lambda data: changed(data, 32, "<H", 4),
    "a rate that nothing has": lambda data: changed(changed(data, 24, "<I", 1), 28, "<I", 2),
    "big-endian": lambda data: b"RIFX" + data[4:],
    "a header alone": lambda data: data[:20],
}


@pytest.mark.parametrize("what", NOT_PLAIN)
def test_whatever_else_is_left_to_libsndfile(what: str, tmp_path: Path) -> None:
    """A file whose header does not agree with itself and with the file is nothing for the short way."""
    data = plain_wav(tmp_path / "a.wav", np.zeros(1000))
    assert read(tmp_path / "a.wav") is not None
    (tmp_path / "a.wav").write_bytes(NOT_PLAIN[what](data))
    assert read(tmp_path / "a.wav") is None


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg"])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [RATE, 8_000])
def test_a_clip_is_not_overwritten_by_the_next_one(suffix: str, channels: int, rate: int, tmp_path: Path) -> None:
    """Files are decoded into one buffer, but what a reader gave stays as it was."""
    random = np.random.default_rng(5)
    for name in ("a", "b"):
        soundfile.write(tmp_path / f"{name}.{suffix}", 0.1 * random.standard_normal((3000, channels)), RATE)
    first = sn.read(tmp_path / f"a.{suffix}", rate)
    before = first.copy()
    second = sn.read(tmp_path / f"b.{suffix}", rate)
    np.testing.assert_array_equal(first, before)
    assert not np.array_equal(first, second)


def test_within_sees_every_bad_sample() -> None:
    """Up to the limit, and neither beyond it nor NaN nor infinity, whatever their signs."""
    good = np.array([0.0, -0.0, 8.0, -8.0, 1e-40], np.float32)
    assert within(good, 8.0)
    for bad in (np.nan, -np.nan, np.inf, -np.inf, np.nextafter(np.float32(8), np.float32(9)), -9.0):
        assert not within(np.append(good, np.float32(bad)), 8.0)


@pytest.mark.parametrize("normalize", ["global", "band", "minmax-band"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_batch_is_its_level_normalized(normalize: str, dtype: torch.dtype, threads: int) -> None:
    """Normalizing while the batch is written gives what normalizing its level gives, to the last bit."""
    case = pipeline("fastaudio", normalize)
    wave = (0.1 * torch.randn(5, 2, 60_000, generator=torch.Generator().manual_seed(6))).to(dtype)
    lengths = torch.tensor([60_000, 400, 59_999, 30_000, 8_000])
    precise = torch.promote_types(dtype, torch.float32)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        for some in (None, lengths):
            spectrogram = Spectrogram(case.front_end)
            level = spectrogram(wave.to(precise), some)
            frames = None if some is None else spectrogram.frames(some)
            expected = Normalize(case.normalizer)(level, frames).to(dtype)
            torch.testing.assert_close(Preprocess(case)(wave, some), expected, rtol=0.0, atol=0.0)
    finally:
        torch.set_num_threads(before)


def test_lanes_are_written_for_pointers_without_a_type() -> None:
    """llvmlite will drop typed pointers: with none, what is written is still LLVM's language."""
    module = ir.Module()
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [ir.PointerType(), ir.IntType(64)]), "copy")
    builder = ir.IRBuilder(function.append_basic_block())
    manager = {types.Array(types.float32, 1, "C"): SimpleNamespace(get=lambda _, value, __: value)}
    context = SimpleNamespace(data_model_manager=manager)
    numbers = Numbers(context, builder, next(iter(manager)), function.args[0])
    at = Value(builder, function.args[1])
    numbers[at] = numbers[at + 16] + numbers.everywhere(at)
    builder.ret_void()
    assert "load <16 x float>, ptr" in str(llvmlite.binding.parse_assembly(str(module)))


@given(seed=st.integers(0, 999), exponent=st.sampled_from([0.05, 1 / 3, 0.9]), gain=st.sampled_from([1.0, 1e6]))
def test_roots_and_gains_have_one_result(seed: int, exponent: float, gain: float) -> None:
    """log1p, roots and PCEN of numbers of any size, zero too, are the mathematical ones, with numba and without."""
    random = np.random.default_rng(seed)
    values = 10.0 ** random.uniform(-30, 8, (3, 50))
    values[random.random(values.shape) < 0.1] = 0.0
    state, settings = np.ones(3), ((0.025, 1e-6), 0.98, (2.0**31, 2.0, 0.5))
    for kernel, arguments, expected in (
        (elementary.log1p_of, (gain,), np.log1p(gain * values)),
        (elementary.root_of, (exponent,), values**exponent),
        (elementary.pcen_of, settings, sn.PCEN()(values, 2.0)),
    ):
        found, plain = values.copy(), values.copy()
        if kernel is elementary.pcen_of:
            elementary.pcen_of(found, state.copy(), *settings)
            elementary.pcen_of.plain(plain, state.copy(), *settings)
        else:
            kernel(found.reshape(-1), *arguments)
            kernel.plain(plain.reshape(-1), *arguments)
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-12)
        np.testing.assert_array_equal(found, plain)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_workspace_that_served_other_clips_changes_no_bit(dtype: type) -> None:
    """Clips of many lengths, in turns through three front ends, have the levels that a fresh workspace gives."""
    random, used = np.random.default_rng(11), Workspace()
    fastaudio = sn.preset("fastaudio")
    front_ends = fastaudio, sn.preset("kaldi"), replace(fastaudio, stft=STFT(512, power=1.0))
    kernels = [replace(front_end.kernels, dtype=dtype) for front_end in front_ends]
    for length in random.integers(900, 60_000, 25).tolist():
        wave = (0.1 * random.standard_normal(length)).astype(np.float32)
        for one in kernels:
            assert np.array_equal(one.level(wave, used), one.level(wave, Workspace()))
