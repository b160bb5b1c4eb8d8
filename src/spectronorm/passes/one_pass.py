"""One pass over a source: guarding, resuming, counting, progress and release, shared by all tasks."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from spectronorm.audio import Source, release
from spectronorm.counted import counted
from spectronorm.engines import AutoEngine, Engine
from spectronorm.engines.engine import Item
from spectronorm.errors import ArgumentError, TooManyBad
from spectronorm.profile import BadFile
from spectronorm.runs.journal import Journal, keep_journal
from spectronorm.runs.lock import output_lock
from spectronorm.runs.progress import Progress, silent
from spectronorm.runs.resume import Guarded, mapped, resumable_map
from spectronorm.storage.atomic import remove_unfinished
from spectronorm.storage.content import Content
from spectronorm.storage.replacement import is_stream, overwriting, protecting, require_replaceable

MAX_BAD = 0.01
"""Default for the largest accepted share of bad files."""


class Counted(Protocol):
    """Result of one item of a pass."""

    @property
    def clips(self) -> int:
        """Number of clips, bad ones included."""
        ...

    @property
    def bad(self) -> Sequence[BadFile]:
        """The bad files."""
        ...


class OneClip:
    """Result of a single clip."""

    @property
    def clips(self) -> int:
        """Return one."""
        return 1


_Result = TypeVar("_Result", bound=Counted)


class PassResults(Generic[_Result]):
    """The results of a pass in the order in which they get done, each once; the bad files are counted on the way."""

    def __init__(self, results: Iterator[_Result], total: int, max_bad: float | None, progress: Progress) -> None:
        """PassResults of `total` clips."""
        self._results, self._total, self._max_bad, self._progress = results, total, max_bad, progress
        self._bad: list[BadFile] = []

    def __iter__(self) -> Iterator[_Result]:
        done = 0
        for result in self._results:
            self._bad.extend(result.bad)
            done += result.clips
            self._progress(done, self._total)
            yield result

    @property
    def bad(self) -> tuple[BadFile, ...]:
        """The bad files so far, sorted by name."""
        return tuple(sorted(self._bad))

    def require_good(self) -> None:
        """Raise `TooManyBad`, with the reasons counted and the first files named, if the limit is passed."""
        require_few_bad(self.bad, self._total, self._max_bad)


def require_few_bad(bad: Sequence[BadFile], total: int, limit: float | None) -> None:
    """Raise `TooManyBad`, with the reasons counted and the first files named, if the limit is passed."""
    if limit is None or (len(bad) <= limit * total and len(bad) < total):
        return
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(Tally(b.reason.value for b in bad).items()))
    first = "\n".join(f"  {one}" for one in bad[:5])
    raise TooManyBad(
        f"{len(bad)} of {counted(total, 'file')} {'is' if len(bad) == 1 else 'are'} bad ({reasons}), "
        f"more than max_bad={limit:g} allows"
        f"{' (at least one must be good)' if len(bad) == total else ''}; repair or remove them, or allow more:\n"
        f"{first}"
    )


@dataclass(frozen=True)
class Output:
    """The file or folder that a pass writes, locked against other runs.

    Attributes:
        path: The file or folder.
        files: Every file that is written and the kind of its content, checked before the work begins; files added later
            are checked then.
        identity: Plain JSON values of everything, except the input files, that determines the output's bytes: with an
            identity, a journal next to the output lets an interrupted run resume. None for a pass that finds finished
            work in the output itself.
        by_workers: Workers write into the output, so they must be able to see it.
        overwrite: Let the pass replace foreign files; inputs are never replaced.
    """

    path: Path
    files: Iterable[tuple[Path, Content]]
    identity: Mapping[str, Any] | None = None
    by_workers: bool = True
    overwrite: bool = False


@contextmanager
def one_pass(
    source: Source,
    task: Callable[[Item], _Result],
    items: Sequence[Item],
    *,
    output: Output | None = None,
    max_bad: float | None = MAX_BAD,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> Iterator[PassResults[_Result]]:
    """Run a task on the items of a source, and hold the output's lock until everything is written.

    At the end of the context, the pass fails if too many files were bad; a pass that must know before it writes calls
    `require_good` itself.

    Args:
        source: The clips that are read.
        task: The work on one item; for an output with an identity, a `ResumableTask`.
        items: Clips, or items made of clips.
        output: The file or folder that is written.
        max_bad: Largest accepted share of bad clips; at least one clip must be good. None accepts any number.
        engine: Engine that runs the work; by default threads on all cores, and processes for large sources.
        progress: Called with the number of clips done and the total number of clips.

    Raises:
        ArgumentError: if `max_bad` is not a share.
        TooManyBad: if the share of bad clips exceeds `max_bad`, or if all clips are bad.
        OutputBusy: if another run is writing the output.
    """
    require_share(max_bad)
    engine = AutoEngine() if engine is None else engine
    with ExitStack() as stack:
        stack.callback(release)
        journal = None
        if output is not None:
            stack.enter_context(protecting(inputs_of(source)))
            journal = stack.enter_context(_held(output))
        guarded = Guarded(task, source, output.path if output is not None and output.by_workers else None)
        found = mapped(engine, guarded, items) if journal is None else resumable_map(engine, guarded, items, journal)
        results = PassResults(stack.enter_context(closing(found)), len(source), max_bad, progress or silent)
        yield results
        results.require_good()


def inputs_of(source: Source) -> Iterator[str | Path]:
    """Yield the files that a source is read from: its listing, archives, and clips."""
    yield from source.listing
    for clip in source:
        if clip.part is None or clip.part.held is None:
            yield clip.location if clip.part is None else clip.part.place


def require_share(max_bad: float | None) -> None:
    """Raise `ArgumentError` unless `max_bad` is a share."""
    if max_bad is not None and not 0 <= max_bad <= 1:
        raise ArgumentError(f"max_bad={max_bad} must lie in 0 … 1 (1% is 0.01)")


@contextmanager
def _held(output: Output) -> Iterator[Journal | None]:
    """Check the output, take its lock, and yield its journal, if there is one."""
    with overwriting(output.overwrite):
        for path, content in output.files:
            require_replaceable(path, content)
        with _locked(output) as journal:
            yield journal


@contextmanager
def _locked(output: Output) -> Iterator[Journal | None]:
    if is_stream(output.path):
        yield None
        return
    if output.identity is not None:
        with keep_journal(output.path, output.identity) as journal:
            yield journal
        return
    with output_lock(output.path):
        remove_unfinished(output.path)
        yield None
        remove_unfinished(output.path)  # A worker may have died while writing.
