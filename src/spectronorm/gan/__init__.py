"""SpecGAN (Donahue, McAuley and Puckette 2019): train it, generate spectrograms, turn them into sound, score them."""

from spectronorm.errors import MissingExtra

try:
    import torch as _torch
except (ImportError, OSError):
    raise MissingExtra("Training or using a SpecGAN", "torch") from None
del _torch

from spectronorm.gan.model import GanModel as GanModel
from spectronorm.gan.prepare import GanDesign as GanDesign
from spectronorm.gan.prepare import prepare_gan as prepare_gan
from spectronorm.gan.run import train_gan as train_gan
from spectronorm.gan.sample import SampleOptions as SampleOptions
from spectronorm.gan.sample import write_samples as write_samples
from spectronorm.gan.scoring import ScoreOptions as ScoreOptions
from spectronorm.gan.scoring import score as score
from spectronorm.gan.teaching import compare_lessons as compare_lessons
from spectronorm.gan.teaching import groups_of as groups_of
from spectronorm.gan.training import GanTraining as GanTraining
from spectronorm.gan.training_source import TrainingSource as TrainingSource

__all__ = [
    "GanDesign",
    "GanModel",
    "GanTraining",
    "SampleOptions",
    "ScoreOptions",
    "TrainingSource",
    "compare_lessons",
    "groups_of",
    "prepare_gan",
    "score",
    "train_gan",
    "write_samples",
]
