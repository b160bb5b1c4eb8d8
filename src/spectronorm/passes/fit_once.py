"""Measurement of what can be gone through only once: some clips at a time, whose profiles add up exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from pathlib import Path

from spectronorm.audio import sources_of_values
from spectronorm.errors import ArgumentError, SourceError
from spectronorm.front_end import AnyFrontEnd, FrontEnd
from spectronorm.passes.one_pass import require_few_bad, require_share
from spectronorm.passes.outputs import require_file
from spectronorm.profile import Profile
from spectronorm.runs.lock import output_lock
from spectronorm.runs.progress import Progress, silent
from spectronorm.storage.content import Content
from spectronorm.storage.replacement import overwriting, require_replaceable


def fit_once(
    values: Iterable[object],
    front_end: AnyFrontEnd,
    fit: Callable[..., Profile],
    max_bad: float | None,
    progress: Progress | None,
    output: str | Path | None,
    *,
    overwrite: bool,
) -> Profile:
    """Measure the sounds of an iterable, with the result that a source of all of them would give.

    Args:
        values: The sounds, as `open_source` takes them.
        front_end: The front end.
        fit: Function that measures a source of some of them, whatever share is bad.
        max_bad: Largest accepted share of bad clips; at least one must be good.
        progress: Called with the number of clips done, which is also the total that is known.
        output: Save the profile here.
        overwrite: Replace a file that is not ours.

    Raises:
        SourceError: if there is no sound.
        TooManyBad: if the share of bad clips exceeds `max_bad`, or if all are bad.
    """
    require_share(max_bad)
    if not isinstance(front_end, FrontEnd):
        raise ArgumentError("an iterable gives sounds, but the front end describes levels; measure those with Meter")
    told = progress or silent
    whole, done = None, 0
    path = None if output is None else Path(output)
    with overwriting(overwrite), nullcontext() if path is None else output_lock(path):
        if path is not None:
            require_file(path, "a profile")
            require_replaceable(path, Content.CONTAINER)
        for source in sources_of_values(values):
            part = fit(source, front_end)
            whole = part if whole is None else whole + part
            done += len(source)
            told(done, done)
        if whole is None:
            raise SourceError("the iterable gives no sound; give at least one")
        require_few_bad(whole.bad, done, max_bad)
        if path is not None:
            whole.save(path)
    return whole
