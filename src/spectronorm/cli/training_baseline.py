"""Baseline of the clips that a profile was measured on, as its updates have moved it: for `watch` and `update`."""

from __future__ import annotations

from pathlib import Path

from spectronorm.audio import Source
from spectronorm.cli.run import progress_bar
from spectronorm.monitor import Baseline, lineage, moved_baseline
from spectronorm.profile import Profile


def training_baseline(training: str | Source, path: Path, profile: Profile, max_bad: float) -> Baseline:
    """Return the baseline of training clips, moved as the updates moved the profile.

    Args:
        training: The clips that the first profile was measured on.
        path: File of the profile, which holds the record of its updates.
        profile: The profile in this file.
        max_bad: Largest share of the clips that may be unreadable.
    """
    with progress_bar("calibrating") as progress:
        baseline = Baseline.of_clips(training, profile, max_bad=max_bad, progress=progress)
    for record in lineage(path):
        baseline = moved_baseline(baseline, record)
    return baseline
