"""Spectrograms that another program makes: what must be known to measure them exactly."""

from __future__ import annotations

import hashlib
import json
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Array, real_number, to_host
from spectronorm.errors import ArgumentError, FrontEndMismatch, LayoutWarning, ShapeError
from spectronorm.front_end.axes import checked_axes, unconfirmed
from spectronorm.front_end.compress.grid import Grid
from spectronorm.front_end.json_file import described_object, load_described
from spectronorm.short_repr import with_short_repr
from spectronorm.storage import DAMAGE, canonical_json
from spectronorm.suggestion import known_settings

_MOST_BITS = 40
_CELLS = 8192
_FEWEST_STEPS = 256
_MOST_ROWS = 1 << 16
_MARGIN = 10.0
"""A proposed range is this many times as wide as the levels that it was proposed for."""
_LARGEST = 1e30


@known_settings
@with_short_repr
@dataclass(frozen=True)
class Levels:
    """Spectrograms made elsewhere, described so that they can be measured, normalized and saved like our own.

    A `Levels` stands where a `FrontEnd` stands in profiles, normalizers and pipelines. A level is `(..., band, frame)`,
    or `(..., channel, band, frame)` with more than one channel. Unit and range are required because exactness is a
    grid of integers: `resolution` is the step that follows from the range, 2^-25 of its larger bound or finer. Two
    values are equal when all but their `layout` is.

    Args:
        bands: Number of bands of each channel.
        unit: Unit of the values, for tables and axes, such as `dB`, `ln` or `normalized`.
        low: Lowest value that can occur.
        high: Highest value that can occur; a value outside is an error, never clipped.
        channels: Number of channels.
        floor: Value that silence has; by default `low`. Its share is measured.
        layout: Axes of one clip in feature files: `f` band, `t` frame and `c` channel, such as `ft`, `tf` or `cft`.
            By default `ft`, or `cft` with several channels.
        frame_rate: Frames a second, so that lengths can be told in seconds; None where it is not known.
        made_by: Program that makes the levels, for messages.
        settings: Settings of that program, as JSON values; part of the identity.

    Raises:
        ArgumentError: if a field is invalid.

    >>> levels = Levels(bands=64, unit="dB", low=-120, high=60, made_by="torchaudio", settings={"n_fft": 400})
    >>> levels.resolution
    3.814697265625e-06
    """

    bands: int
    unit: str
    low: float
    high: float
    channels: int = 1
    floor: float = None  # type: ignore[assignment]  # a number once the value is made
    layout: str = field(default="", compare=False)
    frame_rate: float | None = None
    made_by: str = ""
    settings: Any = ()

    def __post_init__(self) -> None:
        for name in ("bands", "channels"):
            value = getattr(self, name)
            if type(value) is not int or not 1 <= value <= _MOST_ROWS:
                raise ArgumentError(f"{name}={value!r} must be a whole number in 1 … {_MOST_ROWS}")
        if self.bands * self.channels > _MOST_ROWS:
            raise ArgumentError(f"channels={self.channels} of bands={self.bands} are more than {_MOST_ROWS} rows")
        for name in ("unit", "made_by"):
            if not isinstance(getattr(self, name), str):
                raise ArgumentError(f"{name}={getattr(self, name)!r} must be text")
        if not self.unit:
            raise ArgumentError("unit='' must say what the values are in, such as dB, ln, log10 or normalized")
        self._set_numbers()
        object.__setattr__(self, "settings", _frozen_settings(self.settings))
        object.__setattr__(self, "layout", checked_axes(self.layout, self.channels))
        _ = self.grid  # refuses a range that cannot be counted

    def _set_numbers(self) -> None:
        for name in ("low", "high", "floor", "frame_rate"):
            value: object = getattr(self, name)
            if value is None and name in ("floor", "frame_rate"):
                continue
            object.__setattr__(self, name, float(real_number(value, name, -_LARGEST, _LARGEST)))
        if not self.low < self.high:
            raise ArgumentError(f"low={self.low:g}, high={self.high:g}: low must lie below high")
        if getattr(self, "floor", None) is None:
            object.__setattr__(self, "floor", self.low)
        if not self.low <= self.clip_floor(self.high) <= self.high:
            raise ArgumentError(f"floor={self.floor:g} must lie in the range {self.low:g} … {self.high:g}")
        if self.frame_rate is not None:
            real_number(self.frame_rate, "frame_rate", 1e-6, 1e6, of="Hz")

    @classmethod
    def like(cls, batch: Array, *, unit: str, layout: str, **rest: Any) -> Levels:
        """Levels as in `batch`, with a proposed range ten times as wide as that of the batch, in round numbers.

        Args:
            batch: A NumPy array or torch tensor of levels.
            unit: Unit of the values.
            layout: Its axes, such as `bft` or `btf`: `b` batch, `c` channel, `f` band, `t` frame.
            rest: Other fields; they go before what is proposed.

        Raises:
            ShapeError: if the batch has other axes, holds no values, or is not floating point.
            ArgumentError: if it holds NaN or infinity.

        >>> Levels.like(np.array([[-60.0, 12.0]]), unit="dB", layout="ft").high
        400.0
        """
        values = to_host(batch.float() if hasattr(batch, "is_floating_point") else batch)
        if sorted(layout) not in (sorted("bcft"), sorted("bft"), sorted("cft"), sorted("ft")):
            raise ArgumentError(f"layout={layout!r} must name each axis once: b batch, c channel, f band, t frame")
        if values.ndim != len(layout) or not values.size or not np.issubdtype(values.dtype, np.floating):
            raise ShapeError(
                f"a batch of shape {values.shape} and type {values.dtype} is not {layout} of floating-point numbers"
            )
        if not np.isfinite(values).all():
            raise ArgumentError("the batch holds NaN or infinity; a range can be proposed for finite values only")
        if (problem := unconfirmed(values.shape, layout)) is not None:
            warnings.warn(f"a batch of shape {values.shape} has {problem}", LayoutWarning, stacklevel=3)
        lowest, highest = float(values.min()), float(values.max())
        proposed = {
            "bands": values.shape[layout.index("f")],
            "channels": values.shape[layout.index("c")] if "c" in layout else 1,
            "layout": layout.replace("b", ""),
            **_proposed_range(lowest, highest),
        }
        return cls(unit=unit, **{**proposed, **rest})

    @cached_property
    def level_shape(self) -> tuple[int, ...]:
        """The axes of a level before its frames – `(band,)`, or `(channel, band)` with several channels."""
        return (self.bands,) if self.channels == 1 else (self.channels, self.bands)

    @cached_property
    def n_bands(self) -> int:
        """Number of rows of a level – the bands of all channels."""
        return self.channels * self.bands

    @cached_property
    def grid(self) -> Grid:
        """The integers that levels are counted on – as fine as 25 bits allow, in about 8192 histogram cells."""
        largest = max(abs(self.low), abs(self.high))
        bits = min(_MOST_BITS, math.floor(math.log2((2**25 - 1) / largest)))
        if bits < 0:
            raise ArgumentError(
                f"a range of {self.low:g} … {self.high:g} cannot be counted on whole numbers below 2^25; "
                "take a logarithm, or divide the values"
            )
        cell_bits = max(0, bits + math.ceil(math.log2((self.high - self.low) / _CELLS)))
        if (self.high - self.low) * (1 << bits) < _FEWEST_STEPS:
            raise ArgumentError(
                f"a range of {self.low:g} … {self.high:g} has fewer than {_FEWEST_STEPS} steps of the finest grid that "
                f"holds it, {2.0**-bits:.3g}; multiply the values, or subtract a constant"
            )
        steps = float(1 << bits)
        low, high = math.floor(self.low * steps) / steps, math.ceil(self.high * steps) / steps
        return Grid(steps=1 << bits, cell_bits=cell_bits, low=low, high=high)

    @property
    def resolution(self) -> float:
        """The step of the grid, in `unit`."""
        return 1.0 / self.grid.steps

    @property
    def sample_rate(self) -> float:
        """The rate of what lengths are counted in, which is frames; NaN where it is not known."""
        return math.nan if self.frame_rate is None else self.frame_rate

    def clip_floor(self, highest: float) -> float:  # noqa: ARG002  (a front end's may depend on the clip)
        """The floor of one clip: the same for all."""
        return self.floor

    @property
    def floor_follows_highest(self) -> bool:
        """False – the floor of levels made elsewhere is one number."""
        return False

    def band_hz(self) -> NDArray[np.float64]:
        """NaN for each row: which frequencies the bands have is not known."""
        return np.full(self.n_bands, np.nan)

    def empty_bands(self) -> list[int]:
        """None that is known of."""
        return []

    def __call__(self, wave: Array) -> Array:  # noqa: ARG002  (called like a front end)
        """Raise `ArgumentError`: only the program that made these levels can compute them."""
        raise ArgumentError(f"computing levels from a wave: {self.refusal}")

    @property
    def refusal(self) -> str:
        """Reason why nothing can be computed from samples, or inverted to samples."""
        by = f" by {self.made_by!r}"[:203] if self.made_by else ""
        return f"these levels were made elsewhere{by}: spectronorm can measure and normalize them, not compute them"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values of everything that identifies these levels."""
        plain = {f.name: getattr(self, f.name) for f in fields(self) if f.compare}
        return {"levels": {**plain, "settings": dict(self.settings)}}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Levels:
        """The levels of `to_dict`'s values; raises `ArgumentError` for anything else."""
        inner = plain.get("levels")
        if set(plain) != {"levels"} or not isinstance(inner, Mapping):
            raise ArgumentError("levels are described by an object {'levels': {…}}, as Levels.to_json writes it")
        unknown = sorted(set(inner) - {f.name for f in fields(cls)})
        if unknown:
            raise ArgumentError(
                f"levels have no field {', '.join(map(repr, unknown))}; their fields are "
                f"{', '.join(f.name for f in fields(cls))}"
            )
        try:
            return cls(**inner)
        except ArgumentError:
            raise
        except DAMAGE as error:
            raise ArgumentError(f"the description of the levels is incomplete ({error})") from None

    def to_json(self) -> str:
        """Readable JSON with the layout of feature files, as `spectronorm fit --levels` takes it."""
        plain = {**self.to_dict()["levels"], "layout": self.layout}
        return json.dumps({"levels": plain}, indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Levels:
        """The levels that a JSON text describes; raises `ArgumentError` when it describes none."""
        return cls.from_dict(described_object(text, "levels", "Levels.to_json"))

    @classmethod
    def load(cls, path: str | Path) -> Levels:
        """The levels in a JSON file; raises `ArgumentError` when there are none."""
        return load_described(path, cls.from_json, "levels")

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits, equal exactly when all settings are, from the SHA-256 of the canonical JSON."""
        return hashlib.sha256(canonical_json(self.to_dict()).encode()).hexdigest()[:16]

    def require_same(self, other: object, what: str) -> None:
        """Raise `FrontEndMismatch`, naming the fields that differ, unless `other` describes the same levels."""
        if self == other:
            return
        if not isinstance(other, Levels):
            raise FrontEndMismatch(f"{what} was made by a front end of spectronorm, not of these levels ({self.title})")
        differing = (f.name for f in fields(self) if f.compare and getattr(self, f.name) != getattr(other, f.name))
        pairs = "; ".join(f"{name}: {getattr(self, name)} here, {getattr(other, name)} there" for name in differing)
        raise FrontEndMismatch(f"{what} was made of other levels ({pairs}); use the same ones for both")

    @property
    def title(self) -> str:
        """The levels in one line."""
        shape = f"{self.bands} bands" if self.channels == 1 else f"{self.channels} channels of {self.bands} bands"
        by = f", made by {self.made_by!r}" if self.made_by else ""
        return f"levels of {shape} in {self.unit!r}, {self.low:g} … {self.high:g}{by}"


def _proposed_range(lowest: float, highest: float) -> dict[str, float]:
    width = _MARGIN * max(highest - lowest, abs(highest), abs(lowest), 1e-9) / 2
    step = 10.0 ** math.floor(math.log10(width))
    low, high = math.floor((lowest - width) / step) * step, math.ceil((highest + width) / step) * step
    return {"low": 0.0 if lowest >= 0 else low, "high": high}


def _frozen_settings(settings: Any) -> tuple[tuple[str, Any], ...]:
    """Settings as sorted pairs, which can be hashed; nested ones as `outer.inner`."""
    pairs: dict[str, Any] = {}
    try:
        for name, value in dict(settings).items():
            if not isinstance(name, str):
                raise ArgumentError(f"settings: the name {name!r} is not text")
            if isinstance(value, Mapping):
                pairs |= {f"{name}.{inner}": deep for inner, deep in _frozen_settings(value)}
            else:
                pairs[name] = _frozen(value)
        canonical_json(pairs)
    except (TypeError, ValueError, RecursionError) as error:
        raise ArgumentError(f"settings={settings!r:.200} must be an object of JSON values ({error})") from None
    return tuple(sorted(pairs.items()))


def _frozen(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(_frozen(one) for one in value)
    return value.item() if isinstance(value, np.generic) else value
