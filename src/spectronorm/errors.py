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
    """Everything that spectronorm raises on purpose; names in its message are escaped.

    >>> import spectronorm as sn
    >>> try:
    ...     sn.preset("whispr")
    ... except sn.SpectronormError as error:
    ...     print(type(error).__name__)
    ArgumentError
    """

    keeps = ""
    """Characters of the message that are not escaped."""

    def __init__(self, *values: object) -> None:
        super().__init__(*(printable(value, self.keeps) if isinstance(value, str) else value for value in values))


class ArgumentError(SpectronormError, ValueError):
    """A setting or argument is invalid.

    >>> import spectronorm as sn
    >>> sn.Mel(n_mels=0)
    Traceback (most recent call last):
        ...
    spectronorm.errors.ArgumentError: n_mels=0 must be a whole number in 1 … 8192
    """


class ShapeError(SpectronormError, ValueError):
    """An array has the wrong axes, length or type.

    >>> import spectronorm as sn
    >>> sn.FrontEnd()([0.1, 0.2])
    Traceback (most recent call last):
        ...
    spectronorm.errors.ShapeError: got list; needed one NumPy array or torch tensor: wrap lists in np.asarray
    """


class SourceError(SpectronormError):
    """A source of audio cannot be opened or is empty.

    >>> import spectronorm as sn
    >>> sn.open_source("no-such-folder")
    Traceback (most recent call last):
        ...
    spectronorm.errors.SourceError: no-such-folder: there is no such file or folder; check the path
    """


class FileFormatError(SpectronormError):
    """A file is not in spectronorm's format, or is damaged.

    >>> import pathlib, tempfile, spectronorm as sn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "p.safetensors"
    ...     _ = path.write_text("not a profile")
    ...     try:
    ...         sn.load(path)
    ...     except sn.errors.FileFormatError as error:
    ...         print(type(error).__name__)
    FileFormatError
    """


class FrontEndMismatch(SpectronormError):
    """A level, profile or normalizer was made by another front end.

    >>> import numpy as np, spectronorm as sn
    >>> fitted = sn.Fixed(-40.0, 20.0).for_front_end(sn.FrontEnd(bands=sn.Mel(40)))
    >>> try:
    ...     sn.Pipeline(sn.FrontEnd(bands=sn.Mel(64)), fitted)
    ... except sn.errors.FrontEndMismatch as error:
    ...     print("n_mels" in str(error))
    True
    """


class TooManyBad(SpectronormError):
    """The share of bad files exceeds `max_bad`, or every file is bad.

    >>> import numpy as np, spectronorm as sn
    >>> nan = np.full(16_000, np.nan)
    >>> try:
    ...     sn.fit([(nan, 16_000)])
    ... except sn.errors.TooManyBad as error:
    ...     print(str(error).split(",")[0])
    1 of 1 file is bad (1 not-finite)
    """

    keeps = "\n"


class ExportError(SpectronormError):
    """A model cannot be exported, or computes something else after the export.

    >>> import spectronorm as sn
    >>> raise sn.errors.ExportError("the exported model differs by 1e-3 from the module")
    Traceback (most recent call last):
        ...
    spectronorm.errors.ExportError: the exported model differs by 1e-3 from the module
    """


class OutputRefused(ArgumentError):
    """An output would replace what is not ours, or an input.

    >>> import pathlib, tempfile, numpy as np, spectronorm as sn
    >>> profile = sn.fit([(0.1 * np.random.default_rng(0).standard_normal(16_000), 16_000)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     notes = pathlib.Path(folder) / "notes.txt"
    ...     _ = notes.write_text("dear diary")
    ...     try:
    ...         profile.save(notes)
    ...     except sn.errors.OutputRefused:
    ...         print(notes.read_text())
    dear diary
    """


class OutputBusy(SpectronormError):
    """Another run is writing to this output.

    >>> import pathlib, tempfile, spectronorm as sn
    >>> from spectronorm.runs.lock import output_lock
    >>> with tempfile.TemporaryDirectory() as folder, output_lock(pathlib.Path(folder) / "p"):
    ...     try:
    ...         with output_lock(pathlib.Path(folder) / "p"):
    ...             pass
    ...     except sn.errors.OutputBusy as error:
    ...         print("another run" in str(error))
    True
    """


class EngineError(SpectronormError):
    """The engine cannot run the work: the scheduler is unreachable, or a worker would not reproduce the result.

    >>> import spectronorm as sn
    >>> engine = sn.engines.DaskEngine("tcp://127.0.0.1:1", patience=0.1)
    >>> try:
    ...     list(engine.map(abs, [-1]))
    ... except sn.errors.EngineError as error:
    ...     print("127.0.0.1:1" in str(error))
    True
    """


class UpdateRefused(SpectronormError):
    """An update of statistics would do more harm than good; it can be forced.

    >>> import numpy as np, spectronorm as sn
    >>> from spectronorm.monitor import measure_new, update
    >>> rng = np.random.default_rng(0)
    >>> profile = sn.fit([(0.1 * rng.standard_normal(16_000), 16_000) for _ in range(20)])
    >>> try:
    ...     update(profile, measure_new([(0.1 * rng.standard_normal(16_000), 16_000) for _ in range(16)], profile))
    ... except sn.errors.UpdateRefused as error:
    ...     print(str(error).split(":")[0])
    not updated
    """


class PluginError(SpectronormError):
    """A plug-in is missing, cannot be imported, or shares its name with another.

    >>> import spectronorm as sn
    >>> raise sn.errors.PluginError("mine: the entry point 'mine:Midrange' cannot be imported: no module named 'mine'")
    Traceback (most recent call last):
        ...
    spectronorm.errors.PluginError: mine: the entry point 'mine:Midrange' cannot be imported: no module named 'mine'
    """


class MissingExtra(SpectronormError, ImportError):
    """An optional dependency is not installed.

    >>> import spectronorm as sn
    >>> print(sn.errors.MissingExtra("A page", "report"))
    A page needs an optional dependency; in a checkout of spectronorm: pip install ".[report]"
    """

    def __init__(self, purpose: str, extra: str, then: str = "") -> None:
        more = f" and then: {then}" if then else ""
        super().__init__(
            f'{purpose} needs an optional dependency; in a checkout of spectronorm: pip install ".[{extra}]"{more}'
        )
        self._made_of = purpose, extra, then

    def __reduce__(self) -> tuple[type[MissingExtra], tuple[str, str, str]]:
        return MissingExtra, self._made_of


class KernelWarning(UserWarning):
    """Kernels run slower than they could: without numba, or compiled again in each run. Results are the same."""


class BadAudioReason(StrEnum):
    """Reason why a file was left out of a pass: a closed vocabulary that programs may rely on.

    >>> from spectronorm.errors import BadAudioReason
    >>> BadAudioReason("silent"), BadAudioReason.TRUNCATED.value
    (<BadAudioReason.SILENT: 'silent'>, 'truncated')
    """

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

    >>> import spectronorm as sn
    >>> try:
    ...     sn.read("no-such.wav", 16_000)
    ... except sn.errors.AudioError as error:
    ...     print(error.file, error.reason.value)
    no-such.wav missing
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


class GapWarning(UserWarning):
    """Frames lie farther apart than their windows are long, so samples between them are in no frame."""


class ScaleWarning(UserWarning):
    """Values are computed as asked, but have the scale of something else, such as normalized values for a level."""
