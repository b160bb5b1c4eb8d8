"""Self-contained HTML page about a comparison (extra `report`): opens offline and loads nothing from outside."""

from __future__ import annotations

import base64
import json
import platform
from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import scipy
import torch
from numpy.typing import NDArray

from spectronorm.audio.native import with_native_blocks
from spectronorm.counted import counted
from spectronorm.errors import AudioError
from spectronorm.experiment.answer.answer import Answer
from spectronorm.experiment.answer.sentences import in_quotes
from spectronorm.experiment.metrics.known import find_metric
from spectronorm.experiment.results import Results, TrainedModel
from spectronorm.experiment.running.compare import Outcome
from spectronorm.experiment.running.plan import plan
from spectronorm.experiment.running.prepare import Prepared, arm_inputs
from spectronorm.front_end import FrontEnd
from spectronorm.printable import printable
from spectronorm.report import comparison_figures as figures
from spectronorm.report.clip_excerpt import excerpt_of
from spectronorm.report.comparison_tables import details
from spectronorm.report.html import embedded, page_template
from spectronorm.storage.atomic import write_text
from spectronorm.storage.content import Content
from spectronorm.version import __version__

_MOST_WRONG = 8
_PAGE = """<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
  p { max-width: 60rem; }
  table { border-collapse: collapse; display: block; overflow-x: auto; margin: 1rem 0; }
  td, th { padding: .25rem .5rem; border-bottom: 1px solid #ddd; text-align: right; white-space: nowrap; }
  th { white-space: normal; vertical-align: bottom; }
  td:first-child, th:first-child { text-align: left; }
  td.long { white-space: normal; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #f4f4f4; padding: .5rem 1rem; }
  summary { font-size: 1.5em; font-weight: bold; cursor: pointer; }
  .clip { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: center; padding: .5rem 0;
    border-top: 1px solid #ddd; }
  .clip > * { flex: 1 1 16rem; min-width: 0; overflow-wrap: anywhere; }
  .answer { font-size: 1.15em; border-left: 4px solid #47a; padding-left: 1rem; }
</style>
</head>
<body>
<h1>{{ title }}</h1>
<h2>The answer</h2>
{% for line in basis %}<p>{{ line }}</p>{% endfor %}
<div class="answer">{% for line in sentences %}<p>{{ line }}</p>{% endfor %}</div>
<h2>What was asked</h2>
{% for line in plan %}<p>{{ line }}</p>{% endfor %}
{% for caption, image in figures.items() %}
<h2>{{ caption }}</h2>
<div class="figure"><img src="data:image/png;base64,{{ image }}" alt="{{ caption }}"></div>
{% endfor %}
{% if wrong %}<h2>Clips that most models got wrong</h2>
<p>Players hold two seconds around the loudest moment, at the clip's own level.</p>
{% for clip in wrong %}<div class="clip"><div><strong>{{ clip.name }}</strong><br>{{ clip.said }}</div>
{% if clip.sound %}<audio controls preload="none" aria-label="{{ clip.name }}"
 src="data:audio/flac;base64,{{ clip.sound }}"></audio>{% endif %}</div>
{% endfor %}{% endif %}
<h2>Tables</h2>
{% for block in blocks %}{% if block is string %}<p>{{ block }}</p>{% else %}
<table{% if block[0]|length > 4 or block|map("last")|map("length")|max > 16 %} class="rows"{% endif %}>
<tr>{% for cell in block[0] %}<th>{{ cell }}</th>{% endfor %}</tr>
{% for line in block[1:] %}<tr>{% for cell in line %}<td data-label="{{ block[0][loop.index0] }}"
{%- if cell|length > 20 %} class="long"{% endif %}>{{ cell.replace(" … ", "\u00a0…\u00a0") }}</td>
{% endfor %}</tr>
{% endfor %}</table>{% endif %}{% endfor %}
<details>
<summary>Settings</summary>
<pre>{{ settings }}</pre>
</details>
<h2>Versions</h2>
<pre>{{ versions }}</pre>
<h2>What to do</h2>
<div class="answer">{% for line in advice %}<p>{{ line }}</p>{% endfor %}</div>
</body>
</html>
"""


def save_comparison_page(prepared: Prepared, results: Results, outcome: Outcome, path: Path) -> None:
    """Write the page.

    Raises:
        MissingExtra: if Jinja2 or matplotlib is not installed.
    """
    template = page_template(_PAGE)
    drawn = _figures(prepared, results, outcome.answer)
    settings = {name: value for name, value in results.settings.items() if name != "clips"}
    text = template.render(
        title=f"Which normalization? {', '.join(arm.name for arm in prepared.design.arms)}",
        plan=plan(prepared),
        basis=outcome.answer.basis,
        sentences=outcome.answer.sentences,
        advice=outcome.answer.advice,
        figures={caption: embedded(image) for caption, image in drawn.items()},
        wrong=_wrong(prepared, results),
        blocks=_blocks(details(outcome)),
        settings=json.dumps(settings, indent=1, sort_keys=True),
        versions=_versions(),
    )
    write_text(path, text, Content.PAGE)


def _figures(prepared: Prepared, results: Results, answer: Answer) -> Mapping[str, bytes]:
    classes = prepared.clips.classes
    names = [arm.name for arm in prepared.design.arms]
    models = {name: [results.done[block.fold, block.seed, name] for block in answer.blocks] for name in names}
    metric = find_metric(answer.primary.endpoint)
    best = _best(answer)
    fold = answer.blocks[0].fold
    clip = int(prepared.clips.test_clips(fold)[0])
    pictured = [arm for arm in prepared.design.arms if not arm.also] or prepared.design.arms
    inputs = {
        arm.name: (
            arm_inputs(prepared, arm, fold).evaluated(np.array([clip]))[0, 0].cpu().numpy(),
            arm.front_end,
        )
        for arm in pictured
    }
    confusion = {}
    if not prepared.clips.several_labels:
        counts = _confusion(prepared, models[best])
        heading = f"Confusion under {in_quotes(best)}, the arm with the best mean"
        confusion[heading] = figures.confusion_figure(counts, classes)
    return {
        _capital(metric.title): figures.arms_figure(answer),
        "Differences": figures.differences_figure(answer),
        f"{_capital(metric.of_class)} of each class": figures.classes_figure(answer),
        **confusion,
        "Learning curves, mean over blocks": figures.curves_figure(
            {name: np.mean([model.loss for model in models[name]], axis=0) for name in names},
            {name: np.mean([model.held_out_loss for model in models[name]], axis=0) for name in names},
        ),
        f"{prepared.clips.source.clips[clip].name} under each arm": figures.spectrograms_figure(inputs),
    }


def _best(answer: Answer) -> str:
    """The arm with the best mean."""
    sign = -1 if find_metric(answer.primary.endpoint).lower_is_better else 1
    return max(answer.primary.arms, key=lambda arm: sign * arm.mean).arm


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _wrong(prepared: Prepared, results: Results) -> list[dict[str, str]]:
    """The clips that the largest share of models misclassify: name, classes, and a sound if there is one."""
    clips = prepared.clips
    if clips.several_labels:
        return []
    said: dict[int, list[int]] = {}
    for model in results.done.values():
        for clip, predicted in zip(clips.test_clips(model.fold).tolist(), model.predicted, strict=True):
            said.setdefault(clip, []).append(predicted)
    shares = {clip: np.mean(np.array(votes) != clips.labels[clip]) for clip, votes in said.items()}
    most = sorted((clip for clip in shares if shares[clip] > 0.5), key=lambda clip: (-shares[clip], clip))
    return [_told(prepared, clip, said[clip]) for clip in most[:_MOST_WRONG]]


def _told(prepared: Prepared, clip: int, votes: Sequence[int]) -> dict[str, str]:
    clips, reference = prepared.clips, prepared.clips.source.clips[clip]
    wrong = Tally(vote for vote in votes if vote != clips.labels[clip])
    other, count = wrong.most_common(1)[0]
    text = (
        f"{clips.classes[clips.labels[clip]]}; misclassified by {wrong.total()} of {counted(len(votes), 'model')}, "
        f"by {count} as {clips.classes[other]}"
    )
    sound = b""
    if isinstance(prepared.design.arms[0].front_end, FrontEnd):
        with suppress(AudioError):
            sound = with_native_blocks(clips.source.reader, reference, excerpt_of).flac()
    return {
        "name": printable(reference.name),
        "said": printable(text),
        "sound": base64.b64encode(sound).decode(),
    }


def _confusion(prepared: Prepared, models: Sequence[TrainedModel]) -> NDArray[np.int64]:
    """Confusion matrix: number of clips of each class (row) that were assigned to each class (column)."""
    clips = prepared.clips
    count = np.zeros((len(clips.classes), len(clips.classes)), dtype=np.int64)
    for model in models:
        np.add.at(count, (clips.labels[clips.test_clips(model.fold)], np.array(model.predicted)), 1)
    return count


def _blocks(lines: Sequence[str]) -> list[Any]:
    """Group text lines into paragraphs and tables; a table is a list of rows of cells."""
    found: list[Any] = []
    for line in lines:
        if not line.startswith("|"):
            found.append(line)
            continue
        cells = [cell.strip() for cell in line.strip("| ").split(" | ")]
        if set(line) <= set("|-: "):
            continue
        if found and isinstance(found[-1], list) and len(found[-1][0]) == len(cells):
            found[-1].append(cells)
        else:
            found.append([cells])
    return [block for block in found if block]


def _versions() -> str:
    found = {
        "spectronorm": __version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "python": platform.python_version(),
        "threads": torch.get_num_threads(),
    }
    return "\n".join(f"{name} {version}" for name, version in found.items())
