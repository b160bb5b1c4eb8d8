"""Source of a model's training clips, and the held-out clips."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from spectronorm.audio import Source, open_source
from spectronorm.errors import ArgumentError, SourceError
from spectronorm.short_repr import with_short_repr
from spectronorm.storage import read_bounded, refuse_damage, strict_json
from spectronorm.suggestion import known_settings


@known_settings
@with_short_repr
@dataclass(frozen=True)
class TrainingSource:
    """A source and its held-out groups, such as `("split", "test")`.

    >>> import pathlib, tempfile, numpy as np, soundfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("test/a.wav", "train/b.wav", "train/c.wav"):
    ...         path = pathlib.Path(folder) / name
    ...         path.parent.mkdir(exist_ok=True)
    ...         soundfile.write(path, np.full(8000, 0.1), 8000)
    ...     origin = TrainingSource(folder, (("label", "test"),))
    ...     len(origin.training_clips().clips), len(origin.test_clips().clips)
    (2, 1)
    """

    source: str
    hold_out: tuple[tuple[str, str], ...] = ()

    def training_clips(self) -> Source:
        """Return the clips without the held-out ones.

        Raises:
            SourceError: if no clips remain.
        """
        source = open_source(self.source)
        for column, value in self.hold_out:
            source = source.without(**{column: value})
        return source

    def test_clips(self) -> Source:
        """Return the held-out clips.

        Raises:
            ArgumentError: if no clips were held out.
        """
        if not self.hold_out:
            raise ArgumentError(
                f"{self.source}: no clips were held out, but a score needs clips that the model has never seen; "
                "train with --hold-out COLUMN=VALUE, such as --hold-out split=test"
            )
        whole, trained = open_source(self.source), {clip.name for clip in self.training_clips()}
        return replace(whole, clips=tuple(clip for clip in whole if clip.name not in trained))

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"source": self.source, "hold_out": [list(pair) for pair in self.hold_out]}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> TrainingSource:
        """Build from plain values.

        Raises:
            KeyError: if an entry is missing.
            TypeError: if an entry has the wrong type.
            ValueError: if an entry is not valid.
        """
        found = cls(plain["source"], tuple((column, value) for column, value in plain["hold_out"]))
        if not all(
            isinstance(text, str) for text in (found.source, *(part for pair in found.hold_out for part in pair))
        ):
            raise TypeError("the source, or what was held out, is not text")
        return found

    @classmethod
    def beside(cls, model: Path, name: str) -> TrainingSource:
        """Read the origin of the training whose folder holds this model.

        Raises:
            SourceError: if there is no such training.
            FileFormatError: if its settings are damaged.
        """
        path = model.parent / name
        if not path.is_file():
            raise SourceError(
                f"{model}: no {name} is in its folder, so its clips are not known; give --source and --hold-out"
            )
        with refuse_damage(path, "the training's settings", "give --source and --hold-out"):
            return cls.from_dict(strict_json(read_bounded(path))["origin"])
