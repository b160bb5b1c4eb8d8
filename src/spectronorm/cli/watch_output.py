"""Output of `spectronorm watch`: JSON lines, a live table, a line for each alarm, and the page."""

from __future__ import annotations

import json as json_text
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.live import Live

from spectronorm.audio import Source
from spectronorm.cli.drift_table import drift_table, one_line
from spectronorm.cli.terminal import console, say, warn
from spectronorm.monitor import Diagnosis, Event, Monitor, Verdict
from spectronorm.monitor.feed.prometheus import Exporter
from spectronorm.printable import printable
from spectronorm.profile import BadFile
from spectronorm.report.drift_page import save_drift_page
from spectronorm.report.heard_clips import WatchedClips, heard_training_clips

TITLE = "spectronorm watch: drift"


class Page:
    """The page of a watch, with the sounds that it plays."""

    def __init__(self, path: Path, monitor: Monitor, training: Source | None) -> None:
        self.path, self._monitor, self.watched = path, monitor, WatchedClips(monitor)
        self._training = [] if training is None else heard_training_clips(training, monitor.profile)

    def save(self) -> None:
        """Write the page again."""
        save_drift_page(self.path, TITLE, self._monitor, self.watched, self._training)


class _Teller:
    """Reports events: JSON lines, a live table, or a line for each alarm and each change of its diagnosis.

    The page is rewritten at each alarm or change, so that it can be read while the watch continues.
    """

    def __init__(
        self, monitor: Monitor, exporter: Exporter | None, live: Live | None, page: Page | None, *, json: bool
    ) -> None:
        self._monitor, self._exporter, self._live, self._page, self._json = monitor, exporter, live, page, json
        self._told: tuple[str, bool] | None = None

    def __call__(self, event: Event | None) -> None:
        if event is None:
            return
        if self._page is not None:
            self._page.watched.take(event)
        news = self._news(event)
        if self._json:
            line = event.to_dict() if news is None else {**event.to_dict(), "diagnosis": news.to_dict()}
            typer.echo(json_text.dumps(line, allow_nan=False))
            sys.stdout.flush()
        elif event.problem is not None:
            warn(f"left out {BadFile.of(event.name, event.problem)}")
        elif news is not None:
            what = "ALARM" if event.verdict is not None and event.verdict.onset else "still alarmed"
            where = console(stderr=True) if self._live is None else self._live.console
            where.print(printable(f"{what} at {event.name}: {news}"), style="red", soft_wrap=True)
        if news is not None and self._page is not None:
            self._page.save()
        if event.verdict is not None and self._due(event.verdict):
            if self._exporter is not None:
                self._exporter.update(self._monitor.report())
            if self._live is not None:
                self._live.update(drift_table(self._monitor.report(), self._monitor.profile.front_end))

    def _due(self, verdict: Verdict) -> bool:
        """True once in each pane, since figures cost far more than a clip."""
        return verdict.onset or self._monitor.clips % self._monitor.window.pane_clips == 0

    def _news(self, event: Event) -> Diagnosis | None:
        """Return the diagnosis when an alarm begins, and when it becomes firm or changes."""
        verdict = event.verdict
        if verdict is None or not (verdict.alarm and self._due(verdict)):
            self._told = None if verdict is not None and not verdict.alarm else self._told
            return None
        found = self._monitor.diagnosis()
        if self._told == (found.kind.value, found.firm) and not verdict.onset:
            return None
        self._told = (found.kind.value, found.firm)
        return found


@contextmanager
def telling(monitor: Monitor, exporter: Exporter | None, page: Page | None, *, json: bool) -> Iterator[_Teller]:
    """Give a reporter of events: with a live table on a terminal, with lines elsewhere."""
    if json or not sys.stdout.isatty():
        yield _Teller(monitor, exporter, None, page, json=json)
        return
    with Live("waiting for clips", console=console(), refresh_per_second=4, transient=True) as live:
        yield _Teller(monitor, exporter, live, page, json=False)


def finish(monitor: Monitor, page: Page | None, *, json: bool) -> None:
    """Print the report at the end of a watch, and write its page."""
    found = monitor.report()
    if page is not None:
        page.save()
    if json:
        typer.echo(json_text.dumps({"report": found.to_dict()}, allow_nan=False))
        return
    console().print(drift_table(found, monitor.profile.front_end))
    say(one_line(found))
    if page is not None:
        say(f"written: {page.path}")
