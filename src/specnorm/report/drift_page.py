"""One self-contained HTML page about drift (extra `report`): opens offline, asks for nothing from outside."""

from __future__ import annotations

import base64
from pathlib import Path

from specnorm.errors import MissingExtra
from specnorm.files import write_text
from specnorm.monitor import Monitor
from specnorm.report.drift_figures import band_history, two_distributions

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
  table { border-collapse: collapse; display: block; overflow-x: auto; }
  td, th { padding: .25rem .75rem; border-bottom: 1px solid #ddd; text-align: right; white-space: nowrap; }
  td:first-child, th:first-child { text-align: left; }
  img { max-width: 100%; height: auto; }
  .verdict { padding: .75rem 1rem; border-left: .4rem solid {{ "#c0392b" if verdict.alarm else "#2e8b57" }};
    background: #f7f7f7; }
</style>
</head>
<body>
<h1>{{ title }}</h1>
<p class="verdict"><strong>{{ "Alarm" if verdict.alarm else "No alarm" }}.</strong>
{{ diagnosis.kind }}{{ "" if diagnosis.firm else " (provisional)" }}: {{ diagnosis.because }} {{ diagnosis.advice }}</p>
<p>{{ "{:,}".format(verdict.clip) }} clips so far, {{ bad }} could not be used, {{ alarms }} alarms. Statistic
{{ "%.2f" % verdict.statistic }} ({{ verdict.feature }}), threshold {{ "%.2f" % verdict.threshold }} for
{{ "%.3g" % per_clip }} false alarms a clip, calibrated on {{ "training clips" if measured else "the profile alone" }}.
The window holds {{ drift.clips }} clips.</p>
<h2>Bands over time</h2>
<img src="data:image/png;base64,{{ history }}" alt="Shift of each band's mean over time">
<h2>Training and now</h2>
<img src="data:image/png;base64,{{ distributions }}" alt="Levels in training and now">
<h2>Figures</h2>
<table>
<tr><th>figure</th><th>value</th></tr>
<tr><td>clips' RMS (dB)</td><td>{{ "%+.2f" % drift.rms_shift }}</td></tr>
<tr><td>clips' peak (dB)</td><td>{{ "%+.2f" % drift.peak_shift }}</td></tr>
{% for name, value in drift.global.items() %}<tr><td>{{ name.replace("_", " ") }}, all bands</td>
<td>{{ "unknown" if value is none else "%.4f" % value }}</td></tr>
{% endfor %}</table>
<h2>Bands</h2>
<table><tr><th>band</th><th>Hz</th>{% for name in drift.band %}<th>{{ name.replace("_", " ") }}</th>{% endfor %}</tr>
{% for hz in hz_of %}{% set row = loop.index0 %}<tr><td>{{ row }}</td><td>{{ "%.0f" % hz }}</td>
{% for values in drift.band.values() %}<td>{{ "unknown" if values[row] is none else "%.3f" % values[row] }}</td>
{% endfor %}</tr>
{% endfor %}</table>
</body>
</html>
"""


def save_drift_page(path: Path, title: str, monitor: Monitor) -> None:
    """Write what a monitor sees now.

    Raises:
        MissingExtra: without Jinja2 or matplotlib.
        ArgumentError: when no clip has come yet.
    """
    try:
        import jinja2
    except (ImportError, OSError):
        raise MissingExtra("Writing a report page", "report") from None
    report = monitor.report()
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    text = environment.from_string(_PAGE).render(
        title=title,
        verdict=report.verdict,
        diagnosis=report.diagnosis.to_dict(),
        drift=report.drift.to_dict(),
        alarms=report.alarms,
        bad=report.bad,
        per_clip=monitor.false_alarms.per_clip,
        measured=monitor.baseline.measured,
        hz_of=monitor.profile.front_end.band_hz().tolist(),
        history=base64.b64encode(band_history(monitor)).decode(),
        distributions=base64.b64encode(two_distributions(monitor)).decode(),
    )
    write_text(path, text)
