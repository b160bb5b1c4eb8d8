"""`spectronorm presets`: the front ends that come with spectronorm."""

from __future__ import annotations

from typing import Annotated

import typer

from spectronorm.cli.options import JsonOption
from spectronorm.cli.run import guarded, print_json
from spectronorm.cli.terminal import say
from spectronorm.front_end import PRESETS, find_preset

_EXAMPLES = """
**Examples**

    spectronorm presets

    spectronorm presets whisper

    spectronorm presets --json
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("presets", epilog=_EXAMPLES)(guarded(presets_command))


def presets_command(
    name: Annotated[str | None, typer.Argument(help="Show this preset with every setting.")] = None,
    json: JsonOption = False,
) -> None:
    """List the presets: front ends of published systems, with their settings and sources."""
    chosen = dict(PRESETS) if name is None else {name: find_preset(name)}
    if json:
        print_json(
            {
                key: {
                    "front_end": p.front_end.to_dict(),
                    "fingerprint": p.front_end.fingerprint,
                    "source": p.source,
                    "fixed": p.fixed,
                    "note": p.note,
                }
                for key, p in chosen.items()
            }
        )
        return
    if name is not None:
        found = chosen[name]
        front_end = found.front_end
        say(f"{name}: {found.source}\n{front_end.sample_rate} Hz, resampled by {front_end.resampler}")
        for slot in (front_end.level, front_end.stft, front_end.bands, front_end.compress):
            say(f"  {slot}")
        if found.fixed is not None:
            divisor = " · ".join(f"{number:g}" for number in found.fixed[1:])
            say(f"fixed normalization: (level - {found.fixed[0]:g}) / ({divisor})")
        if found.note:
            say(found.note)
        return
    for key, p in chosen.items():
        stft = p.front_end.stft
        say(
            f"{key:<11} {p.front_end.sample_rate} Hz, {p.front_end.n_bands} bands, n_fft {stft.n_fft}, window "
            f"{stft.frame_length}, hop {stft.hop}, {p.front_end.unit}\n{'':<11} {p.source}"
        )
    say("spectronorm presets NAME shows every setting; spectronorm explain A B explains how two presets differ.")
