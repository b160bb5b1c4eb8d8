"""Design of a comparison from the options of `spectronorm compare`."""

from __future__ import annotations

from pathlib import Path

import typer

from spectronorm.audio import open_source
from spectronorm.audio.channels import STACK
from spectronorm.cli.front_end import FRONT_END_PANEL
from spectronorm.errors import ArgumentError
from spectronorm.features import with_all_channels
from spectronorm.front_end import STFT, AnyFrontEnd, Decibel, FrontEnd, Levels, Mel, StandardizeWaveform

START = FrontEnd(
    level=StandardizeWaveform(), stft=STFT(n_fft=1024, hop_length=640), bands=Mel(64), compress=Decibel(floor_db=-30.0)
)
"""Default front end of the arms: small enough for a CPU, standardized, floor about 80 dB below the loudest level."""

ARMS_OF_LEVELS = "none,global,band,clip,minmax"
ARMS = f"{ARMS_OF_LEVELS},pcen"


def described_front_end(front_end: FrontEnd, levels: Path | None, source: str) -> AnyFrontEnd:
    """The front end of the arms: computed, with the channels of the source's first clip, or that of files of levels."""
    if levels is None:
        return with_all_channels(front_end, open_source(source)) if front_end.channels == STACK else front_end
    if front_end != START:
        raise ArgumentError("--levels describes spectrograms that exist already: leave out the options of a front end")
    return Levels.load(levels)


def parse_time(text: str) -> float:
    """Parse `90s`, `30m` or `2h` as seconds.

    Raises:
        ArgumentError: if the text has another form.
    """
    unit = {"s": 1, "m": 60, "h": 3600}.get(text[-1:])
    try:
        seconds = float(text[:-1]) * (unit or 0)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ArgumentError(f"budget={text!r} must be a time such as 90s, 30m or 2h")
    return seconds


_SET_BY_PROTOCOL = (
    "search_learning_rate",
    *("arms", "reference", "hold_out", "seeds", "model", "epochs", "batch_size", "learning_rate", "weight_decay"),
    *("label_smoothing", "duration", "window", "overlap", "last", "metric", "separator"),
)


def require_nothing_else(context: typer.Context) -> None:
    """Raise `ArgumentError` if an option was given that a protocol sets."""
    for parameter in context.command.params:
        of_front_end = getattr(parameter, "rich_help_panel", None) == FRONT_END_PANEL
        if (of_front_end or parameter.name in _SET_BY_PROTOCOL) and parameter.name is not None:
            source = context.get_parameter_source(parameter.name)
            if source is not None and source.name == "COMMANDLINE":
                raise ArgumentError(
                    f"{parameter.opts[0]} is set by --protocol; leave one of the two out (a protocol is repeated as "
                    "it was published)"
                )
