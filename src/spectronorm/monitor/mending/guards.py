"""Guards of an update: reasons against taking statistics from a deployment's clips."""

from __future__ import annotations

from spectronorm.counted import counted
from spectronorm.monitor.change.advice import Remedy, helps
from spectronorm.monitor.change.kind import Kind
from spectronorm.monitor.mending.new_audio import MIN_CLIPS, NewAudio


def objections_to(new: NewAudio, remedy: Remedy, *, clips: int | None = None) -> list[str]:
    """Reasons against an update from this audio: too few clips, clips that are too alike, or no measured benefit."""
    found = too_few(new.measurement.clips if clips is None else clips)
    # Noise raises quiet levels and makes any clips alike, so it is reported as noise.
    if not new.variety.enough and new.diagnosis.kind is not Kind.NOISE:
        found.append(
            f"The clips are too alike (diversity {new.variety.value:.2f}, as many training clips have at least "
            f"{new.variety.limit:.2f}): statistics of one or two kinds of sound ruin the others."
        )
    if not helps(new.diagnosis.kind, remedy):
        found.append(f"{new.diagnosis}")
    return found


def too_few(clips: int) -> list[str]:
    """The objection to an update from too few clips, if they are."""
    if clips >= MIN_CLIPS:
        return []
    return [f"{counted(clips, 'clip is', 'clips are')} too few: at least {MIN_CLIPS} of mixed content are needed."]
