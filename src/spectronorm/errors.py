"""The one family of errors: each message states the value, the rule, and the remedy."""

from __future__ import annotations

from enum import StrEnum

from spectronorm.printable import printable

__all__ = [
    "ArgumentError",
    "AudioError",
    "BadAudioReason",
    "EngineError",
    "ExportError",
    "FileFormatError",
    "FrontEndMismatch",
    "MissingExtra",
    "OutputBusy",
    "OutputRefused",
    "PluginError",
    "ShapeError",
    "SourceError",
    "SpectronormError",
    "TooManyBad",
    "UpdateRefused",
]


class SpectronormError(Exception):
    """Everything that spectronorm raises on purpose; names in its message are escaped."""

    keeps = ""
    """Characters of the message that are not escaped."""

    def __init__(self, *values: object) -> None:
        super().__init__(*(printable(value, self.keeps) if isinstance(value, str) else value for value in values))


class ArgumentError(SpectronormError, ValueError):
    """A setting or argument is invalid."""


class ShapeError(SpectronormError, ValueError):
    """An array has the wrong axes, length or type."""


class SourceError(SpectronormError):
    """A source of audio cannot be opened or is empty."""


class FileFormatError(SpectronormError):
    """A file is not in spectronorm's format, or is damaged."""


class FrontEndMismatch(SpectronormError):
    """A level, profile or normalizer was made by another front end."""


class TooManyBad(SpectronormError):
    """The share of bad files exceeds `max_bad`, or every file is bad."""

    keeps = "\n"


class ExportError(SpectronormError):
    """A model cannot be exported, or computes something else after the export."""


class OutputRefused(ArgumentError):
    """An output would replace what is not ours, or an input."""


class OutputBusy(SpectronormError):
    """Another run is writing to this output."""


class EngineError(SpectronormError):
    """The engine cannot run the work: the scheduler is unreachable, or a worker would not reproduce the result."""


class UpdateRefused(SpectronormError):
    """An update of statistics would do more harm than good; it can be forced."""


class PluginError(SpectronormError):
    """A plug-in is missing, cannot be imported, or shares its name with another."""


class MissingExtra(SpectronormError, ImportError):
    """An optional dependency is not installed."""

    def __init__(self, purpose: str, extra: str, then: str = "") -> None:
        more = f" and then: {then}" if then else ""
        super().__init__(
            f"{purpose} needs an optional dependency; in a checkout of spectronorm: pip install '.[{extra}]'{more}"
        )
        self._made_of = purpose, extra, then

    def __reduce__(self) -> tuple[type[MissingExtra], tuple[str, str, str]]:
        return MissingExtra, self._made_of


class KernelWarning(UserWarning):
    """Kernels run slower than they could: without numba, or compiled again in each run. Results are the same."""


class BadAudioReason(StrEnum):
    """Reason why a file was left out of a pass: a closed vocabulary that programs may rely on."""

    MISSING = "missing"
    UNREADABLE = "unreadable"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    HEADER_LIES = "header-lies"
    NOT_FINITE = "not-finite"
    OUT_OF_RANGE = "out-of-range"
    TOO_SHORT = "too-short"
    TOO_LARGE = "too-large"
    SILENT = "silent"
    CONSTANT = "constant"
    CHANGING = "changing"
    SPAN = "span"
    SHAPE = "shape"
    CHANNELS = "channels"
    CHANNELS_CANCEL = "channels-cancel"
    DEAD_CHANNEL = "dead-channel"
    TIMEOUT = "timeout"
    CRASHED = "crashed"


class AudioError(SpectronormError):
    """The audio of one file cannot be used; a pass counts and lists the file and continues.

    `file` names the file where an error leaves a function that was given one; in a pass the list of bad files has it.
    """

    def __init__(self, reason: BadAudioReason, detail: str, file: str = "") -> None:
        super().__init__(f"{file}: {reason.value}: {detail}" if file else f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail
        self.file = file

    def of(self, file: str) -> AudioError:
        """Return the error with the name of its file, unless it has one."""
        return self if self.file else AudioError(self.reason, self.detail, file)

    def __reduce__(self) -> tuple[type[AudioError], tuple[BadAudioReason, str, str]]:
        return AudioError, (self.reason, self.detail, self.file)


class LayoutWarning(UserWarning):
    """The shape of levels cannot confirm the declared order of their axes, because two of them are of one size."""


class ScaleWarning(UserWarning):
    """Values are computed as asked, but have the scale of something else, such as normalized values for a level."""
