"""Cost of wrong statistics: a trained model's accuracy as the mean and the deviation of its input are off."""

from spectronorm.experiment.sensitivity.errors_of_statistics import StatisticsError as StatisticsError
from spectronorm.experiment.sensitivity.labelled import LabelledLevels as LabelledLevels
from spectronorm.experiment.sensitivity.measure import ErrorEffect as ErrorEffect
from spectronorm.experiment.sensitivity.measure import Sensitivity as Sensitivity
from spectronorm.experiment.sensitivity.measure import measure_sensitivity as measure_sensitivity
from spectronorm.experiment.sensitivity.model import Classifier as Classifier
from spectronorm.experiment.sensitivity.model import open_model as open_model
