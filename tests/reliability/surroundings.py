"""Profiles under other processors, libraries' switches, locales and threads: `python -m reliability.surroundings`.

Every preset and further front ends measure 32 clips (four encodings, seven rates, silence, an impulse, a square wave,
denormals), each time in a process of its own; the profiles must have the bytes of an undisturbed run. Switches of soxr
change its samples, which journals and workers know, so profiles may differ there. `--clips 6 --presets 4` is quicker.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

import numpy as np
import soundfile

import spectronorm as sn
from spectronorm.front_end.presets import PRESETS

RATES = (8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000)
ENCODINGS = (("wav", "PCM_16"), ("wav", "FLOAT"), ("ogg", "VORBIS"), ("ogg", "OPUS"), ("mp3", "MPEG_LAYER_III"))
SURROUNDINGS: dict[str, dict[str, str]] = {
    "numba for Haswell": {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": ""},
    "numba for any x86-64": {"NUMBA_CPU_NAME": "x86-64", "NUMBA_CPU_FEATURES": ""},
    "no numba": {"NUMBA_DISABLE_JIT": "1"},
    "NumPy without AVX512": {"NPY_DISABLE_CPU_FEATURES": "v3"},
    "NumPy without AVX2 and FMA": {"NPY_DISABLE_CPU_FEATURES": "v2"},
    "glibc without AVX2 and FMA": {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX512F"},
    "OpenBLAS for Nehalem": {"OPENBLAS_CORETYPE": "Nehalem"},
    "OpenBLAS for Prescott": {"OPENBLAS_CORETYPE": "Prescott"},
    "another time zone and locale": {"TZ": "Pacific/Kiritimati", "LC_ALL": "tr_TR.UTF-8"},
    "seven threads": {"OMP_NUM_THREADS": "7", "NUMBA_NUM_THREADS": "7"},
    "another hash seed": {"PYTHONHASHSEED": "7"},
}
KNOWN = {"SOXR_USE_SIMD=0": {"SOXR_USE_SIMD": "0"}}
"""What may change bytes, and is part of the identity of a run."""


def write_clips(folder: Path, count: int = 32) -> Path:
    """Clips of every encoding and rate, and four that are no usual sound."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    odd = {
        "silence": np.zeros(8_000),
        "impulse": np.eye(1, 8_000, 4_000)[0],
        "square": 0.5 * np.sign(np.sin(np.arange(8_000) / 7)),
        "denormals": np.full(8_000, 1e-40) * np.sign(np.sin(np.arange(8_000) / 7)),
    }
    for name, wave in odd.items():
        soundfile.write(folder / f"{name}.wav", wave, 16_000, subtype="FLOAT")
    for number in range(count - len(odd)):
        suffix, subtype = ENCODINGS[number % len(ENCODINGS)]
        rate = 48_000 if subtype == "OPUS" else RATES[number % len(RATES)]
        time = np.arange(rate // 2) / rate
        wave = 0.3 * np.sin(2 * np.pi * (200 + 50 * number) * time) + 0.02 * random.standard_normal(len(time))
        soundfile.write(folder / f"{number:02}.{suffix}", wave, rate, subtype=subtype)
    return folder


def front_ends(presets: int) -> dict[str, sn.FrontEnd]:
    """Presets, and front ends of every window, power, layout, compression and waveform level."""
    found = {name: sn.preset(name) for name in islice(PRESETS, presets)}
    base = sn.FrontEnd(16_000, stft=sn.STFT(n_fft=400, hop_length=160), bands=sn.Mel(40)).to_dict()
    changes: list[dict[str, dict[str, object]]] = [
        *({"stft": {"window": window}} for window in ("hamming", "blackman", "boxcar", "povey")),
        *({"stft": {"power": power}} for power in (0.5, 1.0, 3.0)),
        *({"stft": {"n_fft": n_fft, "win_length": None}} for n_fft in (512, 1009)),
        *({"compress": {"kind": kind}} for kind in ("pcen", "ln", "root")),
        *({"level": {"kind": kind}} for kind in ("standardize", "peak", "rms", "loudness")),
        *({"bands": {"kind": kind}} for kind in ("linear", "gammatone")),
        {"stft": {"center": False, "preemphasis": 0.97}},
    ]
    for change in changes[: max(2, presets * 2)]:
        plain = {**base}
        for slot, settings in change.items():
            plain[slot] = settings if "kind" in settings else {**base[slot], **settings}
        found[json.dumps(change)] = sn.FrontEnd.from_dict(plain)
    return found


def digests(source: Path, presets: int) -> dict[str, str]:
    """Digest of the profile of every front end, as it is saved."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, front_end in front_ends(presets).items():
            sn.fit(source, front_end, engine=sn.engines.ThreadEngine(2), max_bad=0.9).save(Path(folder) / "p")
            found[name] = hashlib.sha256((Path(folder) / "p").read_bytes()).hexdigest()
    return found


def elsewhere(source: Path, presets: int, settings: Mapping[str, str]) -> dict[str, str]:
    """The digests of a process with these settings, and kernels of its own."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, **settings}
        if any(name.startswith("NUMBA_CPU") for name in settings):
            environment["NUMBA_CACHE_DIR"] = cache
        if "NPY_DISABLE_CPU_FEATURES" in settings:
            environment["NPY_DISABLE_CPU_FEATURES"] = without(settings["NPY_DISABLE_CPU_FEATURES"])
        command = [sys.executable, "-m", "reliability.surroundings", "--presets", str(presets)]
        command += ["--digests", str(source)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


def without(level: str) -> str:
    """The names of NumPy's features above a level of x86-64; it refuses names that it does not know."""
    from numpy._core._multiarray_umath import __cpu_dispatch__ as names  # noqa: PLC0415

    kept = ("X86_V3", "AVX2", "FMA3", "F16C", "BMI", "LZCNT") if level == "v3" else ()
    return " ".join(name for name in names if name not in kept)


def main() -> None:
    """Print a table; exit code 1 if a profile differs where none may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=32)
    parser.add_argument("--presets", type=int, default=len(PRESETS))
    parser.add_argument("--digests", type=Path)
    options = parser.parse_args()
    if options.digests is not None:
        print(json.dumps(digests(options.digests, options.presets)))  # noqa: T201
        return
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        source = write_clips(Path(folder) / "clips", options.clips)
        usual = elsewhere(source, options.presets, {})
        print(f"{'surroundings':32} profiles that differ, of {len(usual)}")  # noqa: T201
        for name, settings in {**SURROUNDINGS, **KNOWN}.items():
            found = elsewhere(source, options.presets, settings)
            differ = sum(found[one] != usual[one] for one in usual)
            failed |= differ > 0 and name not in KNOWN
            print(f"{name:32} {differ}{' (part of the identity)' if name in KNOWN else ''}", flush=True)  # noqa: T201
    sys.exit(int(failed))


if __name__ == "__main__":
    main()
