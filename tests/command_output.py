"""The messages of a command, whatever time it took."""

from __future__ import annotations

import re

_PROGRESS = re.compile(r"[^:\n]+: [\d,]+ of [\d,]+(, about [\d,]+ s left)?")


def messages(stderr: str) -> list[str]:
    """Return the lines of stderr, less the lines of progress that appear where the work takes longer than a second."""
    return [line for line in stderr.strip().splitlines() if not _PROGRESS.fullmatch(line)]
