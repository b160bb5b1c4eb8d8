"""A SpecGAN (Donahue, McAuley and Puckette 2019): level images of sound, generated, heard and honestly scored."""

from specnorm.errors import MissingExtra

try:
    import torch as _torch
except (ImportError, OSError):
    raise MissingExtra("Training or using a SpecGAN", "torch") from None
del _torch

from specnorm.gan.model import GanModel as GanModel
from specnorm.gan.origin import Origin as Origin
from specnorm.gan.run import GanDesign as GanDesign
from specnorm.gan.run import prepare as prepare
from specnorm.gan.run import run as run
from specnorm.gan.sample import SampleOptions as SampleOptions
from specnorm.gan.sample import write_samples as write_samples
from specnorm.gan.scoring import ScoreOptions as ScoreOptions
from specnorm.gan.scoring import score as score
from specnorm.gan.training import GanTraining as GanTraining
