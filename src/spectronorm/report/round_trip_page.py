"""Self-contained HTML page of round trips (extra `report`): each clip before and after, to see and to hear."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from spectronorm.display.figure import figure_png
from spectronorm.image_files import decode
from spectronorm.passes.round_trip import RoundTrip
from spectronorm.printable import printable
from spectronorm.report.html import embedded, page_template
from spectronorm.report.player_sound import player_address
from spectronorm.report.round_trip_figure import read_round_trip, round_trip_figure
from spectronorm.storage.atomic import write_text
from spectronorm.storage.content import Content

MEASURES = {
    "quantization_rms_db": "image against level, rms (dB)",
    "quantization_max_db": "image against level, largest (dB)",
    "bands_db": "bands of the recovered bins (dB)",
    "level_db": "level of the sound, mean (dB)",
    "level_rms_db": "level of the sound, rms (dB)",
    "convergence_db": "spectral convergence (dB)",
    "pesq": "PESQ",
    "stoi": "STOI",
}
_PAGE = """<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
  h2 { overflow-wrap: anywhere; border-top: 1px solid #ddd; padding-top: 1rem; }
  table { border-collapse: collapse; }
  th { text-align: left; font-weight: normal; }
  td { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
  td, th { padding: .2rem .75rem .2rem 0; border-bottom: 1px solid #ddd; }
  .players { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; margin: .5rem 0; }
  .players label { flex: 1 1 16rem; min-width: 0; }
  audio { width: 100%; display: block; }
</style>
</head>
<body>
<main>
<h1>{{ title }}</h1>
<p>Sound to image and back: the second sound is made from the image alone. Players hold at most the first ten seconds,
at their own level.</p>
{% for clip in clips %}<section>
<h2>{{ clip.name }}</h2>
<div class="players">
{% for when in ("before", "after") %}<label>{{ when }}
<audio controls preload="none" aria-label="{{ clip.name }}, {{ when }}" src="{{ clip[when] }}"></audio></label>
{% endfor %}</div>
<div class="figure"><img alt="Spectrograms of {{ clip.name }}: the clip, its image, and the sound made from the image"
 src="data:image/png;base64,{{ clip.picture }}"></div>
<table><caption hidden>Losses</caption>
{% for name, value in clip.losses %}<tr><th scope="row">{{ name }}</th><td>{{ value }}</td></tr>
{% endfor %}</table>
</section>
{% endfor %}</main>
</body>
</html>
"""


def save_round_trip_page(trips: Mapping[str, RoundTrip], path: Path, *, title: str = "Round trips") -> None:
    """Write a page of round trips by name, read from their files.

    Raises:
        MissingExtra: if Jinja2 or matplotlib is not installed.
        OutputRefused: if a file that spectronorm did not write already exists.
    """
    template = page_template(_PAGE)
    write_text(path, template.render(title=title, clips=[_shown(*item) for item in trips.items()]), Content.PAGE)


def _shown(name: str, trip: RoundTrip) -> dict[str, object]:
    front_end = decode(trip.image).header.front_end
    (before, after), levels = read_round_trip(trip)
    figure = round_trip_figure(levels, front_end, "")
    losses = [(text, _written(trip.losses[key])) for key, text in MEASURES.items() if key in trip.losses]
    return {
        "name": printable(name),
        "before": player_address(before, front_end.sample_rate),
        "after": player_address(after, front_end.sample_rate),
        "picture": embedded(figure_png(figure)),
        "losses": losses,
    }


def _written(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.3f}"
