"""`spectronorm gan`: train a SpecGAN on a source, sample from it, and score it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from spectronorm.arrays import MAX_SEED
from spectronorm.cli.front_end import with_front_end
from spectronorm.cli.options import HoldOutOption, JsonOption, MaxBadOption, SourceArgument, parse_hold_out, parse_share
from spectronorm.cli.run import guarded, note_unread, print_json, progress_bar, warn_left_out, writing
from spectronorm.cli.terminal import say, warn
from spectronorm.counted import counted
from spectronorm.front_end import STFT, Decibel, FrontEnd, Mel

MAX_STEPS, MAX_IMAGES = 1_000_000_000, 1_000_000
"""The bounds of `spectronorm.gan`, which is imported when a command runs."""

TRAIN_EXAMPLES = """
**Examples**

    spectronorm gan train sounds/ -o sounds-gan --fix-length crop-or-pad --steps 20000

    spectronorm gan train digits.csv -o digits-gan --hold-out split=test --conditional --fix-length crop-or-pad
      --sample-rate 8000 --n-fft 256 --hop-length 128 --precision bfloat16

    spectronorm gan train sounds/ -o large --size 128 --n-mels 128 --hop-length 128 --width 64 --device cuda

Repeating the command resumes an interrupted training; more --steps continue a finished one.
"""

SAMPLE_EXAMPLES = """
**Examples**

    spectronorm gan sample digits-gan -n 100 -o samples/ --audio

    spectronorm gan sample digits-gan -n 10 -o sevens/ --class 7 --seed 1
"""

SCORE_EXAMPLES = """
**Examples**

    spectronorm gan score digits-gan

    spectronorm gan score digits-gan/model.safetensors --source digits.csv --hold-out split=test --seeds 5

    spectronorm gan score digits-gan-0 digits-gan-1 digits-gan-2
"""

_START = FrontEnd(
    sample_rate=16_000, stft=STFT(n_fft=512, hop_length=256), bands=Mel(64), compress=Decibel(floor_db=-80.0)
)
"""Default front end of a training: 64 frames make one second, the length of SpecGAN's images."""

ModelArgument = Annotated[Path, typer.Argument(help="A model.safetensors, or the folder of a training.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        help="Train a SpecGAN on spectrogram images, sample from it, and score it.",
        no_args_is_help=True,
        rich_markup_mode="markdown",
    )
    group.command("train", epilog=TRAIN_EXAMPLES)(guarded(writing(with_front_end(train_command, _START))))
    group.command("sample", epilog=SAMPLE_EXAMPLES)(guarded(writing(sample_command)))
    group.command("score", epilog=SCORE_EXAMPLES)(guarded(score_command))
    app.add_typer(group, name="gan")


def train_command(
    *,
    source: SourceArgument,
    front_end: FrontEnd,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of the training; repeating the command resumes it.")
    ],
    steps: Annotated[int, typer.Option(min=1, max=MAX_STEPS, help="Total number of generator steps.")] = 10_000,
    every: Annotated[int, typer.Option(min=1, max=MAX_STEPS, help="Number of steps between checkpoints.")] = 500,
    size: Annotated[
        int, typer.Option(min=16, max=128, help="Number of bands and of frames in an image: 64 or 128.")
    ] = 64,
    width: Annotated[
        int, typer.Option(min=1, max=1024, help="Channels at the largest image size; SpecGAN has 64.")
    ] = 32,
    latent: Annotated[int, typer.Option(min=1, max=4096, help="Number of latent variables of an image.")] = 100,
    conditional: Annotated[
        bool,
        typer.Option(
            "--conditional", help="Condition both networks on the clips' labels, so that a class can be requested."
        ),
    ] = False,
    level_range: Annotated[
        str,
        typer.Option(
            "--range",
            metavar="SCHEME",
            help="Levels at -1 and 1: sigma=3 (each band's mean ± 3 standard deviations), extremes, "
            "quantiles=.01,.99 or fixed=-80,20 (dB).",
        ),
    ] = "sigma=3",
    fix_length: Annotated[
        str | None,
        typer.Option(help="Rule for clips that are longer or shorter than the images: crop, pad or crop-or-pad."),
    ] = None,
    loss: Annotated[str, typer.Option(help="non_saturating (with spectral normalization) or wgan_gp.")] = (
        "non_saturating"
    ),
    batch_size: Annotated[int, typer.Option(min=2, max=1 << 20, help="Number of images in a batch.")] = 64,
    learning_rate: Annotated[
        float | None,
        typer.Option(min=1e-12, max=1.0, help="Learning rate of Adam; by default a value that suits the loss."),
    ] = None,
    average: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Decay of the moving average of the generator's weights.")
    ] = 0.999,
    augment: Annotated[
        bool,
        typer.Option(help="Shift real and generated images alike, so that a small number of clips is not memorized."),
    ] = True,
    precision: Annotated[str, typer.Option(help="Precision of the training: float32 or bfloat16.")] = "float32",
    device: Annotated[str, typer.Option(help="Device of the training: auto, cpu, cuda or mps.")] = "auto",
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED, help="Random seed of the training.")] = 0,
    hold_out: HoldOutOption = None,
    max_bad: MaxBadOption = "1%",
    json: JsonOption = False,
) -> None:
    """Train a SpecGAN, with a checkpoint, a preview image and a preview sound at regular steps."""
    from spectronorm.gan.prepare import GanDesign, prepare_gan
    from spectronorm.gan.run import MODEL, PREVIEWS, train_gan
    from spectronorm.gan.training import GanTraining
    from spectronorm.gan.training_source import TrainingSource

    training = GanTraining(
        loss=loss,
        batch_size=batch_size,
        learning_rate=learning_rate,
        average=average,
        augment=augment,
        precision=precision,
        device=device,
        seed=seed,
    )
    design = GanDesign(size, width, latent, conditional, level_range, fix_length, training)
    origin = TrainingSource(source, tuple(parse_hold_out(hold_out)))
    note_unread(origin.training_clips())
    with progress_bar("preparing") as bar:
        prepared = prepare_gan(
            origin, front_end, design, max_bad=parse_share(max_bad, "max-bad"), progress=lambda _: bar
        )
    warn_left_out(prepared.bad)
    lines = []
    with progress_bar("training (steps)") as bar:
        for line in train_gan(prepared, output, steps, every=every, progress=bar):
            lines.append(asdict(line))
            if not json:
                say(
                    f"step {line.step}: discriminator {line.discriminator_loss:.3f}, generator "
                    f"{line.generator_loss:.3f}; {line.seconds:,.0f} s"
                )
    if json:
        told = {
            "clips": len(prepared.images),
            "clipped_share": prepared.clipped,
            "bad": [bad.to_dict() for bad in prepared.bad],
        }
        print_json({"model": str(output / MODEL), **told, "log": lines})
        return
    say(
        f"{output / MODEL}: {counted(len(prepared.images), 'clip')}, {prepared.clipped:.2%} of their cells clipped; "
        f"pictures and sounds in {output / PREVIEWS}"
    )


def sample_command(
    model: ModelArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the images.")],
    number: Annotated[int, typer.Option("-n", "--number", min=1, max=MAX_IMAGES, help="Number of images.")] = 16,
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED, help="Random seed; equal seeds give equal images.")] = 0,
    classes: Annotated[
        list[str] | None,
        typer.Option("--class", help="Class of a conditional model; may be repeated. By default all classes in turn."),
    ] = None,
    bits: Annotated[int, typer.Option(min=8, max=16, help="8 or 16.")] = 8,
    audio: Annotated[bool, typer.Option("--audio", help="Also write the sound of each image.")] = False,
    quality: Annotated[str, typer.Option(help="Quality of the sound: fast, good or best.")] = "good",
    json: JsonOption = False,
) -> None:
    """Write generated images, which carry everything needed for inversion, and with --audio their sounds."""
    from spectronorm.gan.model import GanModel
    from spectronorm.gan.sample import SampleOptions, write_samples

    options = SampleOptions(number, seed, tuple(classes or ()), bits, audio, quality)
    with progress_bar("sampling") as bar:
        samples = write_samples(GanModel.load(_model_file(model)), output, options, bar)
    if json:
        print_json({"folder": str(samples.folder), "images": samples.images, "notes": samples.notes})
        return
    say(f"{output}: {counted(len(samples.images), 'image')}{' and sounds' if audio else ''}; index.csv")
    for note in samples.notes:
        warn(note)


def score_command(
    models: Annotated[
        list[Path],
        typer.Argument(
            metavar="MODEL...",
            help="A model.safetensors or the folder of a training; several for trainings of one design, of which each "
            "seed scores the next.",
        ),
    ],
    source: Annotated[
        str | None, typer.Option(help="The clips; by default the clips of the training in the first model's folder.")
    ] = None,
    hold_out: HoldOutOption = None,
    seeds: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=10_000,
            help="Number of seeds, each with its own judge and samples; by default 3, or the number of models.",
        ),
    ] = None,
    images: Annotated[
        int | None,
        typer.Option(
            "-n",
            "--images",
            min=10,
            max=MAX_IMAGES,
            help="Number of images in a split; by default the number of test clips.",
        ),
    ] = None,
    splits: Annotated[int, typer.Option(min=1, max=1000, help="Number of splits of the samples.")] = 5,
    taught: Annotated[
        int | None,
        typer.Option(
            min=2,
            max=MAX_IMAGES,
            help="Number of images of each set that a classifier is trained on; by default all samples, but no more "
            "than there are training clips.",
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, max=100_000, help="Number of epochs of each judge.")] = None,
    max_bad: MaxBadOption = "1%",
    json: JsonOption = False,
) -> None:
    """Score a model beside real clips, baselines and traps, with classifiers that judge or learn from the images."""
    from spectronorm.gan.clips import classes_of, read_levels
    from spectronorm.gan.judge import EPOCHS
    from spectronorm.gan.model import GanModel, require_one_design
    from spectronorm.gan.run import SETTINGS
    from spectronorm.gan.score_table import score_table
    from spectronorm.gan.scoring import ScoreOptions, score
    from spectronorm.gan.teaching import compare_lessons, groups_of, teaching_table
    from spectronorm.gan.training_source import TrainingSource

    files = [_model_file(path) for path in models]
    loaded = [GanModel.load(file) for file in files]
    require_one_design(loaded)
    held_out = tuple(parse_hold_out(hold_out))
    origin = TrainingSource.beside(files[0], SETTINGS) if source is None else TrainingSource(source, held_out)
    options, share = ScoreOptions(images, splits, epochs or EPOCHS, taught), parse_share(max_bad, "max-bad")
    training, unseen = note_unread(origin.training_clips()), origin.test_clips()
    classes = loaded[0].classes or classes_of(training)
    with progress_bar("reading clips") as bar:
        train, test = (
            read_levels(part, loaded[0].window, classes=classes, max_bad=share, progress=bar)
            for part in (training, unseen)
        )
    bad = (*train.bad, *test.bad)
    warn_left_out(bad)
    scores = []
    count = seeds or max(3, len(loaded))
    with progress_bar("scoring") as bar:
        for seed in range(count):
            scores.append(score(loaded[seed % len(loaded)], train, test, seed, options))
            bar(seed + 1, count)
    lessons = compare_lessons([one.lessons for one in scores], groups_of(training, unseen, test.names))
    if json:
        told = {
            "bad": [one.to_dict() for one in bad],
            "seeds": [one.to_dict() for one in scores],
            "taught": [one.to_dict() for one in lessons],
        }
        print_json({"models": [str(file) for file in files], "steps": [one.step for one in loaded], **told})
        return
    say("\n".join(score_table(tuple(scores))))
    say("")
    say("\n".join(teaching_table(lessons)))


def _model_file(path: Path) -> Path:
    from spectronorm.gan.run import MODEL

    return path / MODEL if path.is_dir() else path
