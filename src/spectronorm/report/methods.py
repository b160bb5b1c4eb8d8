"""Paragraph for a methods section: everything that a profile, pipeline, image or file of statistics says was done."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from spectronorm.counted import counted
from spectronorm.front_end import AnyFrontEnd, FrontEnd, Levels
from spectronorm.front_end.front_end import SLOTS
from spectronorm.image_files.header import Header
from spectronorm.interop.statistics import STATISTICS_FORMATS, ShiftAndScale
from spectronorm.normalize import FittedNormalizer, FittedOn
from spectronorm.pipeline import Pipeline
from spectronorm.printable import printable
from spectronorm.profile import BadFile, Profile
from spectronorm.version import __version__

Described = Profile | Pipeline | Header | tuple[str, ShiftAndScale]
"""Contents that can be described; statistics come with the name of their format."""

PARAGRAPH_FORMS = ("text", "markdown", "latex")
_MOST_NAMED = 10
"""More bad files than these are counted, not named."""
_MARKDOWN = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_|<>#[]"})
_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        **{mark: f"\\{mark}" for mark in "&%$#_{}"},
        "±": r"$\pm$",
        "·": r"$\cdot$",
        "…": r"\dots{}",
        "²": r"$^2$",
        "≥": r"$\ge$",
        "√": r"$\sqrt{}$",
        "Σ": r"$\Sigma$",
        "×": r"$\times$",
        "∞": r"$\infty$",
    }
)


def methods_paragraph(content: Described, form: str = "text", updates: Sequence[Mapping[str, Any]] = ()) -> str:
    """One paragraph with every setting, count, version and identity, as text, Markdown or LaTeX.

    Args:
        content: A profile, a pipeline, the header of an image, or statistics with the name of their format.
        form: One of `PARAGRAPH_FORMS`.
        updates: Records of the updates that a profile went through (see `monitor.lineage`).
    """
    sentences = [escaped_for(printable(sentence), form) for sentence in (*_sentences(content), *_updates(updates))]
    sentences += [f"{before} {_as_code(printable(line), form)}." for before, line in _commands(content)]
    sentences.append(escaped_for(f"Described by spectronorm {__version__}.", form))
    return " ".join(sentences)


def escaped_for(text: str, form: str) -> str:
    """The text with the marks escaped that Markdown or LaTeX would act on."""
    if form == "markdown":
        return text.translate(_MARKDOWN)
    return text.translate(_LATEX).replace("--", "-{}-") if form == "latex" else text


def _as_code(line: str, form: str) -> str:
    """A command line, in which no form changes dashes and quotes."""
    if form == "markdown":
        fence = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
        return f"{fence} {line} {fence}" if "`" in line else f"{fence}{line}{fence}"
    if form == "latex":
        return rf"\texttt{{{escaped_for(line, form).replace(chr(39), chr(92) + 'textquotesingle{}')}}}"
    return line


def _commands(content: Described) -> Iterator[tuple[str, str]]:
    """Yield each command line that made the content, with the words before it."""
    lines: tuple[str, ...] = ()
    if isinstance(content, Profile):
        lines = content.commands
    elif isinstance(content, Pipeline):
        lines = content.normalizer.fitted_on.commands
    elif isinstance(content, Header) and content.command:
        lines = (content.command,)
    for number, line in enumerate(lines):
        yield ("The command was:" if len(lines) == 1 else f"Command {number + 1} was:"), line


def _updates(records: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for one in records:
        yield (
            f"Update {one['generation']} moved the statistics towards {counted(one['clips'], 'clip')} of later audio, "
            f"with a weight of {one['weight']:.3g} ({one['why']})."
        )


def _sentences(content: Described) -> Iterator[str]:
    if isinstance(content, Profile):
        yield from _front_end(content.front_end)
        yield from _profile(content)
    elif isinstance(content, Pipeline):
        yield from _front_end(content.front_end)
        yield from _normalizer(content.normalizer)
    elif isinstance(content, Header):
        yield from _front_end(content.front_end)
        yield from _image(content)
    else:
        yield from _statistics(*content)


def _front_end(front_end: AnyFrontEnd) -> Iterator[str]:
    if isinstance(front_end, Levels):
        settings = "; ".join(f"{name} = {value}" for name, value in front_end.settings)
        yield f"Spectrograms were made elsewhere: {front_end.title}{f' ({settings})' if settings else ''}."
    else:
        yield (
            f"Sounds were read as {_channels(front_end)} and resampled to {front_end.sample_rate} Hz by "
            f"{front_end.resampler}."
        )
        stft = front_end.stft
        milliseconds = tuple(1000 * n / front_end.sample_rate for n in (stft.frame_length, stft.hop))
        yield (
            f"Log-spectrograms of {front_end.n_bands} bands in {front_end.unit} were computed with frames of "
            f"{milliseconds[0]:g} ms every {milliseconds[1]:g} ms, by the following settings: "
            f"{'; '.join(f'{slot} {_settings(getattr(front_end, slot))}' for slot in SLOTS)}."
        )
    yield f"The fingerprint of these settings is {front_end.fingerprint}."


def _channels(front_end: FrontEnd) -> str:
    return {"mean": "the mean of their channels"}.get(front_end.channels, f"channels '{front_end.channels}'")


def _settings(value: Any) -> str:
    """The name of a value's class and each of its fields."""
    listed = ", ".join(f"{f.name} = {getattr(value, f.name)}" for f in fields(value))
    return f"{type(value).__name__}{f' ({listed})' if listed else ''}"


def _profile(profile: Profile) -> Iterator[str]:
    sampled = f", a random sample of {profile.total.population}," if profile.total.population > profile.clips else ""
    seconds = "" if np.isnan(profile.seconds) else f", {profile.seconds:,.1f} s"
    yield (
        f"Statistics were measured in one exact pass over {counted(profile.clips, 'clip')}{sampled} with "
        f"{counted(profile.frames, 'frame', spec=',')}{seconds} by spectronorm {profile.version}; the identity of the "
        f"measured sounds is {FittedOn.of(profile).data}."
    )
    yield from _libraries(profile.libraries)
    if profile.duration is not None:
        yield f"Clips were cropped or padded to {profile.duration:g} s."
    yield from _groups(profile)
    above = " over the cells above the floor" if profile.exclude_floor else ""
    overall = profile.overall
    yield (
        f"All bands together have a mean of {overall.mean:.4f} {profile.front_end.unit} (standard error "
        f"{overall.mean_se:.2g}, clustered by clip) and a standard deviation of {overall.std:.4f} "
        f"(standard error {overall.std_se:.2g}, ddof 0){above}; {100 * overall.floor_share:.2g} % of the cells lie on "
        "the floor."
    )
    if profile.bad:
        reasons = Counter(one.reason.value for one in profile.bad)
        yield (
            f"{counted(len(profile.bad), 'file was', 'files were')} left out "
            f"({', '.join(f'{count} {reason}' for reason, count in sorted(reasons.items()))}){_named(profile.bad)}."
        )
    else:
        yield "No file was left out."
    if profile.total.flat:
        flat = counted(profile.total.flat, "clip is", "clips are")
        yield f"{flat} silent or constant and counted like any other."
    if profile.files:
        listed = counted(len(profile.files), "measured clip")
        yield f"The profile lists the {listed} with the XXH3-128 of the bytes (spectronorm describe FILE --files)."


def _named(files: Sequence[BadFile]) -> str:
    """The names of a few files; of many, the first and the number of others."""
    names = [file.path for file in files[:_MOST_NAMED]]
    more = [f"and {len(files) - len(names)} more"] if len(files) > len(names) else []
    return f": {', '.join([*names, *more])}"


def _libraries(libraries: tuple[tuple[str, str], ...]) -> Iterator[str]:
    if libraries:
        listed = ", ".join(f"{name} {version}" for name, version in libraries)
        yield f"The last bits of the result depend on these library versions: {listed}."


def _groups(profile: Profile) -> Iterator[str]:
    columns = profile.group_columns()
    if columns:
        values = {one: sorted({dict(key)[one] for key in profile.groups if one in dict(key)}) for one in columns}
        listed = "; ".join(f"{one} " + ", ".join(found) for one, found in values.items())
        yield f"The statistics include the groups {listed}."
    if profile.left_out:
        yield f"Left out were {'; '.join(profile.left_out)}."


def _normalizer(fitted: FittedNormalizer) -> Iterator[str]:
    settings, on = fitted.normalizer, fitted.fitted_on
    yield f"Levels were normalized by {_settings(settings)}."
    affine = fitted.affine
    if affine is not None:
        shift, scale = _range(affine.shift), _range(affine.scale)
        yield f"This is (level - shift) / scale with a shift of {shift} and a scale of {scale}."
    if on.clips:
        groups = f" of the groups {'; '.join(on.groups)}" if on.groups else ""
        left_out = f", without {'; '.join(on.left_out)}" if on.left_out else ""
        yield (
            f"It was fitted on {counted(on.clips, 'clip')} with {counted(on.frames, 'frame', spec=',')}{groups}"
            f"{left_out}; the identity of these sounds is {on.data}."
        )
        yield from _libraries(on.libraries)
    else:
        yield "Its numbers were given, not fitted to data by spectronorm."


def _image(header: Header) -> Iterator[str]:
    yield (
        f"The level was stored as an image of {header.layout.bits} bits by spectronorm {header.version}, "
        f"{_settings(header.level_range)}, {_settings(header.layout)}."
    )
    if header.colormap:
        yield f"It is shown in the colours of {header.colormap}, for viewing: it cannot be turned back into levels."
    source = f" of {header.source}" if header.source else ""
    yield f"The image contains {counted(header.frames, 'frame')} from {counted(header.length, 'sample')}{source}."


def _statistics(name: str, numbers: ShiftAndScale) -> Iterator[str]:
    cls = STATISTICS_FORMATS.find(name)
    size = numbers.shift.size
    count = "an unknown number of" if numbers.count is None else f"{numbers.count:,.0f}"
    yield (
        f"Levels were normalized with statistics in the format {name}, which applies {cls.convention}: "
        f"{'one number for all bands' if size == 1 else f'numbers for each of {size} bands'}, a mean of "
        f"{_range(numbers.shift)} and a standard deviation of {_range(numbers.std)} (ddof {cls.ddof}), measured over "
        f"{count} frames."
    )
    if numbers.factor != 1.0:
        yield f"The divisor is {numbers.factor:g} standard deviations."
    known = f"the fingerprint {numbers.fingerprint}" if numbers.fingerprint else "nothing"
    yield f"Of the front end the file says {known}."


def _range(values: Any) -> str:
    low, high = float(np.min(values)), float(np.max(values))
    return f"{low:.6g}" if low == high else f"{low:.6g} … {high:.6g}"


def citation() -> str:
    """BibTeX entry of this version."""
    return (
        f"@software{{spectronorm,\n  title = {{spectronorm: spectrograms for deep learning, measured once and "
        f"exactly}},\n  author = {{{{The spectronorm developers}}}},\n  version = {{{__version__}}},\n"
        f"  year = {{2026}},\n  license = {{Apache-2.0}}\n}}"
    )
