"""Statement of what an answer rests on: blocks, clips, recordings, and the families of Holm's correction."""

from __future__ import annotations

from collections.abc import Sequence

from spectronorm.counted import counted
from spectronorm.experiment.clips.folds import LabelledClips
from spectronorm.experiment.design import Block


def basis(blocks: Sequence[Block], clips: LabelledClips, pairs: int, on_deployments: int) -> tuple[str, ...]:
    """State what the answer rests on.

    Args:
        blocks: The complete blocks.
        clips: The clips of the run.
        pairs: Number of pairs of arms.
        on_deployments: Number of comparisons on simulated deployments.
    """
    folds, seeds = {block.fold for block in blocks}, {block.seed for block in blocks}
    tested = [i for fold in folds for i in clips.test_clips(fold).tolist()]
    groups = len({clips.groups[i] for i in tested})
    design = f"{counted(len(folds), 'fold')} × {counted(len(seeds), 'seed')}"
    units = counted(groups, "recording or speaker", "recordings or speakers")
    tests = counted(len(tested), "tested clip")
    said = [f"The answer rests on {counted(len(blocks), 'block')} ({design}): {tests} of {units}."]
    if len(folds) < len(clips.held_out):
        verb = "was" if len(folds) == 1 else "were"
        said.append(f"Only {len(folds)} of {counted(len(clips.held_out), 'fold')} {verb} tested.")
    if len(folds) == 1:
        said.append("With one fold the answer holds for this one training set only.")
    family = f"Holm's correction covers {counted(pairs, 'pair')} of arms"
    more = f", and by itself {counted(on_deployments, 'comparison')} on deployments" if on_deployments else ""
    said.append(f"{family}{more}; log-losses are corrected by themselves, and no sentence rests on them.")
    return tuple(said)
