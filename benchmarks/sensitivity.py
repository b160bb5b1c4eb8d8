"""Cost of wrong statistics for the deployment story's model on ESC-10, band by band and global.

    python benchmarks/sensitivity.py ESC10_FOLDER -o sensitivity/

Trains the model of `examples/deployment_story.py` on folds 2 to 5 under both normalizations and measures its
sensitivity on fold 1, with one thread.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch

import spectronorm as sn
from spectronorm.experiment.sensitivity import LabelledLevels, measure_sensitivity
from spectronorm.experiment.sensitivity.model import of_module
from spectronorm.experiment.sensitivity.words import sensitivity_sentences
from spectronorm.report.sensitivity_page import rows, save_sensitivity_page

sys.path.insert(0, str(Path(__file__).parent.parent / "examples"))
import deployment_story as story


def main() -> None:
    """Train, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--draws", type=int, default=5)
    given = parser.parse_args()
    torch.set_num_threads(1)
    given.output.mkdir(parents=True, exist_ok=True)
    source = sn.open_source(given.source)
    profile = sn.fit(source, story.FRONT_END, group_by=("fold",), duration=story.SECONDS)
    tested = [clip for clip in source if clip.columns["fold"] == "1"]
    trained = [clip for clip in source if clip.columns["fold"] != "1"]
    classes = sorted({clip.columns["label"] for clip in source})
    waves = {clip.name: sn.read(clip.path, story.RATE) for clip in source}
    for name in ("band", "global"):
        pipeline = sn.Pipeline(story.FRONT_END, sn.Standardize(name).fit(profile.without(fold="1")))
        x = story.features(pipeline, [waves[clip.name] for clip in trained])
        model = story.train(x, torch.tensor([classes.index(clip.columns["label"]) for clip in trained]))
        levels = np.stack([_level(waves[clip.name]) for clip in tested])
        labels = [classes.index(clip.columns["label"]) for clip in tested]
        clips = LabelledLevels(levels, labels, [clip.columns.get("src_file", clip.name) for clip in tested])
        begin = time.process_time()
        found = measure_sensitivity(of_module(model), clips, pipeline.normalizer, draws=given.draws)
        print(f"\n{name}: measured in {time.process_time() - begin:.0f} s of processor time")
        print("\n".join(sensitivity_sentences(found)))
        for row in rows(found):
            print(f"| {' | '.join(row)} |")
        save_sensitivity_page(found, f"the deployment story's model ({name})", given.output / f"{name}.html")


def _level(wave: np.ndarray) -> np.ndarray:
    return story.FRONT_END.clip_level(np.resize(wave, round(story.SECONDS * story.RATE)))


if __name__ == "__main__":
    main()
