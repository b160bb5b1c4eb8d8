"""Profile: a front end and the measurement of a data set, group by group."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import column_values
from spectronorm.counted import and_seconds, counted
from spectronorm.errors import ArgumentError, PluginError
from spectronorm.front_end import AnyFrontEnd, Levels
from spectronorm.html_summary import band_svg, html_table
from spectronorm.profile import storage, tables
from spectronorm.profile.bad_files import BadFile
from spectronorm.profile.counting import clip_histograms, int128
from spectronorm.profile.counting.format_counts import FORMAT_FIELDS
from spectronorm.profile.counting.measurement import Measurement
from spectronorm.profile.groups import GroupKey
from spectronorm.profile.listed_file import ListedFile
from spectronorm.profile.plot import plot_bands
from spectronorm.profile.statistics import Statistics
from spectronorm.short_repr import shortened
from spectronorm.storage import container
from spectronorm.storage.fields_only import FieldsOnly
from spectronorm.suggestion import did_you_mean, known_settings
from spectronorm.version import __version__


@known_settings
@dataclass(frozen=True, eq=False, repr=False)
class Profile(FieldsOnly):
    """A front end's exact measurement of a data set, in groups that can be added and left out.

    Everything is integers, so `a + b` is exact and free of order, and `without(fold=1)` is what a pass over the other
    folds would have measured. `band` and `overall` hold the figures of the gridded levels (see `Grid`) in the level's
    unit: `profile.band.mean` is a number for each band, `profile.overall.mean` one number for all of them. `bad` are
    the files that were left out, `flagged` the silent and constant ones that were counted like any other. With
    `exclude_floor` every figure but the floor share is of the cells above the floor (see `excluding_floor`).
    `left_out` says what was held out, such as `fold=1`. With `from_levels` no samples were seen (see `Meter`): nothing
    is known of the waveforms, lengths are in frames, and digests are of levels. `libraries` are names and versions of
    the libraries that decided the last bits, `commands` the command lines that measured, and `files` the measured files
    with digests, if `fit` was asked to list them. These three identify nothing, so equal profiles may have others.

    >>> import numpy as np, spectronorm as sn
    >>> waves = [(0.1 * np.random.default_rng(n).standard_normal(16_000), 16_000) for n in range(3)]
    >>> profile = sn.fit(waves[:2]) + sn.fit(waves[2:])
    >>> profile.clips, profile == sn.fit(waves)
    (3, True)
    """

    front_end: AnyFrontEnd
    groups: Mapping[GroupKey, Measurement]
    bad: tuple[BadFile, ...] = ()
    duration: float | None = None
    version: str = __version__
    flagged: tuple[BadFile, ...] = ()
    exclude_floor: bool = False
    left_out: tuple[str, ...] = ()
    from_levels: bool = False
    libraries: tuple[tuple[str, str], ...] = ()
    commands: tuple[str, ...] = ()
    files: tuple[ListedFile, ...] = ()

    def __post_init__(self) -> None:
        if not self.groups:
            raise ArgumentError("a profile needs at least one group with a measured clip")
        object.__setattr__(self, "groups", dict(sorted(self.groups.items())))
        object.__setattr__(self, "bad", tuple(sorted(self.bad)))
        object.__setattr__(self, "flagged", tuple(sorted(self.flagged)))
        object.__setattr__(self, "files", tuple(sorted(self.files)))
        if isinstance(self.front_end, Levels):
            object.__setattr__(self, "from_levels", True)
        if self.exclude_floor:
            require_fixed_floor(self.front_end)

    def __repr__(self) -> str:
        return shortened(f"Profile({', '.join(told for _, told in self._facts())})")

    def _repr_html_(self) -> str:
        figures = [(name, told.removeprefix(f"{name} ").removesuffix(f" {name}")) for name, told in self._facts()]
        drawing = band_svg(self.band.mean, self.band.std, self.front_end.unit, self.front_end.band_hz())
        return html_table(f"Profile {self.front_end.fingerprint}", figures) + drawing

    def _facts(self) -> list[tuple[str, str]]:
        """Return the measured data and figures, each with a name, in short words."""
        unit, pooled = self.front_end.unit, self.overall
        facts = [
            ("clips", counted(self.clips, "clip")),
            ("length", f"{self.frames:,} frames" if self.from_levels else f"{self.seconds / 60:.1f} min"),
            ("bands", counted(self.front_end.n_bands, "band")),
            ("mean", f"mean {pooled.mean:.2f} {unit}"),
            ("std", f"std {pooled.std:.2f} {unit}"),
            ("floor", f"floor {pooled.floor_share:.1%}"),
        ]
        for column in self.group_columns():
            values = sorted({dict(key)[column] for key in self.groups if column in dict(key)})
            listed = ", ".join(values) if len(values) <= 5 else f"{values[0]} … {values[-1]}"
            facts.append((column, f"{column} {listed}"))
        if len(rates := self.formats.get("sample_rate", {})) > 1:
            facts.append(("sample rates", f"sample rates {min(rates)} … {max(rates)} Hz"))
        if self.bad:
            facts.append(("bad files", counted(len(self.bad), "bad file")))
        if self.left_out:
            facts.append(("without", f"without {', '.join(self.left_out)}"))
        return facts

    @cached_property
    def total(self) -> Measurement:
        """Measurement of all groups together."""
        return Measurement.sum(self.groups.values())

    @cached_property
    def band(self) -> Statistics:
        """Statistics of each band, as arrays `(band,)`."""
        return Statistics(self.total, self.front_end.grid, without_floor=self._without_floor)

    @cached_property
    def overall(self) -> Statistics:
        """Statistics of all bands pooled."""
        return Statistics(self.total.pooled(), self.front_end.grid, pooled=True, without_floor=self._without_floor)

    def pooled_rows(self, rows: Sequence[Sequence[int]]) -> Statistics:
        """The figures of sets of bands, each pooled; their standard errors are infinite, since nothing is known."""
        pooled = self.total.pooled_rows(rows)
        return Statistics(pooled, self.front_end.grid, without_floor=self._without_floor)

    @property
    def _without_floor(self) -> int | None:
        return self.front_end.grid.integer(self.front_end.floor) if self.exclude_floor else None

    def excluding_floor(self) -> Profile:
        """Return this profile with every figure taken over the cells above the floor.

        Digital silence can be a tenth of a data set and raise its std by half. Nothing is measured again: every cell on
        the floor holds one integer, so the floor is removed exactly, from the standard errors too. A band that never
        leaves the floor keeps its cells, since it has no others.

        Raises:
            ArgumentError: if the floor depends on the clip (`top_db`).
        """
        return replace(self, exclude_floor=True)

    def flat_effect(self) -> Mapping[str, float] | None:
        """Effect of silent and constant clips on the pooled figures: `mean` and `std` with these clips minus without.

        None if there are no such clips, or no other clips. Always computed over all cells, whatever `exclude_floor` is.
        """
        m = self.total.pooled()
        rest = int(m.count[0] - m.flat_count[0])
        if not m.flat or not rest:
            return None
        steps = self.front_end.grid.steps
        squares = int(int128.to_integers(m.squares - m.flat_squares)[0])
        total = int(m.total[0] - m.flat_total[0])
        mean, std = total / (rest * steps), math.sqrt(rest * squares - total * total) / (rest * steps)
        both = Statistics(m, self.front_end.grid, pooled=True)
        return {"mean": both.mean - mean, "std": both.std - std}

    @property
    def clips(self) -> int:
        """Number of clips measured."""
        return self.total.clips

    @property
    def frames(self) -> int:
        """Number of frames measured."""
        return self.total.frames

    @property
    def seconds(self) -> float:
        """Total length of the measured audio, in seconds."""
        return self.total.samples / self.front_end.sample_rate

    @property
    def clip_rms(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Lower cell edges (dBFS) and clip counts of the RMS level before waveform normalization."""
        return clip_histograms.dbfs_edges(), self.total.rms

    @property
    def clip_peak(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Lower cell edges (dBFS) and clip counts of the peak before waveform normalization."""
        return clip_histograms.dbfs_edges(), self.total.peak

    @property
    def clip_seconds(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Lower cell edges (seconds) and clip counts of the length."""
        return clip_histograms.length_edges() / self.front_end.sample_rate, self.total.length

    @property
    def formats(self) -> Mapping[str, Mapping[int, int]]:
        """Number of clips by `sample_rate` (Hz), `channels` and `bits` of their recordings, before any resampling.

        `bits` 0 is an encoding without a fixed number of bits (MP3, Vorbis), or a wave that lay in no file. Clips are
        missing here if nothing is known of them: levels made elsewhere, and profiles of earlier versions.
        """
        return {name: self.total.formats.by(name) for name in FORMAT_FIELDS} if self.total.formats.pairs else {}

    def mostly_floor(self, share: float = 0.5) -> list[int]:
        """Bands with more than `share` of their cells on the floor, so that their statistics describe silence."""
        return [int(band) for band in np.flatnonzero(self.band.floor_share > share)]

    def group_columns(self) -> list[str]:
        """Columns that groups were formed by."""
        return sorted({column for key in self.groups for column, _ in key})

    def without(self, **columns: object) -> Profile:
        """Return the profile without the groups that match all these values: exactly the profile of the other groups.

        Raises:
            ArgumentError: if no group has such a value, or if nothing would be left.
        """
        return self._where(columns, keep=False)

    def only(self, **columns: object) -> Profile:
        """Return the profile of the groups that match all these values.

        Raises:
            ArgumentError: if no group has such a value.
        """
        return self._where(columns, keep=True)

    def _where(self, columns: Mapping[str, object], *, keep: bool) -> Profile:
        wanted = {name: column_values(name, value) for name, value in columns.items()}
        for name, values in wanted.items():
            self._require_groups(name, values)

        def matches(key: GroupKey) -> bool:
            own = dict(key)
            return all(own.get(name) in values for name, values in wanted.items()) is keep

        groups = {key: measurement for key, measurement in self.groups.items() if matches(key)}
        if not groups:
            raise ArgumentError(f"{_words(wanted)}: nothing would be left of the profile; hold out less")
        bad, flagged = (tuple(file for file in listed if matches(file.group)) for listed in (self.bad, self.flagged))
        files = tuple(file for file in self.files if matches(file.group))
        left_out = self.left_out if keep else (*self.left_out, _words(wanted))
        return replace(self, groups=groups, bad=bad, flagged=flagged, files=files, left_out=left_out)

    def _require_groups(self, name: str, wanted: Sequence[str]) -> None:
        values = sorted({dict(key)[name] for key in self.groups if name in dict(key)})
        for value in wanted:
            if value not in values:
                formed = f"groups were formed by {', '.join(self.group_columns()) or 'no column'}"
                known = f"{name} is one of {', '.join(values)}" if values else f"{formed}; fit with --group-by {name}"
                alike = did_you_mean(value, values) if values else did_you_mean(name, self.group_columns())
                raise ArgumentError(f"{name}={value}: the profile has no such group; {known}{alike}")

    def __add__(self, other: Profile) -> Profile:
        """Combine both data sets; the front ends must be equal."""
        if not isinstance(other, Profile):
            return NotImplemented
        return Profile.sum([self, other])

    def __radd__(self, other: object) -> Profile:
        """`sum(profiles)`, which begins with 0, is `Profile.sum(profiles)`."""
        return self if isinstance(other, int) and other == 0 else NotImplemented

    @classmethod
    def sum(cls, profiles: Iterable[Profile]) -> Profile:
        """Combine all profiles.

        Raises:
            FrontEndMismatch: if the front ends differ.
            ArgumentError: if clips were cropped or padded to different durations, or if there is no profile.
        """
        parts = list(profiles)
        if not parts:
            raise ArgumentError("there is no profile to add up; give at least one")
        by_key: dict[GroupKey, list[Measurement]] = {}
        for part in parts:
            parts[0].front_end.require_same(part.front_end, "the other profile")
            if part.duration != parts[0].duration:
                raise ArgumentError(f"durations differ ({parts[0].duration} and {part.duration} s); measure both alike")
            if part.exclude_floor != parts[0].exclude_floor:
                raise ArgumentError("one profile leaves the floor out and the other does not; treat both alike")
            if part.from_levels != parts[0].from_levels:
                raise ArgumentError("one profile was measured from levels and the other from audio; measure both alike")
            for key, measurement in part.groups.items():
                by_key.setdefault(key, []).append(measurement)
        groups = {key: Measurement.sum(several) for key, several in by_key.items()}
        bad = tuple(file for part in parts for file in part.bad)
        flagged = tuple(file for part in parts for file in part.flagged)
        # One part may hold the clips that another leaves out.
        left_out = tuple(sorted(set.intersection(*(set(part.left_out) for part in parts))))
        # A list of some of the files would pass for the whole.
        files = tuple(file for part in parts for file in part.files) if all(part.files for part in parts) else ()
        commands = tuple(dict.fromkeys(sorted(line for part in parts for line in part.commands)))
        several = dict.fromkeys(pair for part in parts for pair in part.libraries)
        versions: dict[str, list[str]] = {}
        for name, version in sorted(several):
            versions.setdefault(name, []).append(version)
        libraries = tuple((name, ", ".join(found)) for name, found in versions.items())
        return replace(
            parts[0],
            groups=groups,
            bad=bad,
            flagged=flagged,
            left_out=left_out,
            libraries=libraries,
            commands=commands,
            files=files,
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Profile):
            return NotImplemented
        return (
            all(getattr(self, name) == getattr(other, name) for name in _COMPARED)
            and self.groups.keys() == other.groups.keys()
            and all(measurement == other.groups[key] for key, measurement in self.groups.items())
        )

    __hash__ = None  # type: ignore[assignment]

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the profile atomically; its bytes are a pure function of data, settings and what it notes."""
        container.save_tensors(Path(path), *self.to_container(), overwrite=overwrite)

    def to_container(self) -> tuple[dict[str, Any], container.Tensors]:
        """Return the header and tensors that `save` writes and `from_container` reads."""
        notes = storage.Notes(**{f.name: getattr(self, f.name) for f in fields(storage.Notes)})
        header, tensors = storage.contents(self.front_end, self.groups, notes)
        facts = {"clips": self.clips, "frames": self.frames, "seconds": _number(self.seconds)}
        return {**header, **facts}, tensors

    @classmethod
    def load(cls, path: str | Path) -> Profile:
        """Read a profile.

        Raises:
            FileFormatError: if the file is not a valid profile.
        """
        return cls.from_container(*container.load_tensors(Path(path)), Path(path))

    @classmethod
    def from_container(cls, header: Mapping[str, Any], tensors: container.Tensors, path: Path) -> Profile:
        """Build a profile from a container read from `path`.

        Raises:
            FileFormatError: if the container is not a valid profile.
        """
        try:
            front_end, groups, notes = storage.parse(header, tensors, path)
        except PluginError as error:
            raise PluginError(f"{path}: {error}") from None
        return cls(front_end, groups, **{f.name: getattr(notes, f.name) for f in fields(notes)})

    def to_frame(self) -> Any:
        """The figures of each band as a pandas table, indexed by band, or by channel and band."""
        return tables.to_frame(self.band, self.front_end)

    def to_xarray(self) -> Any:
        """The figures of each band as an xarray data set, with the frequencies of the bands as a coordinate."""
        return tables.to_xarray(self.band, self.front_end)

    def plot(self, ax: Any = None) -> Any:
        """Draw mean, deviation and extremes by band, and return the axes.

        Args:
            ax: Axes to draw on; by default those of a new figure, with the share on the floor below them.

        Raises:
            MissingExtra: if matplotlib is not installed.
        """
        amount = f"{counted(self.clips, 'clip')}{and_seconds(self.seconds, ',.0f')}"
        return plot_bands(self.band, self.front_end, f"{amount}, fingerprint {self.front_end.fingerprint}", ax)

    def summary(self) -> dict[str, Any]:
        """Return plain JSON values that describe the measurement, as printed by `spectronorm show --json`."""
        names = ("mean", "std", "min", "max", "floor_share")
        return {
            "clips": self.clips,
            "population": self.total.population,
            "frames": self.frames,
            "seconds": _number(self.seconds),
            "formats": {name: {str(key): n for key, n in table.items()} for name, table in self.formats.items()},
            "flat_clips": self.total.flat,
            "flat_effect": self.flat_effect(),
            "flagged": [file.to_dict() for file in self.flagged],
            "exclude_floor": self.exclude_floor,
            "left_out": list(self.left_out),
            "fingerprint": self.front_end.fingerprint,
            "front_end": self.front_end.to_dict(),
            "unit": self.front_end.unit,
            "duration": self.duration,
            "version": self.version,
            "groups": [
                {
                    **dict(key),
                    "clips": m.clips,
                    "frames": m.frames,
                    "seconds": _number(m.samples / self.front_end.sample_rate),
                }
                for key, m in self.groups.items()
            ],
            "bad": [file.to_dict() for file in self.bad],
            "bad_reasons": dict(sorted(Counter(file.reason.value for file in self.bad).items())),
            "global": {name: _number(getattr(self.overall, name)) for name in (*names, "mean_se", "std_se")},
            "band": {
                "hz": [_number(hz) for hz in self.front_end.band_hz()],
                **{name: [_number(v) for v in getattr(self.band, name)] for name in (*names, "mean_se", "std_se")},
            },
            "mostly_floor": self.mostly_floor(),
        }


_COMPARED = ("front_end", "bad", "duration", "version", "flagged", "exclude_floor", "left_out", "from_levels")


def require_profile(given: object) -> Profile:
    """Return a profile; raise `ArgumentError`, which says how one is made, for anything else."""
    if isinstance(given, Profile):
        return given
    if isinstance(given, str | Path):
        raise ArgumentError(
            f"a normalizer is fitted to a Profile, not to a path: load it first, sn.load({str(given)!r})"
        )
    raise ArgumentError(
        f"a normalizer is fitted to a Profile, not to a {type(given).__name__}: measure first, by "
        "sn.fit(source, front_end) or sn.Meter(levels, layout).add(batch).profile()"
    )


def require_fixed_floor(front_end: AnyFrontEnd) -> None:
    """Check that all clips share one floor; otherwise the floor's cells cannot be identified afterwards.

    Raises:
        ArgumentError: if each clip has its own floor.
    """
    if front_end.clip_floor(front_end.grid.high) != front_end.floor:
        raise ArgumentError(
            "exclude_floor needs one floor for all clips, but this front end's is relative to each clip's own peak "
            "(top_db); choose a fixed one (floor_db)"
        )


def _number(value: float) -> float | None:
    """Return a JSON number; an unknown value (the standard error of one clip) is null."""
    return float(value) if np.isfinite(value) else None


def _words(columns: Mapping[str, Sequence[str]]) -> str:
    return ", ".join(f"{name}={' or '.join(values)}" for name, values in columns.items())
