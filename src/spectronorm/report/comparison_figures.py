"""Figures of a comparison as PNG bytes, drawn with matplotlib (extra `report`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.display.figure import as_label, figure_png, lowest_to_highest, new_figure
from spectronorm.display.spectrogram import plot
from spectronorm.experiment.answer.answer import Answer
from spectronorm.experiment.answer.chances import MARGIN
from spectronorm.experiment.answer.words import ALIKE, EQUIVALENT, UNRESOLVED, UNSAID
from spectronorm.experiment.metrics.known import find_metric
from spectronorm.front_end import AnyFrontEnd

_COLOURS = {ALIKE: "0.45", UNSAID: "0.7", EQUIVALENT: "C2", UNRESOLVED: "C1"}


def arms_figure(answer: Answer) -> bytes:
    """Draw each arm's metric with its interval."""
    arms = answer.primary.arms
    figure = new_figure(7, 1.2 + 0.4 * len(arms))
    axis = figure.subplots()
    for y, arm in enumerate(reversed(arms)):
        axis.plot([100 * arm.low, 100 * arm.high], [y, y], color="C0")
        axis.plot(100 * arm.mean, y, "o", color="C0")
    axis.set_yticks(range(len(arms)), [as_label(arm.arm) for arm in reversed(arms)])
    axis.set_xlabel(f"{find_metric(answer.primary.endpoint).title} (%), with 95 % interval")
    axis.grid(axis="x", alpha=0.3)
    return figure_png(figure)


def differences_figure(answer: Answer) -> bytes:
    """Draw each difference with its bootstrap interval (thick) and t interval (thin); the grey band is the margin."""
    rows = [(verdict.difference, verdict.word) for verdict in answer.primary.verdicts]
    rows.append((answer.control, "A/A control"))
    figure = new_figure(7, 1.2 + 0.33 * len(rows))
    axis = figure.subplots()
    axis.axvspan(-100 * MARGIN, 100 * MARGIN, color="0.92")
    axis.axvline(0, color="0.3", linewidth=1)
    for y, (difference, word) in enumerate(reversed(rows)):
        colour = "C4" if word == "A/A control" else _COLOURS.get(word, "C3")
        if (units := difference.units) is not None:
            axis.plot([100 * units.low, 100 * units.high], [y, y], color=colour, linewidth=1)
        axis.plot([100 * difference.bootstrap.low, 100 * difference.bootstrap.high], [y, y], color=colour, linewidth=4)
        axis.plot(100 * difference.estimate, y, "o", color="black", markersize=4)
    names = [as_label(f"{difference.first} − {difference.second}: {word}") for difference, word in reversed(rows)]
    axis.set_yticks(range(len(rows)), names, fontsize=8)
    axis.set_xlabel(f"points; thick: over recordings and seeds, thin: over {_units(answer)}")
    return figure_png(figure)


def _units(answer: Answer) -> str:
    spread = answer.control.spread
    return "folds" if spread is None else spread.units


def curves_figure(curves: Mapping[str, NDArray[Any]], held_out: Mapping[str, NDArray[Any]]) -> bytes:
    """Draw the mean training loss of each arm by epoch, and dashed the log-loss of the held-out clips."""
    figure = new_figure(7, 4)
    axis = figure.subplots()
    for number, (name, losses) in enumerate(curves.items()):
        mark, colour = "." if len(losses) < 10 else "", f"C{number % 10}"
        axis.plot(np.arange(1, len(losses) + 1), losses, f"{mark}-", color=colour, label=as_label(name))
        after = held_out[name]
        axis.plot(np.arange(1, len(after) + 1), after, f"{mark}--", color=colour)
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.set_xlabel("epoch")
    axis.set_ylabel("loss (nats); solid: training, dashed: held-out")
    axis.set_yscale("log")
    for numbers in (axis.yaxis.set_major_formatter, axis.yaxis.set_minor_formatter):
        numbers("{x:g}")
    axis.legend(fontsize=8)
    return figure_png(figure)


def classes_figure(answer: Answer) -> bytes:
    """Draw the figure of each class under each arm, such as its recall, as a colour table with numbers."""
    arms = [arm.arm for arm in answer.primary.arms]
    values = np.array([[100 * one.arms[arm] for arm in arms] for one in answer.classes])
    figure = find_metric(answer.primary.endpoint).of_class
    return _matrix(values, ([one.name for one in answer.classes], "class"), (arms, "arm"), f"{figure} (%)", high=100.0)


def confusion_figure(confusion: NDArray[Any], classes: Sequence[str]) -> bytes:
    """Draw the confusion matrix, true class by row and predicted class by column, in percent of the row."""
    share = 100 * confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    rows, columns = (list(classes), "true class"), (list(classes), "predicted class")
    return _matrix(share, rows, columns, "share of the true class (%)", high=100.0)


def spectrograms_figure(spectrograms: Mapping[str, tuple[NDArray[Any], AnyFrontEnd]]) -> bytes:
    """Draw one clip's input `(band, frame)` under each arm, in Hz and seconds, each with its own colour scale."""
    rows = -(-len(spectrograms) // 3)
    figure = new_figure(11, 2.8 * rows)
    axes = figure.subplots(rows, 3, squeeze=False).ravel()
    for axis in axes[len(spectrograms) :]:
        axis.set_visible(False)
    for axis, (name, (x, front_end)) in zip(axes, spectrograms.items(), strict=False):
        known = front_end if front_end.n_bands == len(x) else None
        plot(x, known, ax=axis, unit="input of the model", title=f"{name}   {lowest_to_highest(x)}")
    return figure_png(figure)


def _matrix(
    values: NDArray[Any], rows: tuple[list[str], str], columns: tuple[list[str], str], label: str, high: float
) -> bytes:
    """Draw numbers as colours, with the values printed if there is room; rows and columns have names and a title."""
    (names_of_rows, title_of_rows), (names_of_columns, title_of_columns) = rows, columns
    figure = new_figure(2.5 + 0.6 * len(names_of_columns), 1.8 + 0.35 * len(names_of_rows))
    axis = figure.subplots()
    axis.set_xlabel(title_of_columns)
    axis.set_ylabel(title_of_rows)
    image = axis.imshow(values, aspect="auto", cmap="Blues", vmin=0, vmax=high)
    axis.set_yticks(range(len(names_of_rows)), [as_label(name) for name in names_of_rows], fontsize=8)
    columns_at = range(len(names_of_columns))
    axis.set_xticks(columns_at, [as_label(name) for name in names_of_columns], rotation=45, ha="right", fontsize=8)
    if values.size <= 400:
        for (y, x), value in np.ndenumerate(values):
            axis.text(
                x, y, f"{value:.0f}", ha="center", va="center", fontsize=7, color="w" if value > 0.6 * high else "k"
            )
    figure.colorbar(image, ax=axis, label=label)
    return figure_png(figure)
