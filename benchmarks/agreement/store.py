"""Outputs of origins that do not install beside the tests: `python -m benchmarks.agreement.store NAME SOUNDS OUTPUT`.

The package of the origin has to be importable, in an environment of its own:

- `torchaudio`, `fastaudio`, `sliding`: `pip install torchaudio`. Where its compiled part does not fit the installed
  torch, leave it out (`rm torchaudio/lib/*.so`); these transforms are plain Python.
- `passt`: the same, and `pip install --no-deps hear21passt`.
- `specgan`: `pip install tensorflow-cpu`.

SOUNDS is a file that `python -m benchmarks.agreement.store sounds SOUNDS` writes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Wave = NDArray[np.float32]
RATES = {"torchaudio": 16_000, "fastaudio": 16_000, "specgan": 16_000, "passt": 32_000}
STORED_CLIPS = ("1-100032-A-0", "4-125929-A-40")


def torchaudio(wave: Wave) -> Any:
    """MelSpectrogram and AmplitudeToDB with their defaults."""
    import torch  # noqa: PLC0415
    import torchaudio as origin  # noqa: PLC0415

    transforms = origin.transforms
    return transforms.AmplitudeToDB()(transforms.MelSpectrogram()(torch.from_numpy(wave))).numpy()


def fastaudio(wave: Wave) -> Any:
    """What `AudioToSpec.from_cfg(AudioConfig.BasicSpectrogram())` composes, after `(x - mean) / std`."""
    import torch  # noqa: PLC0415
    import torchaudio as origin  # noqa: PLC0415

    x = torch.from_numpy(wave)
    x = (x - x.mean()) / x.std()
    return origin.transforms.AmplitudeToDB()(origin.transforms.Spectrogram()(x)).numpy()


def passt(wave: Wave) -> Any:
    """AugmentMelSTFT in evaluation mode, with the settings of hear21passt's base model."""
    import torch  # noqa: PLC0415
    from hear21passt.models.preprocess import AugmentMelSTFT  # noqa: PLC0415

    with torch.no_grad():
        to_mel = AugmentMelSTFT(n_mels=128, sr=32_000, win_length=800, hopsize=320, n_fft=1024, fmax_aug_range=2000)
        return to_mel.eval()(torch.from_numpy(wave)[None])[0].numpy()


def specgan(wave: Wave) -> Any:
    """The log magnitudes of SpecGAN's `t_to_f`, before it standardizes them."""
    import tensorflow as tf  # noqa: PLC0415

    spectrum = tf.signal.stft(wave[None], 256, 128, pad_end=True)[:, :, :-1]
    return tf.math.log(tf.abs(spectrum) + 1e-6).numpy()[0].T


ORIGINS: dict[str, tuple[Callable[[Wave], Any], tuple[str, ...]]] = {
    "torchaudio": (torchaudio, ("torchaudio", "torch")),
    "fastaudio": (fastaudio, ("torchaudio", "torch")),
    "passt": (passt, ("hear21passt", "torchaudio", "torch")),
    "specgan": (specgan, ("tensorflow-cpu",)),
}


def store_sounds(path: Path) -> None:
    """Write the sounds at each rate, so that an origin's environment needs nothing of ours."""
    from benchmarks.agreement.sounds import real, synthetic  # noqa: PLC0415

    sounds: dict[str, Any] = {}
    for rate in sorted(set(RATES.values())):
        clips = real(rate)
        sounds[f"{rate}/synthetic"] = synthetic(rate)
        sounds |= {f"{rate}/{name}": clips[name] for name in STORED_CLIPS}
    np.savez(path, **sounds)


def store_output(name: str, sounds: Path, output: Path) -> None:
    """Run one origin on its sounds and write what came out."""
    run, packages = ORIGINS[name]
    prefix = f"{RATES[name]}/"
    with np.load(sounds) as waves:
        levels = {key.removeprefix(prefix): run(waves[key]) for key in waves if key.startswith(prefix)}
    made_with = ", ".join(f"{package} {version(package)}" for package in packages)
    np.savez_compressed(output, made_with=np.array(made_with), **levels)


def store_sliding(output: Path) -> None:
    """Torchaudio's port of Kaldi's sliding CMVN, on a small seeded matrix, in all four modes."""
    import torch  # noqa: PLC0415
    import torchaudio as origin  # noqa: PLC0415

    level = np.random.default_rng(600).normal(-30.0, 12.0, size=(70, 3))  # (frame, band)
    results = {
        f"center={center},norm_vars={norm_vars}": origin.functional.sliding_window_cmn(
            torch.from_numpy(level), cmn_window=20, min_cmn_window=7, center=center, norm_vars=norm_vars
        ).numpy()
        for center in (True, False)
        for norm_vars in (True, False)
    }
    made_with = f"torchaudio {version('torchaudio')}, torch {version('torch')}"
    np.savez_compressed(output, made_with=np.array(made_with), level=level, **results)


if __name__ == "__main__":
    if sys.argv[1] == "sounds":
        store_sounds(Path(sys.argv[2]))
    elif sys.argv[1] == "sliding":
        store_sliding(Path(sys.argv[2]))
    else:
        store_output(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
