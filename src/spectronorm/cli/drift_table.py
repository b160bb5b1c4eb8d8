"""Table of drift figures, printed by `watch` and `update`."""

from __future__ import annotations

import math

from rich.box import SIMPLE_HEAD
from rich.table import Table

from spectronorm.counted import counted, frequency
from spectronorm.front_end import AnyFrontEnd
from spectronorm.monitor import Report

_FIGURES = {
    "mean_shift": "mean/σ",
    "mean_shift_se": "±",
    "std_ratio": "std",
    "psi": "PSI",
    "wasserstein": "W1",
    "jensen_shannon": "JS",
    "floor_change": "floor",
}
_MOST_ROWS = 16
UNKNOWN = "–"
"""Cell of a figure that a single clip leaves unknown."""


def drift_table(report: Report, front_end: AnyFrontEnd) -> Table:
    """Build a table of the pooled figures and the figures of at most sixteen bands."""
    verdict, drift = report.verdict, report.drift
    said = f"statistic {verdict.statistic:.2f} of {verdict.threshold:.2f} ({verdict.feature})"
    word = "ALARM" if verdict.alarm else "no alarm"
    clips = f"{counted(verdict.clip, 'clip', spec=',')}, {drift.clips} in the window"
    title = (
        f"{word}: {said if verdict.statistic else 'too few clips for one'}\n{clips}; "
        f"RMS {drift.rms_shift:+z.1f} dB, peak {drift.peak_shift:+z.1f} dB"
    )
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1))
    for heading in ("band", "Hz", *_FIGURES.values()):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_row("all", "", *(_cell(name, float(getattr(drift.pooled, name)[0])) for name in _FIGURES))
    hz = front_end.band_hz()
    for band in range(0, front_end.n_bands, -(-front_end.n_bands // _MOST_ROWS)):
        figures = (_cell(name, float(getattr(drift.band, name)[band])) for name in _FIGURES)
        table.add_row(str(band), frequency(hz[band]), *figures)
    return table


def one_line(report: Report) -> str:
    """Return the diagnosis, with the number of clips that could not be used."""
    bad = f" {counted(report.bad, 'clip')} could not be used." if report.bad else ""
    return f"{report.diagnosis}{bad}"


def _cell(name: str, value: float) -> str:
    if name == "floor_change":
        return f"{value:+.1%}"
    if not math.isfinite(value):
        return UNKNOWN
    return f"{value:+.2f}" if name == "mean_shift" else f"{value:.2f}"
