"""Pipeline: a front end and one fitted normalizer, the unit that a user saves, loads and ships."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from spectronorm.arrays import LARGEST_IN_MAP, Affine, Array
from spectronorm.counted import counted
from spectronorm.errors import ArgumentError, FileFormatError, PluginError
from spectronorm.front_end import AnyFrontEnd, any_front_end, checked_front_end, require_front_end
from spectronorm.front_end.presets import PRESETS, find_preset
from spectronorm.html_summary import band_svg, html_table
from spectronorm.normalize import NORMALIZERS, FittedNormalizer, Fixed, normalizer
from spectronorm.normalize.fitted_on import parse_fitted_on, plain_fitted_on
from spectronorm.normalize.stream import PipelineStream
from spectronorm.profile import Profile
from spectronorm.short_repr import with_short_repr
from spectronorm.storage import container, refuse_damage
from spectronorm.suggestion import known_settings
from spectronorm.version import __version__

_KIND = "pipeline"
_FORMAT = 3


@known_settings
@with_short_repr
@dataclass(frozen=True)
class Pipeline:
    """A front end followed by a fitted normalizer: maps waveforms `(..., sample)` to normalized `(..., band, frame)`.

    NumPy input gives NumPy output; torch input gives torch output, on the input's device.

    Raises:
        FrontEndMismatch: if the normalizer was fitted for another front end, naming the settings that differ.
        ArgumentError: if one of the two is something else, such as a normalizer that is not fitted.

    >>> import numpy as np, spectronorm as sn
    >>> front_end = sn.FrontEnd(bands=sn.Mel(64))
    >>> pipeline = sn.Pipeline(front_end, sn.Fixed(-40.0, 20.0).for_front_end(front_end))
    >>> x = pipeline(np.full(16_000, 0.1))
    >>> x.shape, bool(np.allclose(pipeline.inverse(x), front_end(np.full(16_000, 0.1))))
    ((64, 81), True)
    """

    front_end: AnyFrontEnd
    normalizer: FittedNormalizer

    def __post_init__(self) -> None:
        checked_front_end(self.front_end)
        given: object = self.normalizer
        if not isinstance(given, FittedNormalizer):
            fittable = hasattr(given, "fit")
            raise ArgumentError(
                f"normalizer={given!r:.80} is not fitted; pass "
                f"{'what its fit(profile) returns' if fittable else 'what fit(profile) of a normalizer returns'}"
            )
        self.normalizer.require_front_end(self.front_end)

    def __call__(
        self, wave: Array, *, threads: int | None = None, precision: str = "float64", sample_rate: int | None = None
    ) -> Array:
        """Apply the front end, then the normalizer.

        A map of the data set is applied while the kernels write the level (see `FrontEnd`, also for `threads`,
        `precision` and `sample_rate`).
        """
        front_end = require_front_end(self.front_end, "computing levels from a wave")
        front_end.require_sample_rate(sample_rate)
        if self.normalizer.normalizer.maps_clips:
            return self.normalizer(front_end(wave, threads=threads, precision=precision))
        fast = front_end.fast_levels(wave, self.normalizer.band_map, threads, precision)
        return self.normalizer(front_end(wave)) if fast is None else fast

    def stream(self, *, resample: int | None = None) -> PipelineStream:
        """Return a stream of normalized frames (see `FrontEnd.stream`), with the bits of this pipeline's call.

        Raises:
            ArgumentError: if a frame depends on later samples than its own.
        """
        front_end = require_front_end(self.front_end, "a stream of waves")
        return PipelineStream(front_end, self.normalizer, resample)

    def _repr_html_(self) -> str:
        fitted, on = self.normalizer, self.normalizer.fitted_on
        amount = f"{counted(on.clips, 'clip')}, {counted(on.frames, 'frame')}" if on.clips else "no clips"
        texts = {"fitted on": amount, "groups": ", ".join(on.groups), "left out": ", ".join(on.left_out)}
        facts = [("front end", self.front_end), ("normalizer", fitted.normalizer), *texts.items()]
        table = html_table(f"Pipeline {self.front_end.fingerprint}", [fact for fact in facts if fact[1] != ""])
        if fitted.affine is None:
            return table
        shape, maps = (*self.front_end.level_shape, 1), (fitted.affine.shift, fitted.affine.scale)
        shift, scale = (np.broadcast_to(value, shape).ravel() for value in maps)
        return table + band_svg(shift, scale, self.front_end.unit, self.front_end.band_hz())

    def inverse(self, x: Array, affine: Affine | None = None) -> Array:
        """Return the level that `x` was made from (see `FittedNormalizer.inverse`)."""
        return self.normalizer.inverse(x, affine)

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the pipeline atomically: a small safetensors file with a JSON header."""
        container.save_tensors(Path(path), *self.to_container(), overwrite=overwrite)

    def to_container(self) -> tuple[dict[str, Any], container.Tensors]:
        """Return the header and tensors that `save` writes and `from_container` reads."""
        fitted = self.normalizer
        header = {
            "kind": _KIND,
            "format": _FORMAT,
            "version": __version__,
            "front_end": self.front_end.to_dict(),
            "fingerprint": self.front_end.fingerprint,
            "normalizer": NORMALIZERS.to_plain(fitted.normalizer),
            "fitted_on": plain_fitted_on(fitted.fitted_on),
        }
        affine = fitted.affine
        return header, {} if affine is None else {"shift": affine.shift, "scale": affine.scale}

    @classmethod
    def load(cls, path: str | Path) -> Pipeline:
        """Read a pipeline.

        Raises:
            FileFormatError: if the file is not a valid pipeline.
        """
        return cls.from_container(*container.load_tensors(Path(path)), Path(path))

    @classmethod
    def from_container(cls, header: Mapping[str, Any], tensors: container.Tensors, path: Path) -> Pipeline:
        """Build a pipeline from a container read from `path`.

        Raises:
            FileFormatError: if the container is not a valid pipeline.
        """
        if header.get("kind") != _KIND or header.get("format") != _FORMAT:
            raise FileFormatError(
                f"{path}: holds a {header.get('kind')!r} of format {header.get('format')!r}, but a pipeline of format "
                f"{_FORMAT} is needed; save one with Pipeline.save"
            )
        try:
            with refuse_damage(path, "the pipeline", "save it again"):
                return _parse(header, tensors)
        except PluginError as error:
            raise PluginError(f"{path}: {error}") from None

    def summary(self) -> dict[str, Any]:
        """Return plain JSON values that describe the pipeline and the data that it was fitted on."""
        affine = self.normalizer.affine
        settings = NORMALIZERS.to_plain(self.normalizer.normalizer)
        del settings["kind"]
        return {
            "fingerprint": self.front_end.fingerprint,
            "front_end": self.front_end.to_dict(),
            "unit": self.front_end.unit,
            "normalizer": {"name": type(self.normalizer.normalizer).__name__, **settings},
            "fitted_on": plain_fitted_on(self.normalizer.fitted_on),
            "shift": None if affine is None else affine.shift.ravel().tolist(),
            "scale": None if affine is None else affine.scale.ravel().tolist(),
        }


def require_pipeline(value: object, purpose: str) -> Pipeline:
    """Return the pipeline.

    Raises:
        ArgumentError: if the value is something else, such as a path or a profile, with the remedy.
    """
    if isinstance(value, Pipeline):
        return value
    if isinstance(value, str | Path):
        raise ArgumentError(f"{purpose} needs a Pipeline, not a path: load it first, spectronorm.load({str(value)!r})")
    remedy = "make one, spectronorm.Pipeline(front_end, fitted_normalizer)"
    if isinstance(value, Profile):
        remedy = "fit a normalizer first, spectronorm.Pipeline(profile.front_end, Standardize().fit(profile))"
    raise ArgumentError(f"{purpose} needs a Pipeline, not a {type(value).__name__}: {remedy}")


def require_fitted(value: object, purpose: str) -> FittedNormalizer:
    """Return the fitted normalizer.

    Raises:
        ArgumentError: if the value is something else, such as a pipeline or a normalizer that is not fitted.
    """
    if isinstance(value, FittedNormalizer):
        return value
    remedy = "pass what fit(profile) of a normalizer returns"
    if isinstance(value, Pipeline):
        remedy = "pass pipeline.normalizer"
    raise ArgumentError(f"{purpose} needs a fitted normalizer, not a {type(value).__name__}: {remedy}")


def open_fitted(
    path: str | Path,
    normalize: str | None = None,
    hold_out: Sequence[tuple[str, str]] = (),
    *,
    exclude_floor: bool = False,
) -> Pipeline:
    """The pipeline in a file: a saved one as it is, or a profile with a normalizer fitted to it.

    Args:
        path: A profile or a saved pipeline.
        normalize: The normalizer's name (see `normalizer_names`), for a profile.
        hold_out: Columns and values of groups to leave out of a profile, one after the other.
        exclude_floor: Fit to the cells above the floor of a profile.

    Raises:
        FileFormatError: if the file is neither.
        ArgumentError: if a profile comes without `normalize`, or a pipeline with either.
    """
    content = load(path)
    if isinstance(content, Pipeline):
        if normalize is not None or hold_out or exclude_floor:
            raise ArgumentError(
                f"{path}: is a saved pipeline, whose normalizer is fitted; "
                "give the profile to choose normalize, hold_out or exclude_floor"
            )
        return content
    if normalize is None:
        raise ArgumentError(f"{path}: is a profile, so say which normalizer to fit to it, such as --normalize band")
    for column, value in hold_out:
        content = content.without(**{column: value})
    if exclude_floor:
        content = content.excluding_floor()
    return Pipeline(content.front_end, normalizer(normalize).fit(content))


def load(path: str | Path) -> Profile | Pipeline:
    """Load a profile or a pipeline from a file that spectronorm saved.

    Raises:
        FileFormatError: if the file holds neither, or is damaged.

    >>> import spectronorm as sn, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sn.published("ast").save(f"{folder}/ast.safetensors")
    ...     sn.load(f"{folder}/ast.safetensors") == sn.published("ast")
    True
    """
    header, tensors = container.load_tensors(Path(path))
    if header.get("kind") == _KIND:
        return Pipeline.from_container(header, tensors, Path(path))
    return Profile.from_container(header, tensors, Path(path))


def published(name: str) -> Pipeline:
    """Return the pipeline of a preset with published normalization, as a model trained with it expects.

    Raises:
        ArgumentError: if there is no such preset, or if its authors measure or learn the normalization.

    >>> published("ast").normalizer.normalizer
    Fixed(shift=-4.2677393, scale=4.5689974, factor=2.0)
    """
    found = find_preset(name)
    if found.fixed is None:
        known = ", ".join(other for other, p in PRESETS.items() if p.fixed is not None)
        raise ArgumentError(
            f"preset={name!r} has no fixed normalization (only {known} do): "
            "measure your data with spectronorm.fit and fit a normalizer"
        )
    shift, scale, factor = (*found.fixed, 1.0)[:3]
    fixed = Fixed(shift, scale, factor, padding=found.padding)
    return Pipeline(found.front_end, fixed.for_front_end(found.front_end))


def _parse(header: Mapping[str, Any], tensors: container.Tensors) -> Pipeline:
    front_end = any_front_end(header["front_end"])
    if header["fingerprint"] != front_end.fingerprint:
        raise ValueError("the fingerprint does not fit the front end")
    settings = NORMALIZERS.from_plain(header["normalizer"])
    fitted_on = parse_fitted_on(header["fitted_on"], least=1 if settings.needs_data else 0)
    affine = _affine(tensors, front_end.level_shape) if tensors else None
    fitted = FittedNormalizer(settings, front_end, affine, fitted_on)
    if affine is None:
        fitted.affine_of(np.zeros((*front_end.level_shape, 1)))  # A normalizer over a data set needs its map.
    return Pipeline(front_end, fitted)


def _affine(tensors: container.Tensors, level_shape: tuple[int, ...]) -> Affine:
    shift, scale = tensors["shift"], tensors["scale"]
    shapes = {(1, 1), *product(*((1, count) for count in level_shape), (1,))}
    for tensor in (shift, scale):
        if tensor.dtype != np.float64 or tensor.shape not in shapes or len(tensors) != 2:
            raise ValueError(f"shift and scale must be float64 and fit levels of {level_shape}, a column each")
    if (
        not (np.abs(shift) <= LARGEST_IN_MAP).all()
        or not ((scale >= 1.0 / LARGEST_IN_MAP) & (scale <= LARGEST_IN_MAP)).all()
    ):
        raise ValueError(f"shift or scale is beyond all levels ({LARGEST_IN_MAP:g})")
    return Affine(shift, scale)
