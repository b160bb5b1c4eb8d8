"""Oddities that a clip shows by itself."""

from __future__ import annotations

import math
from collections.abc import Iterator

from spectronorm.cleaning.facts import SoundFacts
from spectronorm.cleaning.limits import InspectionLimits
from spectronorm.cleaning.oddity import FoundOddity, Oddity
from spectronorm.errors import BadAudioReason

_FEWEST_CLIPPED = 6
"""Two flat tops: one may be an accident."""
_CHANNELS = {
    BadAudioReason.CHANNELS_CANCEL: (Oddity.CHANNELS_CANCEL, "the mean of its channels is 20 dB quieter than they are"),
    BadAudioReason.DEAD_CHANNEL: (Oddity.DEAD_CHANNEL, "a channel is silent beside others"),
}


def oddities_of_clip(name: str, facts: SoundFacts, limits: InspectionLimits) -> Iterator[FoundOddity]:
    """Yield the oddities of a clip that no other clip is needed for."""
    if facts.flat:
        if facts.high:
            yield FoundOddity(name, Oddity.CONSTANT, f"all its samples are {facts.high:.6g}")
        else:
            yield FoundOddity(name, Oddity.SILENT, "all its samples are zero")
        return
    for fault in facts.channel_faults:
        kind, detail = _CHANNELS[fault]
        yield FoundOddity(name, kind, detail)
    share = facts.clipped / (facts.samples * facts.channels)
    if facts.clipped >= _FEWEST_CLIPPED and share >= limits.clipped_share:
        detail = f"{100 * share:.3g} % of its samples are flat tops at {facts.low:.3g} or {facts.high:.3g}"
        yield FoundOddity(name, Oddity.CLIPPED, detail, share)
    loudest = decibels(facts.loudest)
    if loudest < limits.quiet_dbfs and BadAudioReason.CHANNELS_CANCEL not in facts.channel_faults:
        detail = f"its loudest tenth of a second has {loudest:.1f} dBFS"
        yield FoundOddity(name, Oddity.NEARLY_SILENT, detail, limits.quiet_dbfs - loudest)
    if facts.bits <= limits.bit_depth:
        detail = f"only {facts.bits} bits of its samples are used"
        yield FoundOddity(name, Oddity.LOW_BIT_DEPTH, detail, float(limits.bit_depth - facts.bits))
    nyquist = facts.sample_rate / 2
    if facts.band_limit is not None and facts.band_limit < limits.bandwidth * nyquist:
        detail = f"nothing above {facts.band_limit:.0f} Hz in a file of {facts.sample_rate} Hz"
        yield FoundOddity(name, Oddity.UPSAMPLED, detail, 1 - facts.band_limit / nyquist)
    if abs(facts.dc_offset) > limits.dc_offset:
        detail = f"its mean is {facts.dc_offset:+.4f} of full scale"
        yield FoundOddity(name, Oddity.DC_OFFSET, detail, abs(facts.dc_offset))


def decibels(value: float) -> float:
    """Return an amplitude in dB of full scale; -200 for none."""
    return 20.0 * math.log10(max(value, 1e-10))
