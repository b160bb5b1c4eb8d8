"""Page and picture of a model's sensitivity to wrong statistics (extra `report`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spectronorm.display.figure import figure_png, new_figure
from spectronorm.experiment.answer.points import points
from spectronorm.experiment.sensitivity.errors_of_statistics import BANDS, FEW, MEAN, STD
from spectronorm.experiment.sensitivity.measure import ErrorEffect, Sensitivity
from spectronorm.experiment.sensitivity.words import number, sensitivity_sentences
from spectronorm.report.html import embedded, page_template
from spectronorm.storage.atomic import write_text
from spectronorm.storage.content import Content

_PAGE = """<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
  table { border-collapse: collapse; display: block; overflow-x: auto; margin: 1rem 0; }
  td, th { padding: .25rem .75rem; border-bottom: 1px solid #ddd; text-align: right; white-space: nowrap; }
  td:first-child, th:first-child { text-align: left; }
</style>
</head>
<body>
<h1>{{ title }}</h1>
{% for line in sentences %}<p>{{ line }}</p>{% endfor %}
<div class="figure"><img src="data:image/png;base64,{{ image }}"
 alt="Change of the metric by the error of the statistics"></div>
<table class="rows">
<tr>{% for cell in header %}<th>{{ cell }}</th>{% endfor %}</tr>
{% for row in rows %}<tr>{% for cell in row %}
<td data-label="{{ header[loop.index0] }}">{{ cell }}</td>{% endfor %}</tr>
{% endfor %}</table>
</body>
</html>
"""
HEADER = ("statistics", "value", "change (points)", "95 %", "worst draw")


def save_sensitivity_page(found: Sensitivity, model: str, path: Path) -> None:
    """Write the page.

    Raises:
        MissingExtra: if Jinja2 or matplotlib is not installed.
    """
    template = page_template(_PAGE)
    text = template.render(
        title=f"What wrong statistics cost {model}",
        sentences=sensitivity_sentences(found),
        image=embedded(sensitivity_figure(found)),
        header=HEADER,
        rows=rows(found),
    )
    write_text(path, text, Content.PAGE)


def rows(found: Sensitivity) -> list[tuple[str, ...]]:
    """Return the table's rows as text: the source's own statistics, then each error."""
    return [
        (
            effect.name,
            number(effect.value),
            points(effect.change),
            f"{points(effect.low)} … {points(effect.high)}",
            points(effect.worst),
        )
        for effect in (found.own, *found.effects)
    ]


def sensitivity_figure(found: Sensitivity) -> bytes:
    """Draw the change of the metric by each kind of error, with intervals, and where the shipped statistics lie."""
    figure = new_figure(9, 6.5)
    axes = figure.subplots(2, 2, sharey=True).ravel()
    _curve(axes[0], found.of_kind(MEAN), "error of the mean (sd)", at=0.0)
    _curve(axes[1], found.of_kind(STD), "factor of the standard deviation", at=1.0, attribute="factor")
    _logarithmic(axes[1], [1.0, *(effect.factor for effect in found.of_kind(STD))])
    _curve(axes[2], found.of_kind(BANDS), "error of the mean band by band, at random (sd)", at=0.0)
    _curve(axes[3], found.of_kind(FEW), "number of clips that the statistics come from")
    if found.of_kind(FEW):
        _logarithmic(axes[3], [effect.mean for effect in found.of_kind(FEW)])
    for axis, place in ((axes[0], found.offset), (axes[1], found.ratio), (axes[2], found.jagged)):
        axis.axvline(place, color="C1", linestyle="--", label="the shipped statistics")
    axes[0].legend(fontsize=8)
    for axis in (axes[0], axes[2]):
        axis.set_ylabel(f"change of {found.metric} (points)")
    return figure_png(figure)


def _logarithmic(axis: Any, values: Sequence[float]) -> None:
    """Scale the horizontal axis by the logarithm, with the measured values as its ticks."""
    axis.set_xscale("log")
    axis.set_xticks(values, [f"{value:g}" for value in values])
    axis.set_xticks([], minor=True)


def _curve(
    axis: Any, effects: tuple[ErrorEffect, ...], label: str, at: float | None = None, attribute: str = "mean"
) -> None:
    drawn = [(getattr(e, attribute), 100 * e.change, 100 * e.low, 100 * e.high) for e in effects]
    drawn += [] if at is None else [(at, 0.0, 0.0, 0.0)]
    if drawn:
        x, y, low, high = zip(*sorted(drawn), strict=True)
        axis.plot(x, y, "o-", color="C0")
        axis.fill_between(x, low, high, color="C0", alpha=0.2)
    axis.axhline(0, color="0.5", linewidth=1)
    axis.set_xlabel(label)
    axis.grid(alpha=0.3)
