"""Advice for each kind of change: the remedy at its source, and the updates by their measured benefit."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from spectronorm.monitor.change.kind import Kind
from spectronorm.monitor.change.measured_benefit import MEASURED, Benefit


class Remedy(StrEnum):
    """The updates from unlabelled audio."""

    MEAN = "mean"
    MEAN_AND_STD = "mean+std"
    BATCH_NORM = "batch norm"


WORTHWHILE = 1.0
"""Smallest mean gain, in points of accuracy, for which an update is advised, and largest cost of it for any change of
the kind."""

_NAMES = {
    Remedy.MEAN: "updating the means (spectronorm update)",
    Remedy.MEAN_AND_STD: "updating means and stds (--statistics mean+std)",
    Remedy.BATCH_NORM: "adapting the model's batch normalization (spectronorm.nn.adapt_batchnorm)",
}
_AT_THE_SOURCE = {
    Kind.NOTHING: "Update nothing without an alarm.",
    Kind.LEVEL: "Set the gain back, or standardize waveforms.",
    Kind.EQUALIZATION: "Check the microphone and its placement.",
    Kind.NOISE: "Remove the noise at its source, or train with noise or PCEN.",
    Kind.BAND_LIMIT: "Check the codec, the sample rate and the microphone, or train on band-limited audio.",
    Kind.SILENCE: "Check the device: the microphone is dead, muted or not connected. Do not update.",
    Kind.CLIPPING: "Turn the gain down before the converter: what is clipped cannot be restored.",
    Kind.HUM: "Check grounding and power supplies, or cut the mains' frequencies out of every clip, in training too.",
    Kind.DYNAMICS: "Turn off automatic gain, gates and noise suppression in the device, or train with them.",
    Kind.REVERBERATION: "Move the microphone closer or damp the room, or train with reverberation.",
    Kind.SPEED: "Check the sample rate that the device reports: clips are played at a wrong one.",
    Kind.UNKNOWN: (
        "Listen, label some clips and measure the model. The following gains are means over all measured changes."
    ),
    Kind.CONTENT: (
        "Listen: the sounds themselves are others than in training, so label some and measure the model. Do not "
        "update from this audio alone."
    ),
}


def gains(kind: Kind) -> Mapping[Remedy, Benefit] | None:
    """Return the measured gain of each update for a kind of change; None if an update makes no sense there.

    The gains are means over the changes, models, folds and seeds of `benchmarks/update_benefit.py`.
    """
    found = MEASURED.get(kind.value)
    return None if found is None else dict(zip(Remedy, found, strict=True))


def helps(kind: Kind, remedy: Remedy) -> bool:
    """True if the update gained at least `WORTHWHILE` points on average, surely, and cost no more behind any change.

    Surely: the 95 % interval of the mean gain is above zero.
    """
    found = gains(kind)
    if found is None:
        return False
    gain = found[remedy]
    return gain.points >= WORTHWHILE and gain.low > 0.0 and gain.worst >= -WORTHWHILE


def advised(kind: Kind) -> tuple[Remedy, ...]:
    """Return the updates that gained enough where they were measured, the most beneficial first."""
    found = gains(kind)
    return () if found is None else tuple(sorted((r for r in Remedy if helps(kind, r)), key=lambda r: -found[r].points))


def advice_for(kind: Kind, *also: Kind) -> str:
    """Return what to do: first at the source, then the updates, the most beneficial first.

    Args:
        kind: The kind of change that explains most; its updates are told.
        also: Kinds that changed at the same time; what to do at the source is told of them.
    """
    found = gains(kind)
    parts = [_AT_THE_SOURCE[kind], *(_AT_THE_SOURCE[other] for other in also)]
    if found is not None and kind is not Kind.NOTHING:
        helpful = advised(kind)
        others = [r for r in Remedy if r not in helpful]
        if helpful:
            parts.append(f"Measured on four models: {'; '.join(f'{_NAMES[r]} {_of(found[r])}' for r in helpful)}.")
        else:
            parts.append("In the measurements no update of statistics gained a point with certainty.")
        if others:
            parts.append(f"Avoid {'; '.join(f'{_NAMES[r]}, {_of(found[r])}' for r in others)}.")
    return " ".join(parts)


def _of(gain: Benefit) -> str:
    points, low, high, worst = (f"{round(x):+d}" for x in (gain.points, gain.low, gain.high, gain.worst))
    return f"{points} points ({low} to {high}; {worst} under the worst change)"
