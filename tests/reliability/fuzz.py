"""Fuzzing of everything that reads files of ours or listings of others': guided by coverage where atheris is installed.

`make fuzz`, or `python -m reliability.fuzz FOLDER -max_total_time=300` in `tests/`; FOLDER keeps what was found to be
interesting. The first byte of an input says which of `readers.READERS` reads the rest. Without atheris, which has
wheels for Linux and some versions of Python only, inputs are changed at random for the same time.
"""

from __future__ import annotations

import contextlib
import hashlib
import random
import sys
import time
import warnings
from pathlib import Path

try:
    import atheris
except ImportError:
    atheris = None

from .compiled import compiled_modules
from .mutations import mutated

with (
    atheris.instrument_imports(include=["spectronorm"], exclude=compiled_modules())
    if atheris is not None
    else contextlib.nullcontext()
):
    from .readers import READERS, read_or_refuse, sound_inputs

NAMES = tuple(READERS)
SECONDS = 300.0


def test_one_input(data: bytes) -> None:
    """Read it or refuse it; anything else is a finding."""
    if data:
        read_or_refuse(NAMES[data[0] % len(NAMES)], data[1:])


def at_random(folder: Path, inputs: list[bytes], seconds: float) -> None:
    """Change sound inputs at random, and end with the file of the first finding."""
    seed = time.time_ns()
    print(  # noqa: T201
        f"atheris is not installed: for {seconds:g} s inputs are changed at random (seed {seed}), unguided by coverage",
        flush=True,
    )
    draw, done, end = random.Random(seed), 0, time.monotonic() + seconds  # noqa: S311
    warnings.simplefilter("ignore", UserWarning)
    while time.monotonic() < end:
        sound = draw.choice(inputs)
        data = sound[:1] + mutated(sound[1:], draw)
        try:
            test_one_input(data)
        except Exception:
            path = folder / f"crash-{hashlib.sha1(data, usedforsecurity=False).hexdigest()}"
            path.write_bytes(data)
            print(f"after {done} inputs; the input is in {path}", file=sys.stderr)  # noqa: T201
            raise
        done += 1
    print(f"{done} inputs, no finding")  # noqa: T201


def main() -> None:
    """Hand over to libFuzzer, or to chance; the first argument is the folder of inputs."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    inputs = {name: bytes([NAMES.index(reader)]) + data for name, (reader, data) in sound_inputs().items()}
    for name, data in inputs.items():
        (folder / name.replace(" ", "-")).write_bytes(data)
    if atheris is None:
        asked = [text.split("=")[1] for text in sys.argv if text.startswith("-max_total_time=")]
        at_random(folder, list(inputs.values()), float(asked[-1]) if asked else SECONDS)
        return
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
