"""Levels back to sound: consistent, deterministic, the same in NumPy and torch, and better than the peer."""

from __future__ import annotations

import heapq
import subprocess
import sys
from pathlib import Path

import librosa
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.voices import espeak, synthetic_voice

import spectronorm as sn
from spectronorm.arrays import overlap_add
from spectronorm.errors import ArgumentError, ShapeError
from spectronorm.front_end import PRESETS, WaveformGain, frames_of, shortest_length
from spectronorm.front_end.bands.runs import BandRuns
from spectronorm.inversion import METHODS, InversionPlan, invert, phase_gradient
from spectronorm.inversion.bands import bins_of_bands
from spectronorm.inversion.overlap import OverlapAdd
from spectronorm.inversion.phase_gradient import gaussian_width, phase_of
from spectronorm.inversion.quality import level_residual_db, pesq_score, spectral_convergence, stoi_score

WIDE = sn.STFT(n_fft=1024, hop_length=256)
LINEAR = sn.FrontEnd(stft=WIDE)
MEL = sn.FrontEnd(stft=WIDE, bands=sn.Mel(80))
FRONT_ENDS = {
    "linear": LINEAR,
    "half overlap": sn.FrontEnd(stft=sn.STFT(n_fft=1024, hop_length=512)),
    "mel": MEL,
    "mel of magnitudes": sn.FrontEnd(stft=sn.STFT(n_fft=512, hop_length=128, power=1.0), bands=sn.Mel(40)),
    "short window, uncentred": sn.FrontEnd(stft=sn.STFT(n_fft=512, win_length=400, hop_length=100, center=False)),
    "standardized, ln": sn.FrontEnd(
        level=sn.waveform.StandardizeWaveform(), stft=WIDE, bands=sn.Mel(80), compress=sn.Ln(1e-6)
    ),
    "band-limited": sn.FrontEnd(stft=WIDE, bands=sn.Mel(40, f_min=100.0, f_max=6000.0)),
    "odd n_fft": sn.FrontEnd(stft=sn.STFT(n_fft=401, hop_length=100, window="hamming")),
    "specgan": sn.preset("specgan"),
    "first post": sn.preset("fastaudio"),
    "second post": sn.preset("logmel"),
    "window at the frame's start": sn.preset("vggish"),
    "last frame left out": sn.preset("whisper"),
    "gammatone": sn.FrontEnd(stft=WIDE, bands=sn.bands.Gammatone()),
    "PCEN": sn.FrontEnd(stft=WIDE, bands=sn.Mel(80), compress=sn.PCEN()),
    "loudness": sn.FrontEnd(level=sn.waveform.LoudnessLevel(), stft=WIDE, bands=sn.Mel(80)),
}


@pytest.fixture(scope="module")
def voice() -> np.ndarray:
    return synthetic_voice(1.5)


def convergence(wave: np.ndarray, reference: np.ndarray, stft: sn.STFT) -> float:
    found, wanted = (np.sqrt(stft(x.astype(np.float64))) for x in (wave, reference))
    return spectral_convergence(found, wanted)


@given(
    st.integers(1, 20).map(lambda n: 16 * n),
    st.sampled_from([2, 3, 4, 8]),
    st.booleans(),
    st.sampled_from(["constant", "edge", "reflect"]),
    st.integers(0, 200),
)
def test_a_spectrum_with_its_phase_gives_the_wave_back(
    n_fft: int, share: int, center: bool, pad_mode: str, more: int
) -> None:
    """Overlap-add is exact wherever windows see enough, for any framing and padding."""
    stft = sn.STFT(n_fft=n_fft, hop_length=n_fft // share, center=center, pad_mode=pad_mode)
    wave = np.random.default_rng(0).standard_normal(2 * n_fft + more).astype(np.float32)
    overlap = OverlapAdd.of(stft, stft.frames(len(wave)))
    padded = stft.padded(wave.astype(np.float64))[: len(overlap.inverse_weight)].astype(np.float32)
    back = overlap.wave(overlap.signal(overlap.spectrum(padded)), len(wave))
    assert back.shape == wave.shape
    seen = slice(n_fft // 4, len(wave) - n_fft - stft.hop) if not center else slice(0, len(wave) - stft.hop)
    np.testing.assert_allclose(back[seen], wave[seen], atol=2e-4)


def test_overlap_add_sums_what_overlaps() -> None:
    """Also when the hop does not divide the frame, for NumPy and torch alike."""
    frames = np.random.default_rng(0).standard_normal((2, 5, 7))
    wanted = np.zeros((2, 4 * 3 + 7))
    for t in range(5):
        wanted[:, 3 * t : 3 * t + 7] += frames[:, t]
    np.testing.assert_allclose(overlap_add(frames, 3), wanted)
    np.testing.assert_allclose(overlap_add(torch.from_numpy(frames), 3).numpy(), wanted)


@pytest.mark.parametrize("bands", [sn.Mel(40), sn.Mel(80, norm=None), sn.Mel(20, f_min=300.0, f_max=5000.0)])
def test_bins_found_for_bands_have_those_bands(bands: sn.Mel, voice: np.ndarray) -> None:
    """To a fraction of a dB, never negative, nearer to the truth than non-negative least squares, on torch too."""
    power = WIDE(voice.astype(np.float64)).T
    runs = bands.runs(16_000, 1024)
    values = power @ runs.matrix.T
    found = bins_of_bands(values, runs)
    assert (found >= 0).all()
    heard = values > values.max() * 1e-8
    assert np.median(np.abs(10 * np.log10((found @ runs.matrix.T)[heard] / values[heard]))) < 0.1
    assert (found[:, runs.matrix.sum(axis=0) == 0] == 0).all()
    covered = runs.matrix.sum(axis=0) > 0
    peer = librosa.util.nnls(runs.matrix, values.T).T
    errors = [np.linalg.norm(np.sqrt(x[:, covered]) - np.sqrt(power[:, covered])) for x in (found, peer)]
    assert errors[0] < errors[1]
    on_torch = bins_of_bands(torch.from_numpy(values), runs).numpy()
    np.testing.assert_allclose(on_torch, found, rtol=1e-2, atol=1e-6 * found.max())


def test_bins_that_are_bands_come_back_as_they_are() -> None:
    """The identity needs no updates; a Nyquist bin left out comes back as zero."""
    values = np.random.default_rng(0).random((3, 8))
    found = bins_of_bands(values, BandRuns.of(np.eye(8, 9)))
    np.testing.assert_array_equal(found, np.pad(values, ((0, 0), (0, 1))))


def test_the_gaussian_of_a_hann_window_is_the_published_one() -> None:
    """Within 4 % of Průša's 0.25645 L², and exactly that of a Gaussian window."""
    assert gaussian_width("hann", 1024) / 1024**2 == pytest.approx(0.25645, rel=0.04)
    assert gaussian_width("hann", 400) / 400**2 == pytest.approx(gaussian_width("hann", 1024) / 1024**2, rel=1e-3)


def _exact_queue(log_magnitude: np.ndarray, stft: sn.STFT) -> np.ndarray:
    """The same integration with a binary heap in exact order: slow, and the reference."""
    gamma = gaussian_width(stft.window, stft.frame_length)
    to_time, advance = stft.hop * stft.n_fft / gamma, 2 * np.pi * stft.hop / stft.n_fft
    s = log_magnitude.astype(np.float64)
    in_time, in_bin = np.zeros_like(s), np.zeros_like(s)
    in_time[:, 1:-1] = to_time * (s[:, 2:] - s[:, :-2]) / 2
    in_time += advance * np.arange(s.shape[1])
    in_bin[1:-1] = -(s[2:] - s[:-2]) / 2 / to_time
    phase, done = np.zeros_like(s), s <= phase_gradient.TOLERANCE_DB * np.log(10) / 20
    for start in np.argsort(-s, axis=None):
        t, k = divmod(int(start), s.shape[1])
        if done[t, k]:
            continue
        done[t, k] = True
        queue = [(-s[t, k], t, k)]
        while queue:
            _, t, k = heapq.heappop(queue)
            for i, j in ((t + 1, k), (t - 1, k), (t, k + 1), (t, k - 1)):
                if 0 <= i < s.shape[0] and 0 <= j < s.shape[1] and not done[i, j]:
                    gradient = in_time if i != t else in_bin
                    phase[i, j] = phase[t, k] + (gradient[t, k] + gradient[i, j]) / 2 * (i - t + j - k)
                    done[i, j] = True
                    heapq.heappush(queue, (-s[i, j], i, j))
    return phase


def test_buckets_are_as_good_as_the_exact_order(voice: np.ndarray) -> None:
    """The convergence of the phase is within half a dB of that with a heap in exact order."""
    magnitude = np.sqrt(WIDE(voice.astype(np.float64)).T).astype(np.float32)
    overlap = OverlapAdd.of(WIDE, len(magnitude))
    ours = phase_of(magnitude, WIDE, np.random.default_rng(0))
    np.testing.assert_allclose(np.abs(ours), magnitude, rtol=1e-4, atol=1e-6)
    log_magnitude = np.log(np.maximum(magnitude / magnitude.max(), 1e-8))
    phase = _exact_queue(log_magnitude, WIDE) - np.pi * np.arange(magnitude.shape[1])
    exact = (magnitude * np.exp(1j * phase)).astype(np.complex64)
    waves = [overlap.wave(overlap.signal(x), len(voice)) for x in (ours, exact)]
    found = [convergence(wave, voice, WIDE) for wave in waves]
    assert found[0] < -15
    assert found[0] <= found[1] + 0.5


@pytest.mark.parametrize("name", FRONT_ENDS)
def test_every_front_end_comes_back(name: str, voice: np.ndarray) -> None:
    """What comes back has the level that went in, within 1 dB on average (1.5 for single bins), and its length."""
    front_end = FRONT_ENDS[name]
    level = front_end(voice.astype(np.float64))
    back = invert(level, front_end, length=len(voice))
    bound = 1.5 if front_end.band_runs().identity else 1.0
    assert back.shape == voice.shape
    assert back.dtype == np.float32
    assert level_residual_db(front_end(back.astype(np.float64)), level, front_end)[0] <= bound
    recorded = WaveformGain.of(voice, front_end).undo(back)
    assert np.std(recorded) == pytest.approx(np.std(voice), rel=0.1)


@pytest.mark.parametrize("method", METHODS)
def test_more_iterations_come_nearer(method: str, voice: np.ndarray) -> None:
    """Fast is nearer than the bare phase gradient, and best nearer than fast; the same seed gives the same wave."""
    front_end = MEL if method == "auto" or method.startswith("band") else LINEAR
    level = front_end(voice.astype(np.float64))

    def residual(chosen: str, quality: str) -> float:
        back = invert(level, front_end, length=len(voice), method=chosen, quality=quality, seed=3)
        assert np.isfinite(back).all()
        return level_residual_db(front_end(back.astype(np.float64)), level, front_end)[1]

    bare, fast, best = residual("pghi", "fast"), residual(method, "fast"), residual(method, "best")
    if method == "pghi":
        assert bare == fast == best
    else:
        assert best < fast < bare
    again = [invert(level, front_end, method=method, quality="fast", seed=3) for _ in range(2)]
    np.testing.assert_array_equal(*again)


def test_the_plan_follows_overlap_and_bands() -> None:
    """Bands get the band-consistent method, three quarters of overlap Griffin-Lim, less overlap ADMM."""
    assert InversionPlan.of(MEL, "auto", "good").method == "band_consistent"
    assert InversionPlan.of(LINEAR, "auto", "good").method == "griffin_lim"
    assert InversionPlan.of(FRONT_ENDS["half overlap"], "auto", "fast").method == "admm"
    assert InversionPlan.of(LINEAR, "auto", "best").method == "admm"


@pytest.mark.parametrize("name", ["linear", "half overlap", "mel", "mel of magnitudes"])
def test_torch_gives_what_numpy_gives_for_each_of_a_batch(name: str, voice: np.ndarray) -> None:
    """In one batch, each clip as if it were alone, and as near to the level as NumPy's."""
    front_end = FRONT_ENDS[name]
    waves = np.stack([voice[:12_000], voice[-12_000:] * 0.1])
    level = front_end(waves.astype(np.float64))
    batch = invert(torch.from_numpy(level).float().requires_grad_(), front_end, length=12_000, quality="fast")
    assert batch.shape == (2, 12_000)
    assert batch.dtype == torch.float32
    alone = invert(torch.from_numpy(level[1]).float(), front_end, length=12_000, quality="fast")
    torch.testing.assert_close(batch[1], alone, atol=1e-3, rtol=0)
    numpy = invert(level, front_end, length=12_000, quality="fast")
    assert numpy.shape == (2, 12_000)
    for ours, theirs, wave in zip(numpy, batch.numpy(), waves, strict=True):
        found = [convergence(x, wave, front_end.stft) for x in (ours, theirs)]
        assert found[1] == pytest.approx(found[0], abs=1.5)


def test_silence_comes_back_as_silence() -> None:
    """Levels on the floor, or within half a grey step of it, have no sound; nor do they disturb others."""
    for front_end in (LINEAR, MEL, FRONT_ENDS["standardized, ln"]):
        level = front_end(np.zeros(8000))
        assert not invert(level, front_end).any()
        assert not invert(level + 0.2, front_end, level_error=0.2).any()


def test_the_waveform_level_is_undone() -> None:
    """Mean and deviation come back for a standardized clip; a constant clip comes back as its mean."""
    front_end = FRONT_ENDS["standardized, ln"]
    wave = 0.1 * synthetic_voice(0.5) + 0.02
    gain = WaveformGain.of(wave, front_end)
    np.testing.assert_allclose(gain.undo(front_end.level(wave.astype(np.float64), 16_000)), wave, atol=1e-8)
    constant = np.full(4000, 0.25)
    np.testing.assert_allclose(WaveformGain.of(constant, front_end).undo(np.zeros(3)), 0.25)
    as_recorded = WaveformGain.of(wave, LINEAR)
    assert (as_recorded.scale, as_recorded.offset) == (pytest.approx(1.0), pytest.approx(0.0, abs=1e-9))


@given(st.integers(1, 5000), st.sampled_from([(512, 128, True), (401, 100, True), (256, 100, False)]))
def test_lengths_and_frames_agree(frames: int, setting: tuple[int, int, bool]) -> None:
    """The shortest wave of so many frames has them, and one sample less has one frame less."""
    n_fft, hop, center = setting
    front_end = sn.FrontEnd(stft=sn.STFT(n_fft=n_fft, hop_length=hop, center=center))
    length = shortest_length(front_end, frames)
    assert frames_of(front_end, length) == frames == frames_of(front_end, length + hop - 2)
    if length > n_fft:
        assert front_end.frames(length) == frames
        assert front_end.frames(length - 1) == frames - 1


@pytest.mark.parametrize("name", PRESETS)
@given(length=st.integers(30_000, 34_000))
def test_lengths_and_frames_agree_for_every_preset(name: str, length: int) -> None:
    """Whatever the framing: with its own count, and with the shortest wave."""
    front_end = sn.preset(name)
    frames = frames_of(front_end, length)
    assert frames == front_end.frames(length)
    shortest = shortest_length(front_end, frames)
    assert shortest <= length < shortest + front_end.stft.hop
    assert frames_of(front_end, shortest - 1) == frames - 1


@pytest.mark.parametrize("name", ["kaldi", "ast"])
def test_frames_changed_before_the_window_are_refused(name: str) -> None:
    """Kaldi's frames overlap into no wave: an error says so."""
    front_end = sn.preset(name)
    level = front_end(synthetic_voice(0.5, front_end.sample_rate).astype(np.float64))
    with pytest.raises(ArgumentError, match="remove_dc_offset=True"):
        invert(level, front_end)


def test_a_waveform_level_that_is_no_gain_is_left_alone(voice: np.ndarray) -> None:
    """Pre-emphasis and sliding windows are not undone, and no wrong numbers pretend to."""
    for level in (sn.waveform.PreEmphasis(), sn.waveform.SlidingStandardizeWaveform()):
        assert WaveformGain.of(voice, sn.FrontEnd(level=level)) == WaveformGain()


def test_a_vocoder_can_do_the_work(voice: np.ndarray) -> None:
    """Any callable is asked instead; its wave is cut or padded, and refused when it is not finite or of other clips."""
    level = MEL(np.stack([voice, voice]).astype(np.float64))
    found = invert(level, MEL, length=len(voice), vocoder=lambda level, front_end: np.ones((2, 30_000)))
    assert found.shape == (2, len(voice))
    short = invert(level, MEL, length=len(voice), vocoder=lambda level, front_end: np.ones((2, 10)))
    assert short.shape == (2, len(voice))
    assert short.sum() == 20
    for bad in (np.ones(10), np.full((2, 10), np.nan)):
        with pytest.raises(ShapeError, match="vocoder"):
            invert(level, MEL, vocoder=lambda level, front_end, bad=bad: bad)


def test_what_cannot_be_inverted_is_refused(voice: np.ndarray) -> None:
    """Each error names the value and the rule."""
    level = MEL(voice.astype(np.float64))
    with pytest.raises(ShapeError, match="80 bands"):
        invert(level[:40], MEL)
    with pytest.raises(ShapeError, match="NaN"):
        invert(np.where(level > 0, np.nan, level), MEL)
    with pytest.raises(ShapeError, match="highest"):
        invert(level + 1000, MEL)
    with pytest.raises(ShapeError, match="dtype"):
        invert(level.astype(int), MEL)
    with pytest.raises(ArgumentError, match=r"length=1 .*frames"):
        invert(level, MEL, length=1)
    with pytest.raises(ArgumentError, match="method='magic'"):
        invert(level, MEL, method="magic")
    with pytest.raises(ArgumentError, match="quality='perfect'"):
        invert(level, MEL, quality="perfect")
    with pytest.raises(ArgumentError, match="wider than a bin"):
        invert(LINEAR(voice.astype(np.float64)), LINEAR, method="band_consistent")
    gappy = sn.FrontEnd(stft=sn.STFT(n_fft=256, hop_length=300))
    with pytest.raises(ArgumentError, match="hop_length=300"):
        invert(gappy(voice.astype(np.float64)), gappy)


@pytest.mark.parametrize(("front_end", "least"), [(LINEAR, 0.0), (MEL, 0.4), (FRONT_ENDS["half overlap"], 0.15)])
def test_speech_sounds_better_than_with_librosa(front_end: sn.FrontEnd, least: float) -> None:
    """PESQ of one espeak-ng clip at quality good, against librosa's defaults; the benchmark has twelve and the time."""
    pytest.importorskip("pesq")
    wave = espeak("The birch canoe slid on the smooth planks.")
    level = front_end(wave.astype(np.float64))
    values, hop = front_end.inverse_compress(level).astype(np.float32), front_end.stft.hop
    if front_end is MEL:
        peer = librosa.feature.inverse.mel_to_audio(values, sr=16_000, n_fft=1024, hop_length=hop, length=len(wave))
    else:
        peer = librosa.griffinlim(np.sqrt(values), hop_length=hop, length=len(wave), random_state=0)
    ours = invert(level, front_end, length=len(wave))
    assert pesq_score(ours, wave, 16_000) >= pesq_score(peer, wave, 16_000) + least
    assert stoi_score(ours, wave, 16_000) >= stoi_score(peer, wave, 16_000)
    if front_end is LINEAR:
        assert convergence(ours, wave, WIDE) <= -27.5


def test_field_recordings_come_back_within_a_db(esc10: Path) -> None:
    """One clip of each class of ESC-10, log-mel residual at quality fast."""
    front_end = sn.FrontEnd(stft=WIDE, bands=sn.Mel(128))
    residuals = []
    for target in (0, 1, 10, 11, 12, 20, 21, 38, 40, 41):
        path = sorted((esc10 / "audio").glob(f"*-{target}.ogg"))[0]
        wave = sn.read(path, 16_000)[:32_000]
        level = front_end(wave.astype(np.float64))
        back = invert(level, front_end, length=len(wave), quality="fast")
        residuals.append(level_residual_db(front_end(back.astype(np.float64)), level, front_end)[0])
    assert np.mean(residuals) <= 1.0


def test_importing_spectronorm_does_not_import_torch() -> None:
    """Nor do images and inversion: torch tensors are recognized without it."""
    code = "import sys, spectronorm, spectronorm.images, spectronorm.inversion; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
