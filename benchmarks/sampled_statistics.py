"""Statistics from 10 or 20 % of the training clips: their errors, and what they cost models that train with them.

    python -m benchmarks.sampled_statistics SOURCE [--model mlp] [--seeds 2]

For each held-out fold another random sample of the other folds is measured. Models are trained and tested with the
statistics of the sample in place of those of all training clips, as `spectronorm compare` does in all else.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from typing_extensions import override

import spectronorm as sn
from benchmarks.measure import RESULTS, circumstances
from benchmarks.question_pages import put_run
from spectronorm.experiment import Arm, Design, Results, Training, compare, labelled_clips, prepare
from spectronorm.normalize import NORMALIZERS, FittedNormalizer, Normalizer
from spectronorm.passes.fit import Sample

SHARES = (20, 10)
FRONT_END = sn.FrontEnd(
    level=sn.waveform.StandardizeWaveform(),
    stft=sn.STFT(n_fft=2048, hop_length=1280),
    bands=sn.Mel(40),
    compress=sn.Decibel(floor_db=-30.0),
)


@dataclass(frozen=True)
class Sampled(Normalizer):
    """Standardization by the statistics of a random sample of the training folds, which was measured before.

    `folder` holds one profile for each held-out fold, by the fold's name, grouped by fold.
    """

    per: str
    folder: str

    @property
    @override
    def one_map(self) -> bool:
        return self.per == "global"

    @override
    def fit(self, profile: sn.Profile) -> FittedNormalizer:
        """Take the statistics of the sample that was drawn for the fold that the profile leaves out."""
        known = {dict(key)["fold"] for key in profile.groups}
        held = next(path.stem for path in sorted(Path(self.folder).glob("*.safetensors")) if path.stem not in known)
        return sn.Standardize(self.per).fit(sample_without(Path(self.folder), held))


def sample_without(folder: Path, held: str) -> sn.Profile:
    """The sample that was drawn for a held-out fold, without that fold."""
    sampled = sn.Profile.load(folder / f"{held}.safetensors")
    return sampled.without(fold=held) if any(dict(key)["fold"] == held for key in sampled.groups) else sampled


def write_samples(source: sn.Source, folder: Path, folds: list[str]) -> sn.Profile:
    """Measure all clips, and one sample of each share for each fold; return the profile of all."""
    for share in SHARES:
        (folder / str(share)).mkdir()
        for number, fold in enumerate(folds):
            sample = Sample(share / 100, seed=number)
            sampled = sn.fit(source, FRONT_END, group_by=("fold",), sample=sample)
            sampled.save(folder / str(share) / f"{fold}.safetensors")
    return sn.fit(source, FRONT_END, group_by=("fold",))


def errors(folder: Path, whole: sn.Profile, folds: list[str]) -> list[dict[str, float]]:
    """Root mean square errors over bands and folds of the sampled statistics."""
    rows = []
    for share in SHARES:
        mean, std, pooled, clips = [], [], [], []
        for fold in folds:
            sampled, truth = sample_without(folder / str(share), fold), whole.without(fold=fold)
            scale = np.asarray(truth.band.std)
            mean.append((np.asarray(sampled.band.mean) - np.asarray(truth.band.mean)) / scale)
            std.append(np.asarray(sampled.band.std) / scale - 1.0)
            pooled.append((sampled.overall.mean - truth.overall.mean) / truth.overall.std)
            clips.append(sampled.total.clips)
        rows.append(
            {
                "share": share,
                "clips": float(np.mean(clips)),
                "mean": _rms(mean),
                "std": _rms(std),
                "pooled": _rms(pooled),
            }
        )
    return rows


def _rms(parts: list[np.ndarray]) -> float:
    return float(np.sqrt(np.mean(np.square(parts))))


def main() -> None:
    NORMALIZERS.register("sampled")(Sampled)  # in this process only
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("--model", default="mlp")
    parser.add_argument("--seeds", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(1)
    begin = time.process_time()
    source = sn.open_source(given.source)
    folds = sorted({clip.columns["fold"] for clip in source})
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        found = errors(folder, write_samples(source, folder, folds), folds)
        print(json.dumps(found, indent=1), flush=True)
        arms = [Arm(f"{per}, all clips", FRONT_END, sn.Standardize(per)) for per in ("band", "global")]
        for per in ("band", "global"):
            arms += [Arm(f"{per}, {share} %", FRONT_END, Sampled(per, str(folder / str(share)))) for share in SHARES]
        design = Design(
            tuple(arms), Training(model=given.model, epochs=20, device="cpu"), given.seeds, "band, all clips"
        )
        ready = prepare(labelled_clips(source), design, folder / "run")
        results = Results(folder / "run", ready.settings())
        compare(ready, results)
        put_run("samples", folder / "run")
    RESULTS.mkdir(exist_ok=True)
    told = {"errors": found, "seconds": time.process_time() - begin, **circumstances()}
    (RESULTS / "sampled_statistics.json").write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
