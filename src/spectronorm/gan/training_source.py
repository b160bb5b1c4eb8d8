"""Which clips a model was trained on, and which were kept from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from spectronorm.audio import Source, open_source
from spectronorm.errors import ArgumentError, SourceError
from spectronorm.storage import read_bounded, refuse_damage, strict_json


@dataclass(frozen=True)
class TrainingSource:
    """A source, and the groups of it that were held out, such as `("split", "test")`."""

    source: str
    hold_out: tuple[tuple[str, str], ...] = ()

    def training_clips(self) -> Source:
        """The clips without those held out; raises `SourceError` when there are none."""
        source = open_source(self.source)
        for column, value in self.hold_out:
            source = source.without(**{column: value})
        return source

    def test_clips(self) -> Source:
        """The clips that were held out; raises `ArgumentError` when none were."""
        if not self.hold_out:
            raise ArgumentError(
                f"{self.source}: no clips were held out, but a score needs clips that the model has never seen; "
                "train with --hold-out COLUMN=VALUE, such as --hold-out split=test"
            )
        whole, trained = open_source(self.source), {clip.name for clip in self.training_clips()}
        return replace(whole, clips=tuple(clip for clip in whole if clip.name not in trained))

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {"source": self.source, "hold_out": [list(pair) for pair in self.hold_out]}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> TrainingSource:
        """From plain values; raises `KeyError`, `TypeError` or `ValueError` when they are not sound."""
        found = cls(plain["source"], tuple((column, value) for column, value in plain["hold_out"]))
        if not all(
            isinstance(text, str) for text in (found.source, *(part for pair in found.hold_out for part in pair))
        ):
            raise TypeError("the source, or what was held out, is not text")
        return found

    @classmethod
    def beside(cls, model: Path, name: str) -> TrainingSource:
        """That of the training whose folder holds this model.

        Raises:
            SourceError: when there is no such training.
            FileFormatError: when its settings are damaged.
        """
        path = model.parent / name
        if not path.is_file():
            raise SourceError(
                f"{model}: no {name} lies beside it, so its clips are not known; give --source and --hold-out"
            )
        with refuse_damage(path, "the training's settings", "give --source and --hold-out"):
            return cls.from_dict(strict_json(read_bounded(path))["origin"])
