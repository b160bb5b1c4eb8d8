"""Guards of an update: reasons against taking statistics from a deployment's clips."""

from __future__ import annotations

from spectronorm.counted import counted
from spectronorm.monitor.change.advice import Remedy, helps
from spectronorm.monitor.change.kind import Kind
from spectronorm.monitor.mending.new_audio import MIN_CLIPS, NewAudio

MIN_UNKNOWN = 2 * MIN_CLIPS
"""Fewest clips for an update behind an unknown change, which may be one of content.

Without it 23 % of sets of 16 clips of one class of ten pass, and with it 10 %; of sets of 32 clips none
(`benchmarks/refusals.py`).
"""


def objections_to(new: NewAudio, remedy: Remedy, *, clips: int | None = None) -> list[str]:
    """Reasons against an update from this audio: too few clips, clips that are too alike, or no measured benefit."""
    kind, variety = new.diagnosis.kind, new.variety
    found = too_few(new.measurement.clips if clips is None else clips, kind)
    # A change without a name may be one of content, which costs more than an update gains elsewhere.
    least, share = (
        (variety.quartile, "three of four") if kind is Kind.UNKNOWN else (variety.limit, "nineteen of twenty")
    )
    # Noise raises quiet levels and makes any clips alike, so it is reported as noise.
    if variety.value < least and kind is not Kind.NOISE:
        found.append(
            f"The clips are too alike (diversity {variety.value:.2f}; {share} sets of as many training clips have at "
            f"least {least:.2f}): statistics of one or two kinds of sound ruin the others."
        )
    if not helps(kind, remedy):
        found.append(f"{new.diagnosis}")
    return found


def too_few(clips: int, kind: Kind | None = None) -> list[str]:
    """The objection to an update from too few clips, if they are; `kind` is the diagnosis, if there is one."""
    least, behind = (MIN_UNKNOWN, " behind an unknown change") if kind is Kind.UNKNOWN else (MIN_CLIPS, "")
    if clips >= least:
        return []
    return [f"{counted(clips, 'clip is', 'clips are')} too few: at least {least} of mixed content are needed{behind}."]
