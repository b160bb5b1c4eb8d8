"""Shape that a file claims for its array, checked before an array is made of it."""

from __future__ import annotations

from collections.abc import Sequence

from spectronorm.errors import AudioError, BadAudioReason

MOST_AXES = 8
MOST_LENGTH = 1 << 40


def require_shape(shape: Sequence[int]) -> None:
    """Check a claimed shape: NumPy cannot hold every one, even of an array without values.

    Raises:
        AudioError: if it has too many axes, or an axis with a negative or absurd length.
    """
    if len(shape) > MOST_AXES:
        raise AudioError(BadAudioReason.SHAPE, f"its header claims {len(shape)} axes, more than {MOST_AXES}")
    if not all(0 <= length <= MOST_LENGTH for length in shape):
        raise AudioError(BadAudioReason.SHAPE, f"its header claims the shape {tuple(shape)}"[:300])
