"""Self-contained HTML page about a profile (extra `report`): opens offline and loads nothing from outside."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

from spectronorm.audio import ClipReference, Reader
from spectronorm.audio.native import with_native_blocks
from spectronorm.printable import printable
from spectronorm.profile import Profile
from spectronorm.report.clip_excerpt import ClipExcerpt, excerpt_of
from spectronorm.report.html import embedded, page_template
from spectronorm.storage.atomic import write_text
from spectronorm.storage.content import Content

_NAMES = {"floor_share": "share on the floor", "mean_se": "standard error of mean", "std_se": "standard error of std"}
_PAGE = """<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
  table { border-collapse: collapse; display: block; overflow-x: auto; }
  td, th { padding: .25rem .75rem; border-bottom: 1px solid #ddd; text-align: right; white-space: nowrap; }
  td:first-child, th:first-child, .text td, .text th { text-align: left; }
  .text td { white-space: normal; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #f4f4f4; padding: .5rem 1rem; }
  code { background: #f4f4f4; padding: .1rem .3rem; overflow-wrap: anywhere; }
</style>
</head>
<body>
<h1>{{ title }}</h1>
<p>{{ summary.clips }} {{ "clip" if summary.clips == 1 else "clips" }}, {{ "{:,}".format(summary.frames) }} frames
{%- if summary.seconds is not none %}, {{ "{:,.1f}".format(summary.seconds) }} s of audio{% endif %};
front end <code>{{ summary.fingerprint }}</code>,
spectronorm {{ summary.version }}.</p>
{% for caption, image in figures.items() %}
<h2>{{ caption }}</h2>
<div class="figure"><img src="data:image/png;base64,{{ image }}" alt="{{ caption }}"></div>
{% endfor %}
{% if sounds %}<h2>Sounds</h2>
<p>One clip of each label: two seconds around its loudest moment, at its own level.</p>
<div class="clips">{% for name, sound in sounds.items() %}<figure><figcaption>{{ name }}</figcaption>
<audio controls preload="none" aria-label="{{ name }}" src="data:audio/flac;base64,{{ sound }}"></audio></figure>
{% endfor %}</div>{% endif %}
<h2>All bands pooled ({{ summary.unit }})</h2>
<table>{% for name, value in summary.global.items() %}<tr><th scope="row">{{ names.get(name, name) }}</th>
<td>{{ "unknown" if value is none else "%.4f" % value }}</td></tr>
{% endfor %}</table>
<h2>Groups</h2>
<table{% if summary.groups[0]|length > 5 %} class="rows"{% endif %}>
<tr>{% for name in summary.groups[0] %}<th>{{ name }}</th>{% endfor %}</tr>
{% for group in summary.groups %}<tr>{% for name, value in group.items() %}<td data-label="{{ name }}">
{{- "%.1f" % value if value is float else value -}}
</td>{% endfor %}</tr>{% endfor %}</table>
{% if summary.bad %}<h2>Bad files</h2>
<p>None of the figures includes them.</p>
<table class="rows text"><tr><th>file</th><th>reason</th><th>detail</th></tr>
{% for bad in summary.bad %}<tr><td data-label="file">{{ bad.path }}</td><td data-label="reason">{{ bad.reason }}</td>
<td data-label="detail">{{ bad.detail }}</td></tr>
{% endfor %}
</table>{% endif %}
<h2>Commands</h2>
<pre>{% for command in commands %}{{ command }}
{% endfor %}</pre>
<h2>Front end</h2>
<pre>{{ front_end }}</pre>
</body>
</html>
"""


def save_page(
    path: Path,
    title: str,
    profile: Profile,
    figures: Mapping[str, Path],
    commands: list[str],
    sounds: Mapping[str, Path] | None = None,
) -> None:
    """Write the page, with each figure (caption to PNG file) and sound (name to audio file) embedded.

    Raises:
        MissingExtra: if Jinja2 is not installed.
        AudioError: if a sound cannot be read.
    """
    template = page_template(_PAGE)
    images = {caption: embedded(file.read_bytes()) for caption, file in figures.items()}
    heard = {name: _excerpt(file) for name, file in (sounds or {}).items()}
    text = template.render(
        title=title,
        summary=profile.summary(),
        figures=images,
        sounds={printable(name): base64.b64encode(one.flac()).decode() for name, one in heard.items()},
        commands=commands,
        front_end=profile.front_end.to_json(),
        names=_NAMES,
    )
    write_text(path, text, Content.PAGE)


def _excerpt(file: Path) -> ClipExcerpt:
    return with_native_blocks(Reader(), ClipReference(file.name, file), excerpt_of)
