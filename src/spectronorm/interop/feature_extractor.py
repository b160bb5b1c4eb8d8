"""Hugging Face feature extractor that is a pipeline: saved as `preprocessor_config.json`, loaded by `from_pretrained`.

Importing this module registers the class, so that `AutoFeatureExtractor.from_pretrained` finds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import to_host
from spectronorm.errors import ArgumentError, MissingExtra, ShapeError
from spectronorm.pipeline import Pipeline
from spectronorm.storage import refuse_damage

try:
    from transformers import AutoConfig, AutoFeatureExtractor, BatchFeature, PretrainedConfig
    from transformers.feature_extraction_sequence_utils import SequenceFeatureExtractor
except (ImportError, OSError):
    raise MissingExtra("spectronorm.interop.feature_extractor", "transformers") from None

__all__ = ["SpectronormConfig", "SpectronormFeatureExtractor"]

_PADDINGS = (True, False, "longest", "max_length", "do_not_pad")


class SpectronormConfig(PretrainedConfig):  # type: ignore[misc]
    """Configuration that only gives the feature extractor its name among Hugging Face's automatic classes."""

    model_type = "spectronorm"


class SpectronormFeatureExtractor(SequenceFeatureExtractor):  # type: ignore[misc]
    """Waveforms to normalized log-spectrograms `(clip, frame, band)` with an attention mask `(clip, frame)`.

    The numbers are those of the pipeline, in float32; each clip of a padded batch is computed as if it were alone, and
    padding has the pipeline's padding value.

    Args:
        pipeline: A pipeline, or its plain JSON values from a saved configuration.
        kwargs: Further values of a saved configuration.

    Raises:
        ArgumentError: if the values describe no pipeline, or levels that only another program can compute.
    """

    model_input_names = ("input_values", "attention_mask")

    def __init__(self, pipeline: Pipeline | dict[str, Any] | None = None, **kwargs: Any) -> None:
        if pipeline is None:
            raise ArgumentError("give a pipeline, or load a saved extractor with from_pretrained")
        self._pipeline = pipeline if isinstance(pipeline, Pipeline) else _from_plain(pipeline)
        front_end = self._pipeline.front_end
        if not hasattr(front_end, "resampler") or len(front_end.level_shape) > 1:
            raise ArgumentError("a feature extractor needs a front end of one channel, which computes levels of sounds")
        self.pipeline = _to_plain(self._pipeline)
        for follows in ("feature_size", "sampling_rate", "padding_value"):
            kwargs.pop(follows, None)
        super().__init__(
            feature_size=front_end.n_bands, sampling_rate=int(front_end.sample_rate), padding_value=0.0, **kwargs
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the values that `save_pretrained` writes."""
        return {name: value for name, value in super().to_dict().items() if name != "_pipeline"}

    def __call__(
        self,
        raw_speech: Any,
        sampling_rate: int | None = None,
        padding: bool | str = True,
        max_length: int | None = None,
        return_tensors: str | None = None,
        return_attention_mask: bool = True,
    ) -> BatchFeature:
        """Return `input_values` and `attention_mask`.

        Args:
            raw_speech: One waveform `(sample,)` or a sequence of them: NumPy, torch or lists, in ±1.
            sampling_rate: Their rate in Hz, to be compared with the pipeline's.
            padding: True or `longest`, `max_length` (frames), or False.
            max_length: Number of frames for `max_length`; longer clips are refused, never cut.
            return_tensors: `np`, `pt`, or None for lists of arrays.
            return_attention_mask: Return the mask too.

        Raises:
            ArgumentError: if the rate is another or not given, or a setting is unknown.
            ShapeError: if a waveform is not `(sample,)`, is too short, or is longer than `max_length` frames.
        """
        if sampling_rate != self.sampling_rate:
            raise ArgumentError(
                f"sampling_rate={sampling_rate} must be {self.sampling_rate}, the rate of this extractor; resample"
            )
        if padding not in _PADDINGS:
            raise ArgumentError(f"padding={padding!r:.40} must be one of {', '.join(map(repr, _PADDINGS))}")
        levels = [self._level(wave) for wave in _waves(raw_speech)]
        width = self._width([level.shape[1] for level in levels], padding, max_length)
        fitted = self._pipeline.normalizer
        values = [fitted.padded(level, width or level.shape[1]).T.astype(np.float32) for level in levels]
        mask = [(np.arange(len(x)) < level.shape[1]).astype(np.int64) for x, level in zip(values, levels, strict=True)]
        data = {"input_values": values, **({"attention_mask": mask} if return_attention_mask else {})}
        if return_tensors is None:
            return BatchFeature(data)
        return BatchFeature({name: np.stack(rows) for name, rows in data.items()}, tensor_type=return_tensors)

    def _level(self, wave: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        return np.asarray(self._pipeline.front_end(wave.astype(np.float64)))

    @staticmethod
    def _width(frames: list[int], padding: bool | str, max_length: int | None) -> int | None:
        if padding in (False, "do_not_pad"):
            return None
        if padding != "max_length":
            return max(frames)
        if type(max_length) is not int or max_length < max(frames):
            raise ShapeError(
                f"max_length={max_length} must be a number of frames of at least {max(frames)}, the longest clip's; "
                "crop the waveform first"
            )
        return max_length


def _waves(raw_speech: Any) -> list[NDArray[Any]]:
    """One waveform or several, as NumPy arrays."""
    several = isinstance(raw_speech, Sequence) and not (raw_speech and isinstance(raw_speech[0], int | float))
    if not several and getattr(raw_speech, "ndim", 1) == 2:
        raw_speech, several = list(raw_speech), True
    found = [np.asarray(to_host(one)) for one in (raw_speech if several else [raw_speech])]
    if not found:
        raise ShapeError("raw_speech is empty; give at least one waveform")
    for wave in found:
        if wave.ndim != 1 or wave.dtype.kind != "f":
            raise ShapeError(f"a waveform of shape {wave.shape} and type {wave.dtype} is not (sample,) of floats in ±1")
    return found


def _to_plain(pipeline: Pipeline) -> dict[str, Any]:
    header, tensors = pipeline.to_container()
    return {"header": header, "tensors": {name: tensor.tolist() for name, tensor in tensors.items()}}


def _from_plain(plain: Any) -> Pipeline:
    place = Path("preprocessor_config.json")
    with refuse_damage(place, "the pipeline", "save the extractor again"):
        tensors = {name: np.array(values, dtype=np.float64) for name, values in plain["tensors"].items()}
        return Pipeline.from_container(plain["header"], tensors, place)


AutoConfig.register(SpectronormConfig.model_type, SpectronormConfig, exist_ok=True)
AutoFeatureExtractor.register(SpectronormConfig, SpectronormFeatureExtractor, exist_ok=True)
