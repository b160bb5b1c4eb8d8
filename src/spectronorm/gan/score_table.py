"""Readable table of a score, with the limits on comparing it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from spectronorm.gan.seed_score import Row, SeedScore

_COLUMNS: tuple[tuple[str, Callable[[Row], float | None], int], ...] = (
    ("Inception", lambda row: row.inception, 2),
    ("Fréchet train", lambda row: row.frechet_train, 2),
    ("Fréchet test", lambda row: row.frechet_test, 2),
    ("nearest, dB", lambda row: row.nearest, 1),
    ("5 % below", lambda row: row.nearest_low, 1),
    ("as asked", lambda row: row.accuracy, 3),
    ("classes", lambda row: row.effective_classes, 2),
    ("rarest", lambda row: row.rarest, 3),
    ("moved", lambda row: row.copy_distance, 2),
    ("copies, z", lambda row: row.copies, 1),
    ("nearer", lambda row: row.nearer, 2),
)


def score_table(scores: Sequence[SeedScore]) -> list[str]:
    """Format every figure as mean ± standard deviation (ddof = 1) over the seeds; returns lines of text."""
    first = scores[0]
    cells = [["", *(title for title, _, _ in _COLUMNS), "copied"]]
    for number, row in enumerate(first.rows):
        rows = [one.rows[number] for one in scores]
        figures = (_cell([figure(r) for r in rows], places) for _, figure, places in _COLUMNS)
        words = sorted({r.copied for r in rows})
        cells.append([row.name, *figures, (words[0] or "-") if len(words) == 1 else "unresolved"])
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    splits = max(row.splits for row in first.rows)
    train, test = (
        _cell([getattr(one, name) for one in scores], 3) for name in ("judge_train_accuracy", "judge_test_accuracy")
    )
    told = (
        f"n = {first.rows[0].images} images a split, up to {splits} splits; {len(scores)} seeds, mean ± std; "
        f"judges {', '.join(one.judge for one in scores)}: accuracy {train} on training clips, {test} on test clips"
    )
    return [
        *lines,
        told,
        "scores hold for these judges, this n and these clips: they cannot be compared with those of other data sets",
    ]


def _cell(values: Sequence[float | None], places: int) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "-"
    spread = f" ± {np.std(known, ddof=1):.{places}f}" if len(known) > 1 else ""
    return f"{np.mean(known):.{places}f}{spread}"
