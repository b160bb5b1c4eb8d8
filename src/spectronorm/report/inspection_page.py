"""Self-contained HTML page of an inspection (extra `report`): odd clips with their oddities, players and pictures."""

from __future__ import annotations

import base64
from pathlib import Path

from spectronorm.audio import ClipReference, Source
from spectronorm.audio.native import with_native_blocks
from spectronorm.cleaning import Inspected
from spectronorm.errors import AudioError
from spectronorm.printable import printable
from spectronorm.report.clip_excerpt import ClipExcerpt, excerpt_of
from spectronorm.report.html import embedded, page_template
from spectronorm.storage.atomic import write_text
from spectronorm.storage.content import Content

_MOST_CLIPS = 40
_PAGE = """<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
  table { border-collapse: collapse; }
  td, th { padding: .25rem .75rem; border-bottom: 1px solid #ddd; text-align: left; }
  td:last-child, th:last-child { text-align: right; }
  ol { padding: 0; list-style: none; }
  li.clip { border-top: 1px solid #ddd; padding: 1rem 0; display: flex; flex-wrap: wrap; gap: 1rem; }
  li.clip > div { flex: 1 1 20rem; min-width: 0; }
  h3 { margin: 0; overflow-wrap: anywhere; font-size: 1rem; }
  ul { margin: .25rem 0; padding-left: 1.25rem; overflow-wrap: anywhere; }
  img { width: 320px; max-width: 100%; height: 96px; display: block; border: 1px solid #ddd; }
  audio { width: 320px; max-width: 100%; display: block; margin-top: .5rem; }
</style>
</head>
<body>
<main>
<h1>{{ title }}</h1>
<p>{{ clips }} {{ "clip" if clips == 1 else "clips" }}, {{ odd }} odd
{%- if shown|length < odd %}; the worst {{ shown|length }} are shown{% endif %}.
Players hold two seconds around the loudest moment at the clip's own level: mind the volume. Pictures show the first ten
seconds, from 0 Hz at the bottom to half the file's sample rate at the top; black is −10 dB of full scale.</p>
{% if counts %}<table><tr><th scope="col">kind</th><th scope="col">clips</th></tr>
{% for kind, count in counts.items() %}<tr><td>{{ kind }}</td><td>{{ count }}</td></tr>
{% endfor %}</table>{% else %}<p>Nothing is odd.</p>{% endif %}
<ol>
{% for clip in shown %}<li class="clip"><div><h3>{{ clip.name }}</h3>
<ul>{% for one in clip.found %}<li><strong>{{ one.kind }}</strong>: {{ one.detail }}</li>{% endfor %}</ul></div>
{% if clip.picture %}<div>
<img alt="Spectrum over time of {{ clip.name }}" src="data:image/png;base64,{{ clip.picture }}">
<audio controls preload="none" aria-label="{{ clip.name }}" src="data:audio/flac;base64,{{ clip.sound }}"></audio></div>
{% endif %}</li>
{% endfor %}</ol>
</main>
</body>
</html>
"""


def save_inspection_page(
    found: Inspected, path: str | Path, *, title: str = "Inspection", most: int = _MOST_CLIPS
) -> None:
    """Write a page of the `most` worst clips, each with its oddities, a player and a picture.

    Raises:
        MissingExtra: if Jinja2 is not installed.
        OutputRefused: if a file that spectronorm did not write already exists.
    """
    template = page_template(_PAGE)
    references = {clip.name: clip for clip in reversed(found.source.clips)}
    text = template.render(
        title=title,
        clips=len(found.source),
        odd=len(found.odd),
        counts=found.counts,
        shown=[_shown(found, references[name]) for name in found.odd[:most]],
    )
    write_text(Path(path), text, Content.PAGE)


def _shown(found: Inspected, clip: ClipReference) -> dict[str, object]:
    """One clip as the page shows it; without a player if it cannot be read."""
    excerpt = _excerpt(found.source, clip)
    return {
        "name": printable(clip.name),
        "found": [
            {"kind": one.kind.value, "detail": printable(one.detail)} for one in found.found if one.clip == clip.name
        ],
        "picture": "" if excerpt is None else embedded(excerpt.picture()),
        "sound": "" if excerpt is None else base64.b64encode(excerpt.flac()).decode(),
    }


def _excerpt(source: Source, clip: ClipReference) -> ClipExcerpt | None:
    try:
        return with_native_blocks(source.reader, clip, excerpt_of)
    except AudioError:
        return None
