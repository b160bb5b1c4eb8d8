"""Preparation before the first model trains: clips, their levels, and one profile for each front end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import xxhash
from torch import nn

from spectronorm.audio import Source
from spectronorm.engines import Engine
from spectronorm.errors import ArgumentError, FileFormatError
from spectronorm.experiment.arms.arm import Arm
from spectronorm.experiment.clips.devices import SHIFTS
from spectronorm.experiment.clips.folds import LabelledClips, without_clips
from spectronorm.experiment.clips.level_files import LevelFiles, usual_frames
from spectronorm.experiment.clips.levels import Device, Waves, usual_seconds
from spectronorm.experiment.design import Design
from spectronorm.experiment.metrics.known import find_metric
from spectronorm.experiment.metrics.metric import truth_of
from spectronorm.experiment.results import clips_settings
from spectronorm.experiment.running.measure_device import measure_device
from spectronorm.experiment.training.inputs import ArmInputs
from spectronorm.experiment.training.models import check_model
from spectronorm.features import read_as_one
from spectronorm.front_end import AnyFrontEnd, FrontEnd, Levels, require_front_end
from spectronorm.normalize import FittedNormalizer
from spectronorm.passes.fit import fit
from spectronorm.passes.one_pass import MAX_BAD
from spectronorm.profile import BadFile, Profile
from spectronorm.runs.progress import Progress, silent
from spectronorm.short_repr import with_short_repr
from spectronorm.storage.canonical_json import canonical_json
from spectronorm.storage.content import Content
from spectronorm.storage.replacement import require_replaceable
from spectronorm.suggestion import known_keywords, known_settings

PROFILES, CACHE = "profiles", "cache"


@known_settings
@with_short_repr
@dataclass(frozen=True, eq=False)
class Prepared:
    """Everything needed before the first model trains.

    Attributes:
        design: The design of the comparison.
        clips: The usable clips.
        waves: Waveforms and levels of the clips.
        profiles: One profile for each front end, with the folds as groups.
        bad: Files that were left out.
        models: An untrained model for each name, checked against the shape of the inputs of its arms.

    >>> import pathlib, tempfile, numpy as np, spectronorm as sn
    >>> from spectronorm.experiment import Design, Training, labelled_clips, parse_arms
    >>> waves = 0.1 * np.random.default_rng(0).standard_normal((12, 8000))
    >>> items = [{"audio": (wave, 16_000), "label": "ab"[n % 2], "fold": n // 4} for n, wave in enumerate(waves)]
    >>> design = Design(parse_arms("none,band", sn.FrontEnd(bands=sn.Mel(16))), Training("linear", epochs=1), seeds=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     prepared = prepare(labelled_clips(sn.open_source(items)), design, pathlib.Path(folder))
    ...     len(prepared.profiles), prepared.bad
    (1, ())
    """

    design: Design
    clips: LabelledClips
    waves: Waves
    profiles: Mapping[str, Profile]
    bad: tuple[BadFile, ...]
    models: Mapping[str, nn.Module]

    def normalizer(self, arm: Arm, fold: str) -> FittedNormalizer:
        """Fit an arm's normalizer to the profile without the held-out fold."""
        training = self.profiles[arm.front_end.fingerprint].without(**{self.clips.fold_column: fold})
        fitted = arm.normalizer.fit(training)
        # Excluded by construction, but checked, because a leak would make every number of the run worthless.
        if f"{self.clips.fold_column}={fold}" in fitted.fitted_on.groups:
            raise ArgumentError(f"fold {fold} is in the statistics of arm {arm.name!r} although it is held out")
        return fitted

    def device(self, name: str) -> tuple[str, Device] | None:
        """Return a simulated device by name, in the form that `Waves.levels` takes; None for ""."""
        return (name, SHIFTS[name]) if name else None

    def settings(self) -> dict[str, Any]:
        """Return the settings that identify the results: a run with equal settings resumes, any other run does not."""
        audio = {name: _digest(profile.total.digests.tobytes()) for name, profile in self.profiles.items()}
        here = {"clips": clips_settings(self.clips), "seconds": self.waves.seconds, "audio": audio}
        return {**self.design.to_dict(), **here}


@known_keywords
def prepare(
    clips: LabelledClips,
    design: Design,
    folder: Path,
    *,
    duration: float | None = None,
    max_bad: float = MAX_BAD,
    progress: Callable[[str], Progress] = lambda _: silent,
    engine: Engine | None = None,
) -> Prepared:
    """Decode, measure and compute levels.

    Args:
        clips: Labelled clips.
        design: The design of the comparison.
        folder: Keeps decoded audio and profiles, so that a resumed run starts at once.
        duration: Length in seconds that each clip is cropped or repeated to; by default the median length.
        max_bad: Largest accepted share of bad files.
        progress: Called with the name of each stage; returns the callback for finished clips.
        engine: Engine that measures the clips; by default threads on all cores, and processes for large data sets.

    Raises:
        TooManyBad: if the share of bad files exceeds `max_bad`.
        ArgumentError: if the model does not fit the inputs, a fold is too small, or the metric cannot be computed.

    >>> import pathlib, tempfile, numpy as np, spectronorm as sn
    >>> from spectronorm.experiment import Design, Training, labelled_clips, parse_arms
    >>> waves = 0.1 * np.random.default_rng(0).standard_normal((12, 8000))
    >>> items = [{"audio": (wave, 16_000), "label": "ab"[n % 2], "fold": n // 4} for n, wave in enumerate(waves)]
    >>> design = Design(parse_arms("none,band", sn.FrontEnd(bands=sn.Mel(16))), Training("linear", epochs=1), seeds=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     prepared = prepare(labelled_clips(sn.open_source(items)), design, pathlib.Path(folder))
    ...     prepared.normalizer(design.arm("band"), "0").fitted_on.clips
    8
    """
    front_ends = {part.front_end.fingerprint: part.front_end for arm in design.arms for part in arm.parts}
    first = next(iter(front_ends.values()))
    check_metric(design, clips)
    clips = replace(clips, source=_readable(clips.source, design))
    known, frames = _length(clips.source, first, duration, folder)
    profiles = {
        name: _profile(clips, front_end, known, max_bad, folder, progress("measuring"), engine)
        for name, front_end in front_ends.items()
    }
    bad = {item.path: item for profile in profiles.values() for item in profile.bad}
    usable = without_clips(clips, set(bad))
    check_metric(design, usable)
    if isinstance(first, Levels):
        waves: Waves = LevelFiles(usable.source, first, frames)
    else:
        waves = Waves(usable.source, known or 0.0, folder / CACHE)
    if design.train_on:
        profiles = {
            name: measure_device(
                usable,
                waves,
                require_front_end(front_ends[name], "a simulated device"),
                design.train_on,
                engine,
                progress("measuring"),
            )
            for name in profiles
        }
    models: dict[str, nn.Module] = {}
    for front_end in front_ends.values():
        device = (design.train_on, SHIFTS[design.train_on]) if design.train_on else None
        levels = waves.levels(front_end, device, progress("spectrograms"))
        shape, channels = (levels.shape[-2], levels.shape[-1]), input_channels(front_end)
        parts = [part for arm in design.arms for part in arm.parts if part.front_end == front_end]
        for name in sorted({design.training_of(part).model for part in parts}):
            models[name] = check_model(name, len(usable.classes), shape, channels)
    return Prepared(design, usable, waves, profiles, tuple(bad.values()), models)


def check_metric(design: Design, clips: LabelledClips) -> None:
    """Check that the metric can be computed on each tested fold, and that the design goes with several labels.

    Raises:
        ArgumentError: if not.
    """
    if clips.several_labels and design.update_classes:
        raise ArgumentError(f"update_classes={design.update_classes} needs clips with one label; leave it out")
    for fold in clips.held_out:
        truth = truth_of(clips.labels[clips.test_clips(fold)], len(clips.classes))
        metric = find_metric(design.metric_name)
        metric.check(truth, clips.classes, f"fold {fold}", several=clips.several_labels)


def _readable(source: Source, design: Design) -> Source:
    """The source, whose clips are read as the arms say.

    Raises:
        ArgumentError: if the arms read other channels, or if several channels do not go with the rest of the design.
    """
    parts = [part for arm in design.arms for part in arm.parts]
    first = parts[0].front_end
    if any(isinstance(part.front_end, Levels) for part in parts):
        for part in parts:
            first.require_same(part.front_end, f"the arm {part.name!r}")
    if isinstance(first, Levels):
        several = first.channels > 1
    else:
        channels = {part.front_end.channels for part in parts if isinstance(part.front_end, FrontEnd)}
        if len(channels) > 1:
            raise ArgumentError(f"the arms read other channels ({', '.join(sorted(channels))}); give all the same ones")
        several = len(first.level_shape) > 1
        source = (
            read_as_one(source, first)
            if not several
            else replace(source, reader=replace(source.reader, channels=first.channels))
        )
    if several and (design.train_on or design.shifts or any(part.augmentations for part in parts)):
        raise ArgumentError(
            "simulated devices and augmentations change each channel by itself: leave them out, or compare one channel"
        )
    return source


def _length(source: Source, front_end: AnyFrontEnd, duration: float | None, folder: Path) -> tuple[float | None, int]:
    """Length of the clips in seconds, and in frames of levels from files; levels without a frame rate have no seconds.

    Raises:
        ArgumentError: if a duration is given for levels without a frame rate.
    """
    if isinstance(front_end, FrontEnd):
        return usual_seconds(source, front_end, folder / CACHE) if duration is None else duration, 0
    if duration is None:
        frames = usual_frames(source, front_end)
        return None if front_end.frame_rate is None else frames / front_end.frame_rate, frames
    if front_end.frame_rate is None:
        raise ArgumentError(f"duration={duration} is in seconds, but these levels have no frame_rate; declare it")
    return duration, max(1, round(duration * front_end.frame_rate))


def input_channels(front_end: AnyFrontEnd) -> int:
    """Number of channels of a model's input."""
    return 1 if len(front_end.level_shape) == 1 else front_end.level_shape[0]


def _profile(
    clips: LabelledClips,
    front_end: AnyFrontEnd,
    duration: float | None,
    max_bad: float,
    folder: Path,
    progress: Progress,
    engine: Engine | None,
) -> Profile:
    """Measure all clips, with folds as groups, or read the profile from the folder if it was saved there."""
    depends_on = [
        [clip.name, *_state(clip.path), *([repr(clip.span), clip.channel] if clip.is_piece else [])]
        for clip in clips.source
    ]
    name = f"{front_end.fingerprint}-{_digest(canonical_json([duration, clips.fold_column, depends_on]).encode())}"
    path = folder / PROFILES / f"{name}.safetensors"
    source: Source = clips.source
    if path.exists():
        try:
            return Profile.load(path)
        except FileFormatError:  # A damaged profile is measured again; a file of others stays.
            require_replaceable(path, Content.CONTAINER)
    profile = fit(
        source,
        front_end,
        group_by=(clips.fold_column,),
        duration=duration,
        max_bad=max_bad,
        progress=progress,
        engine=engine,
    )
    profile.save(path)
    return profile


def _state(path: Path) -> tuple[int, int]:
    """Return a file's size and modification time; zeros if there is no file."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return (0, 0)
    return (status.st_size, status.st_mtime_ns)


def _digest(content: bytes) -> str:
    return xxhash.xxh3_64_hexdigest(content)


def _of_waves(arm: Arm) -> FrontEnd:
    return require_front_end(arm.front_end, f"the arm {arm.name!r}, whose augmentations need waves,")


def arm_inputs(prepared: Prepared, arm: Arm, fold: str) -> ArmInputs:
    """Build the inputs of the arm's models when the fold is held out."""
    device = prepared.device(prepared.design.train_on)
    waves = prepared.waves.waves(_of_waves(arm), device) if arm.augments_waves else None
    return ArmInputs(
        arm=arm,
        normalizer=prepared.normalizer(arm, fold),
        levels=prepared.waves.levels(arm.front_end, device),
        waves=waves,
        power=None if arm.frame_crop is None else prepared.waves.power(_of_waves(arm), device),
        classes=len(prepared.clips.classes),
        device=prepared.design.training.torch_device(),
    )
