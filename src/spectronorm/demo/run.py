"""The main workflow on the demo's data set: fit, apply, compare, report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spectronorm.audio import open_source
from spectronorm.demo.dataset import make_dataset
from spectronorm.display.figure import save_figure
from spectronorm.front_end import preset
from spectronorm.normalize import normalizer
from spectronorm.passes.apply import Applied, apply
from spectronorm.passes.fit import fit
from spectronorm.passes.outputs import files_in, require_folder
from spectronorm.pipeline import Pipeline
from spectronorm.profile import Profile
from spectronorm.report.figures import save_band_figure
from spectronorm.report.normalizations import compare_normalizations
from spectronorm.report.page import save_page
from spectronorm.runs.progress import Progress
from spectronorm.storage import Content
from spectronorm.storage.replacement import require_replaceable

_MAX_BAD = 0.05
"""One of the 80 files is corrupt on purpose: 1.25 %."""
_FILES = {
    "sounds.safetensors": Content.CONTAINER,
    "sounds-band.safetensors": Content.CONTAINER,
    "comparison.png": Content.PICTURE,
    "bands.png": Content.PICTURE,
    "report.html": Content.PAGE,
}
_SHOWN = ("none", "global", "band", "sliding")


@dataclass(frozen=True)
class DemoResult:
    """Results of the demo and the paths of its files."""

    dataset: Path
    profile: Profile
    profile_path: Path
    pipeline_path: Path
    applied: Applied
    clip: Path
    comparison: Path
    bands: Path
    report: Path


def run_demo(folder: Path, *, seed: int = 0, progress: Progress | None = None) -> DemoResult:
    """Synthesize sounds into `folder`, measure all folds, apply band statistics without fold 1, and draw figures."""
    require_folder(folder, "the demo's files")
    for path, content in files_in(folder, _FILES.items()):
        require_replaceable(path, content)
    dataset = make_dataset(folder / "sounds", seed=seed)
    profile = fit(dataset, preset("fastaudio"), max_bad=_MAX_BAD, progress=progress)
    profile_path = folder / "sounds.safetensors"
    profile.save(profile_path)
    training = profile.without(fold=1)
    pipeline = Pipeline(profile.front_end, normalizer("band").fit(training))
    pipeline_path = folder / "sounds-band.safetensors"
    pipeline.save(pipeline_path)
    applied = apply(dataset, pipeline, folder / "features", duration=5.0, max_bad=_MAX_BAD)
    comparison, bands = folder / "comparison.png", folder / "bands.png"
    clip = _siren(dataset)
    save_figure(compare_normalizations(clip, training, _SHOWN, title="A siren as a model sees it"), comparison)
    save_band_figure(profile, bands)
    report = folder / "report.html"
    commands = [
        f"spectronorm fit {dataset} -o {profile_path} --preset fastaudio --max-bad 5%",
        f"spectronorm show {profile_path} --hold-out fold=1",
        f"spectronorm apply {dataset} --profile {pipeline_path} -o {folder / 'features'} --duration 5 --max-bad 5%",
    ]
    figures = {"One clip under four normalizations": comparison, "The bands": bands}
    save_page(report, "spectronorm demo: what was measured", profile, figures, commands, _one_of_each(dataset, profile))
    return DemoResult(dataset, profile, profile_path, pipeline_path, applied, clip, comparison, bands, report)


def _one_of_each(dataset: Path, profile: Profile) -> dict[str, Path]:
    """Return one clip of each label, by label: a second take that could be measured."""
    bad = {file.path for file in profile.bad} | {file.path for file in profile.flagged}
    clips = [clip for clip in open_source(dataset) if clip.columns["take"] == "B" and clip.name not in bad]
    return {clip.columns["label"]: clip.path for clip in reversed(clips)}


def _siren(dataset: Path) -> Path:
    """Return one siren of fold 1: tones and a clear shape, without silence."""
    clips = open_source(dataset).select(label="siren", fold=1).clips
    return next(clip.path for clip in clips if clip.path.suffix == ".wav" and clip.columns["take"] == "B")
