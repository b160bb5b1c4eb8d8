"""Which normalization serves this data, by paired training, with the answer's uncertainty."""

from specnorm.errors import MissingExtra

try:
    import torch as _torch
except (ImportError, OSError):
    raise MissingExtra("Comparing normalizations by training", "torch") from None
del _torch

from specnorm.experiment.answer import Answer as Answer
from specnorm.experiment.answer import answer as answer
from specnorm.experiment.arm import Arm as Arm
from specnorm.experiment.arm import arm_of_name as arm_of_name
from specnorm.experiment.arms_file import parse_arms as parse_arms
from specnorm.experiment.compare import Outcome as Outcome
from specnorm.experiment.compare import compare as compare
from specnorm.experiment.compare import plan as plan
from specnorm.experiment.design import Design as Design
from specnorm.experiment.folds import LabelledClips as LabelledClips
from specnorm.experiment.folds import labelled_clips as labelled_clips
from specnorm.experiment.prepare import Prepared as Prepared
from specnorm.experiment.prepare import prepare as prepare
from specnorm.experiment.results import Results as Results
from specnorm.experiment.run import run as run
from specnorm.experiment.train import Training as Training
