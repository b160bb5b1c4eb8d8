"""Pipelines for `datasets.Dataset.map` (Hugging Face)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.audio import Reader, open_source
from spectronorm.errors import ArgumentError
from spectronorm.front_end import FrontEnd
from spectronorm.pipeline import Pipeline


@dataclass(frozen=True)
class Mapped:
    """A pipeline as a function of the rows of a data set, for `dataset.map(Mapped(pipeline))`.

    It adds a column with the normalized spectrogram `(band, frame)` of each row's sound, as nested lists of 32-bit
    floats. The sound is as it is stored (`Audio(decode=False)`), decoded, or a pair of samples and rate. The hash by
    which `datasets` finds finished work depends on the settings and the numbers of the pipeline alone: it is equal in
    each process and session.

    Args:
        pipeline: The pipeline.
        audio: Column of the sound.
        to: Column of the spectrogram.

    Raises:
        ArgumentError: when called with a row that has no sound, or if the pipeline is one of levels made elsewhere.
        AudioError: when called with a sound that cannot be used.
    """

    pipeline: Pipeline
    audio: str = "audio"
    to: str = "spectrogram"

    def __call__(self, row: Mapping[str, Any]) -> dict[str, NDArray[np.float32]]:
        """Return the new column of a row."""
        front_end = self.pipeline.front_end
        if not isinstance(front_end, FrontEnd):
            raise ArgumentError(
                "the pipeline normalizes levels that were made elsewhere, and cannot make them of sound"
            )
        value = row.get(self.audio)
        if value is None:
            raise ArgumentError(f"the row has no sound under {self.audio!r} (its columns are {', '.join(row)})")
        (clip,) = open_source([{"audio": value}])
        samples = Reader().read(clip, front_end.sample_rate).samples
        return {self.to: np.asarray(self.pipeline(samples), np.float32)}
