"""One pass over a source: guarding, resuming, counting, progress and release, shared by all tasks."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Sequence

from spectronorm.counted import counted
from spectronorm.errors import TooManyBad
from spectronorm.profile import BadFile

MAX_BAD = 0.01

"""Default for the largest accepted share of bad files."""

Progress = Callable[[int, int], None]

"""Called with the number of clips done and the total number of clips."""


def check_bad(bad: Sequence[BadFile], total: int, max_bad: float) -> None:
    """Check that the share of bad files is accepted.

    Raises:
        TooManyBad: if it is not, with the reasons counted and the first files named.
    """
    if len(bad) <= max_bad * total and len(bad) < total:
        return
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(Tally(b.reason.value for b in bad).items()))
    first = "\n".join(f"  {b.path}: {b.reason.value}: {b.detail}" for b in sorted(bad)[:5])
    raise TooManyBad(
        f"{len(bad)} of {counted(total, 'file')} {'is' if len(bad) == 1 else 'are'} bad ({reasons}), "
        f"more than max_bad={max_bad:g} allows"
        f"{' (at least one must be good)' if len(bad) == total else ''}; repair or remove them, or allow more:\n{first}"
    )
