"""Contract tests of a source kind."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import ClassVar

from spectronorm.audio import SOURCES, Source, SourceKind, open_source
from spectronorm.testing.contract import Contract, require


class SourceContract(Contract):
    r"""A place of this kind is recognized and listed in a stable order, and its clips can be read.

    `place` writes an example into an empty folder and returns its path, such as
    `class TestMine(SourceContract, subject=Mine(), place=write_example): ...`.

    >>> import numpy as np, soundfile, spectronorm as sn
    >>> def write_example(folder):
    ...     soundfile.write(folder / "a.wav", np.full(8000, 0.1), 8000)
    ...     _ = (folder / "clips.csv").write_text("path,label\na.wav,dog\n")
    ...     return folder / "clips.csv"
    >>> SourceContract.check(sn.audio.SOURCES.find("table")(), place=write_example)
    """

    subject: ClassVar[SourceKind]
    place: ClassVar[Callable[[Path], str | Path]]

    def test_the_example_is_recognized_and_read(self) -> None:
        """`open_source` uses this kind for the example, names are relative and distinct, and every clip can be read."""
        with tempfile.TemporaryDirectory() as folder:
            place = str(type(self).place(Path(folder)))
            require(self.subject.matches(place), f"{self.subject} does not match its own example")
            listed = self.subject.clips(place)
            source = open_source(place)
            require(listed, f"{self.subject} finds no clip in its own example")
            require(self.subject.clips(place) == listed, f"{self.subject} lists two times differently")
            require(source.clips == Source.of(listed).clips, f"open_source takes another kind than {self.subject}")
            names = [clip.name for clip in source]
            require(len(set(names)) == len(names), f"{self.subject}: two clips have one name")
            outside = [n for n in names if PurePosixPath(n).is_absolute() or ".." in PurePosixPath(n).parts]
            require(not outside, f"{self.subject}: names lead out of the source: {outside}")
            require(pickle.loads(pickle.dumps(source)).clips == source.clips, "a source must survive pickling")  # noqa: S301
            for clip in source:
                require(source.reader.read(clip, 16_000).samples.size, f"{clip.name} has no samples")

    def test_other_places_are_left_alone(self) -> None:
        """The kind matches neither an empty folder nor a missing file."""
        with tempfile.TemporaryDirectory() as folder:
            for place in (folder, str(Path(folder) / "absent.bin")):
                require(not self.subject.matches(place), f"{self.subject} matches {place}, which is not its kind")

    def test_it_is_registered(self) -> None:
        """The kind is registered under a name."""
        require(SOURCES.name_of(self.subject), "it has no name")
