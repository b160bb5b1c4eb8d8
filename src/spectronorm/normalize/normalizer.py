"""Contract of a normalizer: settings that, fitted to a profile, give a frozen and invertible map."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn, Protocol

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from spectronorm.arrays import Affine, Array, namespace
from spectronorm.errors import ArgumentError, ShapeError
from spectronorm.front_end import AnyFrontEnd
from spectronorm.front_end.fast.mapped import BandMap
from spectronorm.normalize.fitted_on import FittedOn
from spectronorm.normalize.scikit_learn import Parameters, params_of, transformer_tags, with_private_attributes
from spectronorm.profile import Profile, require_profile
from spectronorm.registry import Registry
from spectronorm.short_repr import with_short_repr
from spectronorm.suggestion import known_settings

PADDINGS = ("zero", "silence", "zero-level")
"""Values for frames behind the end of a padded clip: zero after normalization, the level of silence, or level zero."""


class ClipStream(Protocol):
    """The maps of one clip's frames, piece by piece."""

    def add(self, x: NDArray[np.float64]) -> tuple[NDArray[np.float64], Affine]:
        """Take frames `(band, frame)`; return those whose map is known now, and their map."""

    def flush(self) -> tuple[NDArray[np.float64], Affine]:
        """Return the frames that still waited, and their map."""


class Normalizer(Parameters, ABC):
    """Settings of a normalization, as a frozen dataclass; `fit` is a pure function of the profile.

    A subclass only needs `fit`; everything else has a default, which suits one map `(level - shift) / scale` that is
    measured over the data set. See `ClipNormalizer` for a normalizer that finds a map in each clip.

    >>> import numpy as np, spectronorm as sn
    >>> waves = [(0.1 * np.random.default_rng(n).standard_normal(16_000), 16_000) for n in range(3)]
    >>> profile = sn.fit(waves, sn.FrontEnd(bands=sn.Mel(40)))
    >>> [sn.normalizer(name).fit(profile).affine.scale.shape for name in ("global", "band", "minmax")]
    [(1, 1), (40, 1), (1, 1)]
    """

    variants: ClassVar[Mapping[str, Mapping[str, Any]] | None] = None
    """Names for `--normalize` with their settings; None for the registered name with the default settings."""

    needs_data: ClassVar[bool] = True
    """False if the numbers are given, so that fitting uses no data."""

    padding: ClassVar[str] = "zero"
    """Value of padded frames, one of `PADDINGS`. If the normalizer subtracts a mean, zero is that mean and neutral;
    otherwise zero may be a loud level, and padding takes the value of silence."""

    @abstractmethod
    def fit(self, profile: Profile) -> FittedNormalizer:
        """Return the map for levels of the profile's front end."""

    def __call__(self, level: Array) -> NoReturn:
        """Raise `ArgumentError`: settings map no level before they are fitted."""
        raise self._unfitted("(level)", level)

    def inverse(self, x: Array) -> NoReturn:
        """Raise `ArgumentError`: settings invert nothing before they are fitted."""
        raise self._unfitted(".inverse(x)", x)

    def _unfitted(self, call: str, given: object) -> ArgumentError:
        name = type(self).__name__
        return ArgumentError(
            f"{name} is not fitted, so it maps no {type(given).__name__}: fitted = {name}(...).fit(profile), "
            f"then fitted{call}"
        )

    @property
    def one_map(self) -> bool:
        """True if all bands and clips get one shift and one positive scale, which a first BatchNorm undoes."""
        return False

    @property
    def maps_clips(self) -> bool:
        """True if `clip_affine` finds a map in each clip."""
        return False

    @property
    def uses_data_set(self) -> bool:
        """True if the normalizer applies a map of the data set, either alone or after the clip's own map."""
        return True

    def clip_affine(self, level: Array) -> Affine:
        """Return the map of each clip of `level` `(..., band, frame)`; only called if `maps_clips`.

        If it also takes `valid`, a boolean mask that broadcasts against `level`, `spectronorm.nn` computes padded clips
        in one batch; otherwise clip by clip.
        """
        raise NotImplementedError(f"{self} finds no map in a level of shape {level.shape}")

    @property
    def causal(self) -> bool:
        """True if no frame's result depends on later frames, apart from a fixed number of the first ones.

        Streams take causal normalizers: those of the data set, and sliding windows that end at their frame.
        """
        return not self.maps_clips

    def clip_stream(self, bands: int) -> ClipStream:
        """Return the maps of one clip's frames, piece by piece; only called if `maps_clips`.

        Raises:
            ArgumentError: if a later frame may change the map of an earlier one.
        """
        raise ArgumentError(
            f"{self} looks at a whole clip of {bands} bands, which a stream has only at its end; use "
            "SlidingStandardize(center=False), the nearest causal one, or a normalizer of the data set"
        )

    def clip_blocks(self, blocks: Iterable[NDArray[np.float64]]) -> Iterator[tuple[NDArray[np.float64], Affine]] | None:
        """Yield the level of one long clip again, a few frames at a time, each part with its map.

        None if the whole clip must be there at once. Only called if `maps_clips`.

        Args:
            blocks: The level `(..., band, frame)` in blocks, equal at each iteration.
        """
        return None

    def updated(self, fitted: FittedNormalizer, level: NDArray[Any], *, std: bool) -> FittedNormalizer | None:
        """Return the normalizer with mean, and with `std` also deviation, of new levels `(clip, band, frame)`.

        None if there is no mean and deviation of a data set to update.
        """
        return None


class ClipNormalizer(Normalizer):
    """Normalizer that finds a map in each clip, instead of or before a map of the data set.

    A subclass needs `clip_affine`, and `fit` only if it also uses the data set.

    >>> import numpy as np, spectronorm as sn
    >>> waves = [(0.1 * np.random.default_rng(n).standard_normal(16_000), 16_000) for n in range(3)]
    >>> fitted = sn.PerClip().fit(sn.fit(waves, sn.FrontEnd(bands=sn.Mel(40))))
    >>> x = fitted(np.random.default_rng(0).normal(-40.0, 12.0, (40, 200)))
    >>> round(float(x.std()), 6), isinstance(sn.PerClip(), ClipNormalizer)
    (1.0, True)
    """

    @property
    def maps_clips(self) -> bool:
        """Always true."""
        return True

    @property
    def uses_data_set(self) -> bool:
        """True if a map of the data set follows the clip's own map."""
        return False

    def fit(self, profile: Profile) -> FittedNormalizer:
        """Store the front end; there is nothing else to fit."""
        return FittedNormalizer(self, require_profile(profile).front_end, None, FittedOn.of(profile))

    @abstractmethod
    def clip_affine(self, level: Array) -> Affine:
        """Return the map of each clip of `level` `(..., band, frame)`; see `Normalizer.clip_affine`."""


NORMALIZERS: Registry[Normalizer] = Registry("normalizers", "normalizer", Normalizer)
"""Every kind of normalizer by the name that saved pipelines use."""


@known_settings
@with_private_attributes
@with_short_repr
@dataclass(frozen=True)
class FittedNormalizer:
    """Maps levels `(..., band, frame)` of one front end to tensors, and exactly back.

    NumPy input gives NumPy output; torch input gives torch output. A normalizer over a data set has one `affine` for
    all clips; one that looks at each clip (`PerClip`) has none, and its inverse takes the result of `affine_of` for
    that clip. A normalizer may do both (`SlidingStandardize` with the data set's scale): the clip's map first, then the
    data set's.

    >>> import numpy as np, spectronorm as sn
    >>> front_end = sn.FrontEnd(bands=sn.Mel(40))
    >>> waves = [(0.1 * np.random.default_rng(n).standard_normal(16_000), 16_000) for n in range(3)]
    >>> fitted = sn.Standardize(per="band").fit(sn.fit(waves, front_end))
    >>> x = fitted(front_end(waves[0][0]))
    >>> bool(np.allclose(fitted.inverse(x), front_end(waves[0][0])))
    True
    """

    normalizer: Normalizer
    front_end: AnyFrontEnd
    affine: Affine | None
    fitted_on: FittedOn

    @classmethod
    def of(cls, normalizer: Normalizer, profile: Profile, shift: ArrayLike, scale: ArrayLike) -> FittedNormalizer:
        """Build a normalizer over the profile's data set, from a number or one value for each band."""
        return cls.with_map(normalizer, require_profile(profile).front_end, FittedOn.of(profile), shift, scale)

    @classmethod
    def with_map(
        cls, normalizer: Normalizer, front_end: AnyFrontEnd, fitted_on: FittedOn, shift: ArrayLike, scale: ArrayLike
    ) -> FittedNormalizer:
        """A normalizer with one map for all clips, from a number or one value per band of each channel."""
        columns = (_column(values, front_end.level_shape) for values in (shift, scale))
        return cls(normalizer, front_end, Affine(*columns), fitted_on)

    def __call__(self, level: Array) -> Array:
        """Normalize a level.

        Raises:
            ShapeError: if the number of bands is not the front end's.
        """
        return self.affine_of(level)(level)

    def stream(self) -> NormalizerStream:
        """Return a stream, which takes levels of one clip piece by piece and gives the bits of a call on them all.

        Raises:
            ArgumentError: if a later frame may change an earlier one, as for `PerClip` and centred sliding windows.
        """
        return NormalizerStream(self)

    def inverse(self, x: Array, affine: Affine | None = None) -> Array:
        """Return the level that `x` was made from.

        Args:
            x: Normalized level `(..., band, frame)`.
            affine: Result of `affine_of`, for a normalizer that finds a map in each clip.

        Raises:
            ArgumentError: if each clip has its own map and `affine` is not given.
            ShapeError: if the number of bands is not the front end's.
        """
        self._check(x)
        known = self.affine if affine is None and not self.normalizer.maps_clips else affine
        if known is None:
            raise ArgumentError(
                f"{self.normalizer} gives each clip a map of its own: keep affine_of(level) and pass it to inverse"
            )
        return known.inverse(x)

    def affine_of(self, level: Array) -> Affine:
        """Return the map that this level gets, which an inverse needs."""
        self._check(level)
        if self.normalizer.maps_clips:
            own = self.normalizer.clip_affine(level)
            if not self.normalizer.uses_data_set:
                return own
            if self.affine is not None:
                return own.then(self.affine)
        elif self.affine is not None:
            return self.affine
        raise ArgumentError(f"{self.normalizer} has no map; fit it to a profile")

    def band_map(self, dtype: DTypeLike) -> BandMap:
        """Return the map of the data set for kernels, in this dtype; only if the normalizer does not map clips.

        Raises:
            ArgumentError: if there is no map.
        """
        if self.affine is None:
            raise ArgumentError(f"{self.normalizer} has no map; fit it to a profile")
        shape = (1, *self.front_end.level_shape)[-2:]
        rows = (one.T if one.ndim == 2 else one[..., 0] for one in (self.affine.shift, self.affine.scale))
        # Copies that can be written: kernels would be compiled a second time for arrays that cannot.
        return BandMap(*(np.array(np.broadcast_to(row.astype(dtype), shape), order="C") for row in rows))

    def padded(self, level: NDArray[np.float64], frames: int) -> NDArray[np.float64]:
        """The normalized level of one clip `(..., band, frame)`, with its padding up to `frames`."""
        x = np.asarray(self(level))
        missing = frames - level.shape[-1]
        if missing <= 0:
            return x
        return np.concatenate([x, np.repeat(self.padding_of(level), missing, axis=-1)], axis=-1)

    def padding_of(self, level: NDArray[np.float64]) -> NDArray[np.float64]:
        """The values `(..., band, 1)` of the padding behind a clip of this level `(..., band, frame)`."""
        return self.padding_behind(level.shape[:-1], float(level.max()), lambda: self.affine_of(level))

    def padding_behind(
        self, shape: tuple[int, ...], highest: float, affine: Callable[[], Affine]
    ) -> NDArray[np.float64]:
        """The values `(*shape, 1)` of the padding behind a clip with this highest level and map."""
        kind = self.normalizer.padding
        if kind == "zero":
            return np.zeros((*shape, 1))
        silence = self.front_end.clip_floor(highest) if kind == "silence" else 0.0
        return np.asarray(affine()(np.full((*shape, 1), silence)))

    def require_front_end(self, front_end: AnyFrontEnd) -> None:
        """Check that the normalizer was fitted for this front end.

        Raises:
            FrontEndMismatch: if it was not, naming the settings that differ.
        """
        front_end.require_same(self.front_end, "the normalizer")

    def transform(self, level: Array) -> Array:
        """The normalized level, by the name that scikit-learn uses."""
        return self(level)

    def inverse_transform(self, x: Array) -> Array:
        """The level again, by the name that scikit-learn uses."""
        return self.inverse(x)

    def fit(self, level: Array, y: object = None) -> FittedNormalizer:
        """This normalizer, which is fitted already: a step of a scikit-learn pipeline."""
        self._check(level)
        return self

    def fit_transform(self, level: Array, y: object = None) -> Array:
        """The normalized level: nothing is fitted again."""
        return self.fit(level, y)(level)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters that `sklearn.base.clone` needs to build an equal normalizer."""
        return params_of(self)

    def __sklearn_tags__(self) -> Any:
        """The tags of a scikit-learn transformer that needs no fitting."""
        return transformer_tags(requires_fit=False)

    def __sklearn_is_fitted__(self) -> bool:
        """Always true."""
        return True

    def _check(self, level: Array) -> None:
        require_level(level, self.front_end)


class NormalizerStream:
    """Normalizes the levels of one clip piece by piece: `(band, frame)`, or `(channel, band, frame)`."""

    def __init__(self, fitted: FittedNormalizer) -> None:
        self._fitted, self._own = fitted, None
        if fitted.normalizer.maps_clips:
            self._own = fitted.normalizer.clip_stream(fitted.front_end.n_bands)

    def add(self, level: NDArray[Any]) -> NDArray[Any]:
        """Return the frames that are known with these, normalized.

        Raises:
            ShapeError: if the number of bands is not the front end's.
        """
        require_level(level, self._fitted.front_end)
        if self._own is None:
            return np.asarray(self._fitted(level))
        rows = level.reshape(self._fitted.front_end.n_bands, level.shape[-1])
        return self._mapped(*self._own.add(rows.astype(np.float64)), like=level)

    def flush(self, like: NDArray[Any]) -> NDArray[Any]:
        """Return the frames that still waited, normalized, in the kind of `like`, a level without frames."""
        if self._own is None:
            return np.asarray(self._fitted(like))
        return self._mapped(*self._own.flush(), like=like)

    def _mapped(self, x: NDArray[np.float64], own: Affine, *, like: NDArray[Any]) -> NDArray[Any]:
        shape = (*like.shape[:-1], x.shape[-1])
        affine = Affine(own.shift.reshape(shape), own.scale.reshape(shape))
        if self._fitted.normalizer.uses_data_set and self._fitted.affine is not None:
            affine = affine.then(self._fitted.affine)
        return np.asarray(affine(x.reshape(shape).astype(like.dtype)))


def require_level(level: Array, front_end: AnyFrontEnd) -> None:
    """Raise `ShapeError` unless this is an array `(..., band, frame)` (or with channels) of this front end."""
    namespace(level)  # raises for a list
    shape = front_end.level_shape
    if level.ndim <= len(shape) or tuple(level.shape[-1 - len(shape) : -1]) != shape:
        axes = f"band, frame) with the {shape[-1]} bands"
        if len(shape) > 1:
            axes = f"channel, band, frame) with the {shape[0]} channels and {shape[1]} bands"
        raise ShapeError(
            f"a level of shape {tuple(level.shape)} is not (..., {axes} of the front end that this normalizer was "
            "fitted for; pass what that front end gives"
        )


def _column(values: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return values as `(band, 1)` or `(channel, band, 1)`, a number as `(1, 1)`, one per channel as `(channel, 1, 1)`.

    Raises:
        ShapeError: if the number of values is neither one nor the number of bands.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.size == 1:
        return array.reshape((1, 1))
    if array.size == math.prod(shape):
        return array.reshape((*shape, 1))
    if len(shape) > 1 and array.shape in {(shape[0], 1), (1, shape[1])}:
        return array[..., None]
    raise ShapeError(
        f"{array.size} values of shape {array.shape} do not fit a level of {' × '.join(map(str, shape))} "
        f"{'bands' if len(shape) == 1 else '(channel, band)'}; give one number, or one value per band"
        f"{' of each channel' if len(shape) > 1 else ''}"
    )
