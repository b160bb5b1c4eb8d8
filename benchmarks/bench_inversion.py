"""Sound from magnitudes, against librosa's defaults: quality and CPU time, clip by clip in alternation.

python -m benchmarks.bench_inversion

Times are CPU time of one thread, in ms for a second of audio; ratios are to librosa in the same run. Set
OMP_NUM_THREADS=1, or a BLAS may use more threads than one.
"""

from __future__ import annotations

import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import librosa
import numpy as np

from benchmarks.measure import Figure, report
from benchmarks.recordings import Wave, espeak_clips, field_recordings, spoken_digits
from benchmarks.table import show
from spectronorm.front_end import STFT, FrontEnd, Mel
from spectronorm.images import ImageCodec, LevelRange
from spectronorm.inversion import invert
from spectronorm.inversion.quality import level_residual_db, pesq_score, spectral_convergence, stoi_score

PEER = "librosa"
QUALITIES = ("fast", "good", "best")
SHARPENED = "good, sharpened"


@dataclass(frozen=True)
class Case:
    """A front end and the clips that it is measured on."""

    name: str
    front_end: FrontEnd
    clips: Mapping[str, Wave]
    speech: bool


def cases() -> list[Case]:
    """Every case whose clips can be had."""
    speech, digits, field = espeak_clips(), spoken_digits(), field_recordings()
    wide, half = STFT(n_fft=1024, hop_length=256), STFT(n_fft=1024, hop_length=512)
    short = STFT(n_fft=512, hop_length=128)
    found = [
        Case("speech linear 1024/256", FrontEnd(sample_rate=16_000, stft=wide), speech, speech=True),
        Case("speech linear 1024/512", FrontEnd(sample_rate=16_000, stft=half), speech, speech=True),
        Case("speech mel80 1024/256", FrontEnd(sample_rate=16_000, stft=wide, bands=Mel(80)), speech, speech=True),
        Case("digits linear 512/128", FrontEnd(sample_rate=8_000, stft=short), digits, speech=True),
        Case("digits mel64 512/128", FrontEnd(sample_rate=8_000, stft=short, bands=Mel(64)), digits, speech=True),
        Case("ESC-10 mel128 1024/256", FrontEnd(sample_rate=16_000, stft=wide, bands=Mel(128)), field, speech=False),
    ]
    return [case for case in found if case.clips]


def librosa_inverse(values: np.ndarray, front_end: FrontEnd, length: int) -> np.ndarray:
    """The peer with its defaults: 32 iterations of fast Griffin-Lim, for mel bands after its NNLS."""
    stft = front_end.stft
    if isinstance(front_end.bands, Mel):
        return librosa.feature.inverse.mel_to_audio(
            values, sr=front_end.sample_rate, n_fft=stft.n_fft, hop_length=stft.hop, length=length
        )
    return librosa.griffinlim(np.sqrt(values), hop_length=stft.hop, length=length, random_state=0)


def main() -> None:
    """Measure, print, write."""
    rows: list[dict[str, Any]] = []
    for case in cases():
        _warm_up(case)
        rows += _measure(case)
        show([row for row in rows if row["case"] == case.name], f"{case.name}, {len(case.clips)} clips")
    report("Inversion against librosa's defaults", _figures(rows), {"rows": rows}, "inversion.json")


def _warm_up(case: Case) -> None:
    """Compile, import and plan outside the clock."""
    wave = next(iter(case.clips.values()))[: case.front_end.sample_rate]
    level = case.front_end(wave.astype(np.float64))
    invert(level, case.front_end, quality="fast")
    librosa_inverse(case.front_end.inverse_compress(level).astype(np.float32), case.front_end, len(wave))


def _measure(case: Case) -> list[dict[str, Any]]:
    found: dict[str, list[dict[str, float]]] = defaultdict(list)
    for wave in case.clips.values():
        level = case.front_end(wave.astype(np.float64))
        values = case.front_end.inverse_compress(level).astype(np.float32)
        found[PEER].append(_one(case, wave, level, partial(librosa_inverse, values, case.front_end, len(wave))))
        for quality in QUALITIES:
            found[quality].append(_one(case, wave, level, _ours(case.front_end, level, len(wave), quality)))
        if not case.front_end.band_runs().identity:
            sharpened = partial(invert, level, case.front_end, length=len(wave), method="band_sharpened")
            found[SHARPENED].append(_one(case, wave, level, sharpened))
        codec = ImageCodec(case.front_end, LevelRange.of_level(level))
        decoded = codec.decode(codec.pixels(level)[0])
        run = _ours(case.front_end, decoded, len(wave), "good", codec.max_error)
        found["good, 8-bit image"].append(_one(case, wave, level, run))
    peer_time = sum(one["ms"] for one in found[PEER])
    return [_row(case.name, name, ones, peer_time) for name, ones in found.items()]


def _ours(
    front_end: FrontEnd, level: np.ndarray, length: int, quality: str, error: float = 0.0
) -> Callable[[], np.ndarray]:
    return lambda: invert(level, front_end, length=length, quality=quality, level_error=error)


def _one(case: Case, wave: Wave, level: np.ndarray, run: Callable[[], np.ndarray]) -> dict[str, float]:
    begin = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        back = np.asarray(run())
    seconds = time.process_time() - begin
    front_end = case.front_end
    again = front_end(back.astype(np.float64))
    mean, rms = level_residual_db(again, level, front_end)
    magnitudes = [np.sqrt(front_end.stft(x.astype(np.float64))) for x in (back, wave)]
    heard = magnitudes[1] >= magnitudes[1].max() * 1e-4
    ratio = 20 * np.log10(np.maximum(magnitudes[0], 1e-8)[heard] / magnitudes[1][heard])
    figures = {
        "ms": 1e3 * seconds / (len(wave) / front_end.sample_rate),
        "level dB": mean,
        "level rms": rms,
        "SC dB": spectral_convergence(*magnitudes),
        "bins rms dB": float(np.sqrt((ratio**2).mean())),
    }
    if case.speech:
        pesq, stoi = pesq_score(back, wave, front_end.sample_rate), stoi_score(back, wave, front_end.sample_rate)
        figures |= {"PESQ": np.nan if pesq is None else pesq, "STOI": np.nan if stoi is None else stoi}
    return figures


def _row(case: str, name: str, ones: list[dict[str, float]], peer_time: float) -> dict[str, Any]:
    mean = {key: float(np.mean([one[key] for one in ones])) for key in ones[0]}
    row = {"case": case, "method": name, **mean, "time ratio": sum(one["ms"] for one in ones) / peer_time}
    if "PESQ" in mean:
        row["worst PESQ"] = float(min(one["PESQ"] for one in ones))
    return row


def _figures(rows: list[dict[str, Any]]) -> list[Figure]:
    by = {(row["case"], row["method"]): row for row in rows}
    figures = []
    for quality in ("fast", "good", SHARPENED):
        figures += _against(by, "speech linear 1024/256", quality, gain=0.0, ratio=0.6)
        if (row := by.get(("speech linear 1024/256", quality))) is not None:
            name = f"speech linear 1024/256, {quality}: convergence"
            figures.append(Figure(name, row["SC dB"], "dB", "<= -27.5", row["SC dB"] <= -27.5))
        figures += _against(by, "speech mel80 1024/256", quality, gain=1.0, ratio=0.35)
        figures += _against(by, "speech linear 1024/512", quality, gain=0.35, ratio=None)
        figures += _against(by, "digits mel64 512/128", quality, gain=0.5, ratio=0.35)
    for case in ("speech mel80 1024/256", "digits mel64 512/128", "ESC-10 mel128 1024/256"):
        for name in ("fast", "good", "good, 8-bit image"):
            if (row := by.get((case, name))) is not None:
                figures.append(Figure(f"{case}, {name}: level", row["level dB"], "dB", "<= 1", row["level dB"] <= 1))
    return figures


def _against(
    by: Mapping[tuple[str, str], Mapping[str, Any]], case: str, quality: str, *, gain: float, ratio: float | None
) -> list[Figure]:
    if (case, quality) not in by:
        return []
    ours, peer = by[case, quality], by[case, PEER]
    found, taken = ours["PESQ"] - peer["PESQ"], ours["time ratio"]
    figures = [Figure(f"{case}, {quality}: PESQ over {PEER}", found, "", f">= {gain:+g}", found >= gain)]
    if ratio is not None:
        figures.append(Figure(f"{case}, {quality}: time of {PEER}", taken, "x", f"<= {ratio:g}", taken <= ratio))
    return figures


if __name__ == "__main__":
    main()
