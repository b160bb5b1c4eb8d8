"""Train small, deploy behind a dull microphone and in noise, watch, and mend what can be mended.

Run with `python examples/deployment_story.py FOLDER [--fold 1 2 3 4 5]`, where FOLDER is ESC-50 or ESC-10 in ESC-50's
layout. Each fold in turn is the deployment; it takes about half a minute on one core for ESC-10.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import scipy.signal
import soundfile
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import spectronorm as sn
from spectronorm.errors import UpdateRefused
from spectronorm.monitor import Baseline, Monitor, NewAudio, measure_new, update
from spectronorm.nn import adapt_batchnorm

Wave = NDArray[np.float32]
SECONDS, RATE = 5.0, 16_000
FRONT_END = sn.FrontEnd(
    RATE, sn.waveform.StandardizeWaveform(), sn.STFT(1024, hop_length=640), sn.Mel(64), sn.Decibel(floor_db=-40.0)
)
EPOCHS, BATCH = 20, 32


@dataclass(frozen=True)
class Chapter:
    """What happened behind one device: the clip of the alarm, the diagnosis, accuracies before and after mending."""

    alarm_at: int | None
    kind: str
    accuracy: float
    refused: bool
    means_updated: float | None
    updated: float | None
    batchnorm_adapted: float | None


def dull(wave: Wave, _: np.random.Generator) -> Wave:
    """A microphone that hears little above 1 kHz."""
    taps = scipy.signal.firwin2(129, [0, 0.05, 0.15, 0.3, 0.6, 1], 10.0 ** (np.array([0, 0, -6, -14, -24, -30]) / 20))
    return np.asarray(scipy.signal.oaconvolve(wave, taps, mode="same"), dtype=np.float32)


def noisy(wave: Wave, generator: np.random.Generator) -> Wave:
    """White noise 20 dB below each clip."""
    noise = generator.standard_normal(len(wave)) * float(np.sqrt(np.mean(wave.astype(np.float64) ** 2))) * 0.1
    return np.asarray(wave + noise, dtype=np.float32)


DEVICES: Mapping[str, Callable[[Wave, np.random.Generator], Wave]] = {
    "as in training": lambda wave, _: wave,
    "dull microphone": dull,
    "noise at 20 dB": noisy,
}


def features(pipeline: sn.Pipeline, waves: list[Wave]) -> Tensor:
    """Normalized spectrograms `(clip, 1, band, frame)` of one length; padding is zero."""
    frames = FRONT_END.frames(round(SECONDS * RATE))
    batch = np.zeros((len(waves), 1, FRONT_END.n_bands, frames), dtype=np.float32)
    for row, wave in zip(batch, waves, strict=True):
        x = pipeline.normalizer(FRONT_END.clip_level(wave))
        row[0, :, : x.shape[1]] = x[:, :frames]
    return torch.from_numpy(batch)


def network(classes: int) -> nn.Sequential:
    """Four convolutions with batch normalization, and an average."""
    layers: list[nn.Module] = [nn.AvgPool2d((1, 2))]
    for inside, outside in ((1, 16), (16, 32), (32, 64), (64, 96)):
        layers += [
            nn.Conv2d(inside, outside, 3, padding=1, bias=False),
            nn.BatchNorm2d(outside),
            nn.ReLU(),
            nn.MaxPool2d(2),
        ]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(96, classes))


def train(x: Tensor, y: Tensor, seed: int = 0) -> nn.Sequential:
    """One-cycle training; the same for a seed."""
    torch.manual_seed(seed)
    model = network(int(y.max()) + 1)
    steps = EPOCHS * -(-len(x) // BATCH)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 5e-3, total_steps=steps)
    for _ in range(EPOCHS):
        for batch in torch.split(torch.randperm(len(x)), BATCH):
            optimizer.zero_grad()
            rolled = torch.roll(x[batch], int(torch.randint(x.shape[-1], ())), dims=-1)
            nn.functional.cross_entropy(model(rolled), y[batch]).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    return model.eval()


def accuracy(model: nn.Module, x: Tensor, y: Tensor) -> float:
    """Share of clips that are named rightly."""
    with torch.no_grad():
        return float((model(x).argmax(dim=1) == y).float().mean())


def deploy(
    waves: list[Wave], y: Tensor, model: nn.Module, profile: sn.Profile, baseline: Baseline, folder: Path
) -> Chapter:
    """Watch the clips, say what happened, and mend what the diagnosis allows."""
    pipeline = sn.Pipeline(FRONT_END, sn.Standardize("band").fit(profile))
    monitor = Monitor(profile, baseline)
    alarm_at = None
    for index in np.random.default_rng(0).permutation(len(waves)):
        verdict = monitor.add(waves[index])
        alarm_at = verdict.clip if verdict.alarm and alarm_at is None else alarm_at
    x = features(pipeline, waves)
    new = _measured(waves, profile, baseline, folder)
    before, found = accuracy(model, x, y), {}
    for statistics in ("mean", "mean+std"):
        try:
            moved = update(profile, new, statistics=statistics).profile
        except UpdateRefused as error:
            print(f"  {error}")
            break
        mended = sn.Pipeline(FRONT_END, sn.Standardize("band").fit(moved))
        found[statistics] = accuracy(model, features(mended, waves), y)
    adapted = None
    try:
        adaptation = adapt_batchnorm(model, list(torch.split(x, BATCH)), new)
        adapted = accuracy(model, x, y)
        adaptation.undo(model)  # the chapters are apart
    except UpdateRefused as error:
        print(f"  {error}")
    kind = monitor.diagnosis().kind.value
    return Chapter(alarm_at, kind, before, not found, found.get("mean"), found.get("mean+std"), adapted)


def _measured(waves: list[Wave], profile: sn.Profile, baseline: Baseline, folder: Path) -> NewAudio:
    folder.mkdir()
    for number, wave in enumerate(waves):
        soundfile.write(folder / f"{number:03d}.wav", wave, RATE, subtype="FLOAT")
    return measure_new(folder, profile, baseline)


def tell(source: Path, fold: int = 1) -> dict[str, Chapter]:
    """The whole story, with one fold as the deployment."""
    clips = sn.open_source(source)
    labels = sorted({clip.columns["label"] for clip in clips})
    training, deployed = clips.without(fold=fold), clips.select(fold=fold)
    profile = sn.fit(training, FRONT_END, duration=SECONDS)
    baseline = Baseline.of_clips(training, profile)

    def read(some: sn.audio.Source) -> tuple[list[Wave], Tensor]:
        waves = [sn.audio.read_clip(clip.path, RATE, duration=SECONDS).valid for clip in some]
        return waves, torch.tensor([labels.index(clip.columns["label"]) for clip in some])

    waves, y = read(training)
    model = train(features(sn.Pipeline(FRONT_END, sn.Standardize("band").fit(profile)), waves), y)
    waves, y = read(deployed)
    story: dict[str, Chapter] = {}
    with TemporaryDirectory() as folder:
        for number, (name, device) in enumerate(DEVICES.items()):
            generator = np.random.default_rng(number)
            heard = [device(wave, generator) for wave in waves]
            story[name] = deploy(heard, y, model, profile, baseline, Path(folder) / str(number))
            print(f"fold {fold}, {name}: {story[name]}")
    return story


def table(stories: list[dict[str, Chapter]]) -> str:
    """Means over folds, in Markdown; a fold whose update is refused counts with its accuracy without update."""
    lines = ["| device | alarm at clip | diagnosis | no update | means updated | means and stds | batch norm adapted |"]
    lines.append("| --- | ---: | --- | ---: | ---: | ---: | ---: |")
    for name in DEVICES:
        chapters = [story[name] for story in stories]
        alarms = [str(chapter.alarm_at) for chapter in chapters if chapter.alarm_at is not None]
        kinds = Counter(chapter.kind for chapter in chapters)
        cells = [", ".join(alarms) or "none", ", ".join(f"{kind} {number}" for kind, number in kinds.most_common())]
        for field in ("accuracy", "means_updated", "updated", "batchnorm_adapted"):
            values = [getattr(chapter, field) for chapter in chapters]
            known = [value for value in values if value is not None]
            after = [
                chapter.accuracy if value is None else value for chapter, value in zip(chapters, values, strict=True)
            ]
            refused = f" ({len(values) - len(known)} refused)" if len(known) < len(values) else ""
            cells.append(f"{100 * float(np.mean(after)):.1f} %{refused}" if known else "refused")
        lines.append("| " + " | ".join([name, *cells]) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--fold", type=int, nargs="+", default=[1])
    options = parser.parse_args()
    print(table([tell(options.folder, one) for one in options.fold]))
