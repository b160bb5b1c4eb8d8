"""`spectronorm update`: move a profile towards new audio, or undo the last update."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from spectronorm.cli.options import JsonOption, MaxBadOption, parse_share
from spectronorm.cli.run import guarded, note_unread, print_json, progress_bar, writing
from spectronorm.cli.terminal import say, warn
from spectronorm.cli.training_baseline import training_baseline
from spectronorm.errors import ArgumentError
from spectronorm.features import open_for
from spectronorm.monitor import lineage, measure_new, refit, rollback, save_update, update
from spectronorm.pipeline import Pipeline, load
from spectronorm.profile import Profile
from spectronorm.storage.content import Content
from spectronorm.storage.replacement import protecting, require_replaceable

_EXAMPLES = """
**Examples**

    spectronorm update esc10.safetensors unlabelled/ -o esc10-2.safetensors --training esc10/

    spectronorm update esc10.safetensors unlabelled/ -o esc10-2.safetensors --weight 0.3

    spectronorm update pipeline.safetensors unlabelled/ --profile esc10.safetensors -o pipeline-2.safetensors

    spectronorm update esc10-2.safetensors --rollback -o esc10.safetensors
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("update", epilog=_EXAMPLES)(guarded(writing(update_command)))


def update_command(
    profile: Annotated[
        Path, typer.Argument(help="Profile to update, or a pipeline to fit again to its updated --profile.")
    ],
    new: Annotated[
        str | None, typer.Argument(help="Unlabelled audio of the deployment: at least 16 clips of mixed content.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Profile to write; for a pipeline, the pipeline.")
    ] = None,
    fitted_to: Annotated[
        Path | None, typer.Option("--profile", metavar="FILE", help="For a pipeline: the profile it was fitted to.")
    ] = None,
    save_profile: Annotated[
        Path | None, typer.Option(metavar="FILE", help="For a pipeline: also write the updated profile, for watch.")
    ] = None,
    statistics: Annotated[str, typer.Option(help="Statistics to update: mean, or mean+std.")] = "mean",
    prior_clips: Annotated[
        float, typer.Option(min=0.0, max=1e9, help="Weight of the existing statistics, as a number of clips.")
    ] = 1.0,
    weight: Annotated[
        float | None,
        typer.Option(
            min=1e-9,
            max=1.0,
            help="Weight of the new audio, 0 … 1, in place of --prior-clips (exponential forgetting).",
        ),
    ] = None,
    training: Annotated[
        str | None, typer.Option(metavar="SOURCE", help="Training clips, for a more precise diagnosis.")
    ] = None,
    max_bad: MaxBadOption = "1%",
    force: Annotated[bool, typer.Option("--force", help="Update even if a guard refuses it.")] = False,
    undo: Annotated[bool, typer.Option("--rollback", help="Undo the last update: write the previous profile.")] = False,
    json: JsonOption = False,
) -> None:
    """Move a profile's means (or means and stds) towards new audio; refused if that would do harm."""
    if output is None:
        raise ArgumentError("say which profile to write: -o FILE")
    require_replaceable(output, Content.CONTAINER)
    pipeline = _pipeline(profile, fitted_to, save_profile, undo=undo)
    if undo:
        if new is not None:
            raise ArgumentError("--rollback takes no new audio: it undoes the last update")
        record = rollback(profile, output)
    else:
        if new is None:
            raise ArgumentError("name the audio to update from, or give --rollback to undo the last update")
        path = profile if fitted_to is None else fitted_to
        known = _without(Profile.load(path), () if pipeline is None else pipeline.normalizer.fitted_on.left_out)
        # A pipeline of another profile is refused before any audio is read.
        again = None if pipeline is None else refit(pipeline, known, known)
        share = parse_share(max_bad, "max-bad")
        baseline = None if training is None else training_baseline(training, path, known, share)
        with progress_bar("measuring") as progress:
            audio = measure_new(
                note_unread(open_for(new, known.front_end)),
                known,
                baseline,
                max_bad=share,
                progress=progress,
            )
        found = update(known, audio, statistics=statistics, prior_clips=prior_clips, weight=weight, force=force)
        if again is None:
            record = save_update(found, profile, output)
        else:
            with protecting([profile, path]):
                refit(again, known, found.profile).save(output)
            record = {**found.record(), "generation": len(lineage(path)) + 1, "parent": profile.name}
            if save_profile is not None:
                record = save_update(found, path, save_profile)
    if json:
        print_json({"output": str(output), "rolled_back": undo, **record})
        return
    if undo:
        say(f"{output}: as before update {record['generation']} ({record['why']})", beside=output)
        return
    shift = record["shift"]
    say(
        f"{output}: update {record['generation']} of {record['parent']}, by {record['clips']} clips and "
        f"{record['weight']:.0%}; levels moved by {min(shift):+.2f} … {max(shift):+.2f}; {record['why']}",
        beside=output,
    )
    for objection in record["objections"]:
        warn(f"forced despite: {objection}")


def _pipeline(path: Path, fitted_to: Path | None, save_profile: Path | None, *, undo: bool) -> Pipeline | None:
    """The pipeline to fit again; None for a profile."""
    content = load(path)
    if not isinstance(content, Pipeline):
        if fitted_to is not None or save_profile is not None:
            raise ArgumentError(f"{path}: is a profile; --profile and --save-profile belong to a pipeline")
        return None
    if undo:
        raise ArgumentError(
            f"{path}: is a pipeline, which keeps no earlier state; go back to the file before the update"
        )
    if fitted_to is None:
        raise ArgumentError(
            f"{path}: is a pipeline, which holds a mean and a scale, but no histograms to diagnose a change with; give "
            "the profile that it was fitted to: --profile FILE"
        )
    if save_profile is not None:
        require_replaceable(save_profile, Content.CONTAINER)
    return content


def _without(profile: Profile, left_out: Iterable[str]) -> Profile:
    """The profile without the groups that a normalizer's profile had left out, such as `fold=1`."""
    for words in left_out:
        column, equals, values = words.partition("=")
        if equals and words not in profile.left_out:
            profile = profile.without(**{column: values.split(" or ")})
    return profile
