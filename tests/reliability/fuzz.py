"""Coverage-guided fuzzing of everything that reads files of ours or listings of others', with atheris.

`make fuzz`, or `python -m reliability.fuzz FOLDER -max_total_time=300` in `tests/`; FOLDER keeps what was found to be
interesting. The first byte of an input says which of `readers.READERS` reads the rest.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

from .compiled import compiled_modules

with atheris.instrument_imports(include=["spectronorm"], exclude=compiled_modules()):
    from .readers import READERS, read_or_refuse, sound_inputs

NAMES = tuple(READERS)


def test_one_input(data: bytes) -> None:
    """Read it or refuse it; anything else is a finding."""
    if data:
        read_or_refuse(NAMES[data[0] % len(NAMES)], data[1:])


def main() -> None:
    """Hand over to libFuzzer; the first argument is the folder of inputs."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, (reader, data) in sound_inputs().items():
        (folder / name.replace(" ", "-")).write_bytes(bytes([NAMES.index(reader)]) + data)
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
