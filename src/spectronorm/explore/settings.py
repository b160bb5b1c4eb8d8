"""The settings chosen on the page, as a program and as commands that run as they stand."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, dataclass, fields, replace
from types import ModuleType
from typing import Any

import numpy as np

from spectronorm.audio import ClipReference, Windows
from spectronorm.audio.channels import EACH
from spectronorm.errors import ArgumentError
from spectronorm.front_end import AnyFrontEnd, FrontEnd, bands, compress, waveform
from spectronorm.front_end.front_end import SLOTS
from spectronorm.normalize import normalizer

Options = Callable[[FrontEnd], Sequence[str]]
"""Gives the command-line options of a front end."""
_TOP = ("STFT", "Mel", "Linear", "Gammatone", "Decibel", "Ln", "PCEN")
"""Classes of slots that stand at the top of the package."""


@dataclass(frozen=True)
class Settings:
    """Choices on the page.

    Attributes:
        normalize: Name of the normalizer.
        floor: Floor that levels are raised to, in the level's unit; None for the front end's own.
        exclude_floor: The statistics leave out the cells on the floor.
    """

    normalize: str
    floor: float | None = None
    exclude_floor: bool = False

    def __post_init__(self) -> None:
        normalizer(self.normalize)


@dataclass(frozen=True)
class Places:
    """The source and the profile (if there is one) as they were given, the clip, and the windows.

    `windows` are those that recordings were cut into, or None.
    """

    source: str
    profile: str | None
    clip: ClipReference
    windows: Windows | None = None


@dataclass(frozen=True)
class Exported:
    """The program, the commands, and a remark if the floor cannot be a setting of the front end."""

    python: str
    commands: str
    remark: str | None


def export(front_end: AnyFrontEnd, settings: Settings, places: Places, options: Options) -> Exported:
    """Write the settings as a program and as commands, which measure the source again if the floor was raised.

    Raises:
        ArgumentError: if the levels were made elsewhere, so that no front end can be written down.
    """
    if not isinstance(front_end, FrontEnd):
        raise ArgumentError("these levels were made elsewhere; their description is the file given with --levels")
    floor = settings.floor
    raised = None if floor is None else with_floor(front_end, floor)
    remark = None
    if floor is not None and raised is None:
        kind = SLOTS["compress"].name_of(front_end.compress)
        remark = f"the compression {kind} has no setting for a floor of {floor:g} {front_end.unit}: it is left as it is"
    chosen = front_end if raised is None else raised
    known = places.profile if raised is None else None
    return Exported(
        _python(chosen, settings, places, known), _commands(chosen, settings, places, known, options), remark
    )


def with_floor(front_end: FrontEnd, floor: float) -> FrontEnd | None:
    """The front end whose levels are at least `floor`, in its unit; None if its compression has no such setting.

    Raises:
        ArgumentError: if the front end's own floor is higher.
    """
    if floor < front_end.floor:
        raise ArgumentError(f"floor={floor:g} lies below {front_end.floor:g} {front_end.unit}, the front end's own")
    compression: Any = front_end.compress
    names = {field.name for field in fields(compression)}
    if "floor_db" in names:
        return replace(front_end, compress=replace(compression, floor_db=floor))
    if "amin" not in names:
        return None
    power = front_end.stft.power
    raised = replace(compression, amin=float(compression.inverse(np.float64(floor), power)))
    return replace(front_end, compress=raised) if abs(raised.floor(power) - floor) < 1e-6 else None


def _python(front_end: FrontEnd, settings: Settings, places: Places, known: str | None) -> str:
    cut = places.windows
    window = "" if cut is None else f", window=sn.audio.Windows({cut.seconds!r}, {cut.overlap!r}, {cut.last!r})"
    measured = f"sn.Profile.load({known!r})" if known else f"sn.fit({places.source!r}, front_end{window})"
    without = ".excluding_floor()" if settings.exclude_floor else ""
    return "\n".join(
        (
            "import spectronorm as sn",
            "",
            f"front_end = {as_code(front_end)}",
            f"profile = {measured}{without}",
            f"pipeline = sn.Pipeline(front_end, sn.normalizer({settings.normalize!r}).fit(profile))",
            f"wave = {_wave(front_end, places)}",
            "x = pipeline(wave)  # (band, frame)",
            "",
        )
    )


def _wave(front_end: FrontEnd, places: Places) -> str:
    """Return an expression for the clip's samples: of a file, of a piece of one, or of a member of an archive."""
    clip, channels = places.clip, front_end.channels.partition(":")[0]
    if clip.part is None and not clip.is_piece:
        more = "" if channels == "mean" else f", channels={channels!r}"
        return f"sn.read({clip.location!r}, front_end.sample_rate{more})"

    def by_name(name: str) -> str:
        return f"next(one for one in sn.open_source({places.source!r}) if one.name == {name!r})"

    if places.windows is None and channels != EACH:
        found = by_name(clip.name)
    else:
        span = clip.span
        whole = f"sn.audio.ClipReference({clip.recording!r}, {clip.location!r})"
        times = "None" if span is None else f"sn.audio.Span({span.start!r}, {span.end!r})"
        recording = whole if clip.part is None else by_name(clip.recording)
        found = f"{recording}.piece({times}, {clip.channel!r})"
    reader = "" if channels in ("mean", EACH) else f"channels={front_end.channels!r}"
    return f"sn.audio.Reader({reader}).read({found}, front_end.sample_rate).samples"


def _commands(front_end: FrontEnd, settings: Settings, places: Places, known: str | None, options: Options) -> str:
    profile, cut = known or "explored.safetensors", places.windows
    window = (
        [] if cut is None else ["--window", f"{cut.seconds!r}", "--overlap", f"{cut.overlap!r}", "--last", cut.last]
    )
    fit = ["spectronorm", "fit", places.source, "-o", profile, *options(front_end), *window]
    apply = ["spectronorm", "apply", places.source, "-p", profile, "--normalize", settings.normalize, *window]
    apply += ["--exclude-floor"] if settings.exclude_floor else []
    apply += ["-o", "normalized"]
    return "".join(f"{' '.join(map(_quoted, command))}\n" for command in (*([] if known else [fit]), apply))


def _quoted(text: str) -> str:
    """Quote a word for the shell; what cannot be shown is written as an escape of bash and zsh."""
    if text.isprintable():
        return shlex.quote(text)
    escaped = (
        f"\\x{byte:02x}" if byte < 0x20 or byte > 0x7E or byte in b"\\'" else chr(byte) for byte in os.fsencode(text)
    )
    return f"$'{''.join(escaped)}'"


def as_code(front_end: FrontEnd) -> str:
    """The front end as an expression of Python, with `sn` for the package.

    >>> as_code(FrontEnd(sample_rate=8000))
    'sn.FrontEnd(sample_rate=8000)'
    """
    slots = {slot: getattr(front_end, slot) for slot in SLOTS}
    if any(_class_of(value) is None for value in slots.values()):
        return f"sn.FrontEnd.from_json({front_end.to_json()!r})"
    return _call("sn.FrontEnd", front_end)


def _call(name: str, value: Any) -> str:
    given = [f"{field.name}={_value(getattr(value, field.name))}" for field in fields(value) if _differs(value, field)]
    return f"{name}({', '.join(given)})"


def _value(value: Any) -> str:
    name = _class_of(value)
    return repr(value) if name is None else _call(name, value)


def _differs(value: Any, field: Field[Any]) -> bool:
    default = field.default_factory() if field.default_factory is not MISSING else field.default
    return default is MISSING or getattr(value, field.name) != default


def _class_of(value: object) -> str | None:
    """Name of the class of a slot's value as a user writes it; None for other values, and for plug-ins."""
    name = type(value).__name__
    if name in _TOP:
        return f"sn.{name}"
    spaces: tuple[tuple[str, ModuleType], ...] = (("bands", bands), ("compress", compress), ("waveform", waveform))
    return next((f"sn.{space}.{name}" for space, module in spaces if getattr(module, name, None) is type(value)), None)
