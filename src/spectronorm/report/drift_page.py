"""Self-contained HTML page about drift (extra `report`): opens offline and loads nothing from outside."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from spectronorm.counted import frequency
from spectronorm.front_end import FrontEnd
from spectronorm.monitor import Monitor
from spectronorm.monitor.clips.features import meaning_of
from spectronorm.report.drift_figures import band_history, drift_by_band, two_distributions
from spectronorm.report.heard_clips import HeardClip, WatchedClips
from spectronorm.report.html import embedded, page_template
from spectronorm.storage.atomic import write_text
from spectronorm.storage.content import Content

_PAGE = """<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 54rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
  h1 { line-height: 1.2; }
  table { border-collapse: collapse; display: block; overflow-x: auto; font-variant-numeric: tabular-nums; }
  td, th { padding: .2rem .6rem; border-bottom: 1px solid #ddd; text-align: right; white-space: nowrap; }
  td:first-child, th:first-child { text-align: left; white-space: normal; }
  .verdict { padding: .75rem 1rem; border-left: .4rem solid {{ "#c0392b" if verdict.alarm else "#2e8b57" }};
    background: #f7f7f7; }
  summary { cursor: pointer; margin: 1rem 0; }
</style>
</head>
<body>
{% macro player(clip) %}<figure>
<img alt="Spectrum over time of {{ clip.name }}" src="data:image/png;base64,{{ clip.picture }}">
<audio controls preload="none" aria-label="{{ clip.name }}" src="data:audio/flac;base64,{{ clip.sound }}"></audio>
<figcaption>{{ clip.name }}{% if clip.distance is not none %}, distance {{ "%.1f" % clip.distance }}{% endif %}
</figcaption></figure>{% endmacro %}
{% macro figure(spec, value) %}{{ (spec % value)|replace("-", "−") }}{% endmacro %}
<h1>{{ title }}</h1>
<p class="verdict"><strong>{{ "Alarm: " + diagnosis.kind if verdict.alarm else "No alarm" }}.</strong>
{{ diagnosis.because }} {{ diagnosis.advice }}
{%- if verdict.alarm and not diagnosis.firm %} <em>Provisional: only {{ diagnosis.clips }} clips so far.</em>
{%- endif %}</p>
<p>{{ "{:,}".format(verdict.clip) }} {{ "clip" if verdict.clip == 1 else "clips" }} so far,
{{ drift.clips }} of them in the window; {{ bad }} could not be used;
{{ alarms }} {{ "alarm" if alarms == 1 else "alarms" }}. The statistic is {{ "%.2f" % verdict.statistic }}
({{ verdict.feature }}{% if meaning and verdict.alarm %}: {{ meaning }}{% endif %}); an alarm begins at the threshold of
{{ "%.2f" % verdict.threshold }}, which was calibrated on
{{ "training clips" if measured else "the profile alone" }} for one false alarm in
{{ "{:,.0f}".format(1 / per_clip) }} clips.</p>
<h2>Bands over time</h2>
<div class="figure"><img src="data:image/png;base64,{{ history }}" alt="Shift of each band's mean over time"></div>
<h2>Training and now</h2>
<div class="figure"><img src="data:image/png;base64,{{ distributions }}" alt="Levels in training and now"></div>
{% if watched %}<h2>Listen</h2>
<p>Players hold two seconds around the loudest moment of a clip, at its own level: mind the volume. Pictures show
the first ten seconds, 0 Hz at the bottom, {{ "{:,}".format(sample_rate // 2) }} Hz at the top; black is −10 dB of
full scale.</p>
<h3>Least like the training clips, of the newest {{ newest }}</h3>
<p>The distance of a clip is the root mean square of its features, each in standard deviations of the training clips:
about 1 for an ordinary training clip.</p>
<div class="clips">{% for clip in watched %}{{ player(clip) }}{% endfor %}</div>
{% if training %}<h3>From the training set</h3>
<div class="clips">{% for clip in training %}{{ player(clip) }}{% endfor %}</div>{% endif %}
{% endif %}<h2>Figures</h2>
<table>
<tr><th>all bands</th><th>value</th></tr>
{% for name, value in drift.global.items() %}<tr><td>{{ names[name] }}</td>
<td>{{ "unknown" if value is none else figure("%.3f", value) }}</td></tr>
{% endfor %}<tr><td>change of the clips' RMS as recorded (dB)</td><td>{{ figure("%+.2f", drift.rms_shift) }}</td></tr>
<tr><td>change of the clips' peak as recorded (dB)</td><td>{{ figure("%+.2f", drift.peak_shift) }}</td></tr>
</table>
<p>σ is the standard deviation of the training set. PSI (population stability index), Wasserstein-1 and Jensen–Shannon
are distances between the distributions of levels in training and now; each is 0 if the two are equal.</p>
<h2>Figures by band</h2>
<div class="figure"><img src="data:image/png;base64,{{ by_band }}" alt="Figures of drift of each band"></div>
<p>The dashed line marks a PSI of 0.25; a change above it is commonly called large.</p>
<details><summary>As a table</summary>
<table class="rows"><tr><th>band</th><th>Hz</th>{% for name in drift.band %}<th>{{ names[name] }}</th>{% endfor %}</tr>
{% for hz in hz_of %}{% set row = loop.index0 %}<tr><td data-label="band">{{ row }}</td>
<td data-label="Hz">{{ hz }}</td>
{% for name, values in drift.band.items() %}<td data-label="{{ names[name] }}">
{{- "unknown" if values[row] is none else figure("%.3f", values[row]) }}</td>
{% endfor %}</tr>
{% endfor %}</table></details>
</body>
</html>
"""


def save_drift_page(
    path: Path,
    title: str,
    monitor: Monitor,
    watched: WatchedClips | None = None,
    training: Sequence[HeardClip] = (),
) -> None:
    """Write a page about the current state of a monitor.

    Args:
        path: The file to write.
        title: Title of the page.
        monitor: The monitor.
        watched: Clips of the watch, of which the farthest from the training clips are played.
        training: Clips of the training set to compare them with.

    Raises:
        MissingExtra: if Jinja2 or matplotlib is not installed.
        ArgumentError: if no clip has come yet.
    """
    template = page_template(_PAGE)
    report, front_end = monitor.report(), monitor.profile.front_end
    text = template.render(
        title=title,
        verdict=report.verdict,
        meaning=meaning_of(report.verdict.feature),
        diagnosis=report.diagnosis.to_dict(),
        drift=report.drift.to_dict(),
        alarms=report.alarms,
        bad=report.bad,
        per_clip=monitor.false_alarms.per_clip,
        measured=monitor.baseline.measured,
        hz_of=[frequency(hz) for hz in front_end.band_hz().tolist()],
        history=embedded(band_history(monitor)),
        by_band=embedded(drift_by_band(monitor, report.drift.band)),
        names=_names(front_end.unit),
        distributions=embedded(two_distributions(monitor)),
        watched=[] if watched is None else [clip.to_dict() for clip in watched.farthest()],
        newest=0 if watched is None else watched.kept,
        training=[clip.to_dict() for clip in training],
        sample_rate=front_end.sample_rate if isinstance(front_end, FrontEnd) else 0,
    )
    write_text(path, text, Content.PAGE)


def _names(unit: str) -> dict[str, str]:
    return {
        "mean_shift": "mean shift (σ)",
        "mean_shift_se": "standard error of the shift (σ)",
        "std_ratio": "std ratio",
        "psi": "PSI",
        "wasserstein": f"Wasserstein-1 ({unit})",
        "jensen_shannon": "Jensen–Shannon (bits)",
        "floor_change": "change of the floor share",
    }
