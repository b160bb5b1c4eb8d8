"""Experiment: find the normalization that serves a data set, by paired training, with the answer's uncertainty."""

from spectronorm.errors import MissingExtra

try:
    import torch as _torch
except (ImportError, OSError):
    raise MissingExtra("Comparing normalizations by training", "torch") from None
del _torch

from spectronorm.experiment.answer.answer import Answer as Answer
from spectronorm.experiment.answer.answer import answer as answer
from spectronorm.experiment.arms.arm import Arm as Arm
from spectronorm.experiment.arms.arm import arm_of_name as arm_of_name
from spectronorm.experiment.arms.arms_file import parse_arms as parse_arms
from spectronorm.experiment.clips.folds import LabelledClips as LabelledClips
from spectronorm.experiment.clips.folds import labelled_clips as labelled_clips
from spectronorm.experiment.design import Design as Design
from spectronorm.experiment.results import Results as Results
from spectronorm.experiment.running.compare import Outcome as Outcome
from spectronorm.experiment.running.compare import compare as compare
from spectronorm.experiment.running.plan import plan as plan
from spectronorm.experiment.running.prepare import Prepared as Prepared
from spectronorm.experiment.running.prepare import prepare as prepare
from spectronorm.experiment.running.run import run as run
from spectronorm.experiment.sensitivity import LabelledLevels as LabelledLevels
from spectronorm.experiment.sensitivity import Sensitivity as Sensitivity
from spectronorm.experiment.sensitivity import measure_sensitivity as measure_sensitivity
from spectronorm.experiment.sensitivity import open_model as open_model
from spectronorm.experiment.training.train import Training as Training

__all__ = [
    "Answer",
    "Arm",
    "Design",
    "LabelledClips",
    "LabelledLevels",
    "Outcome",
    "Prepared",
    "Results",
    "Sensitivity",
    "Training",
    "answer",
    "arm_of_name",
    "compare",
    "labelled_clips",
    "measure_sensitivity",
    "open_model",
    "parse_arms",
    "plan",
    "prepare",
    "run",
]
