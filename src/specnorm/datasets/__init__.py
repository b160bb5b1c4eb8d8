"""Public data sets from their official places: downloaded, checked by content, and laid out for every command."""

from specnorm.datasets.get import Got as Got
from specnorm.datasets.get import get as get
from specnorm.datasets.known import DATASETS as DATASETS
from specnorm.datasets.known import Dataset as Dataset
from specnorm.datasets.known import find_dataset as find_dataset
