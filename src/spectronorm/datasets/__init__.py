"""Public data sets from their official sources: downloaded, verified by content, and laid out for every command."""

from spectronorm.datasets.get import Got as Got
from spectronorm.datasets.get import get as get
from spectronorm.datasets.known import DATASETS as DATASETS
from spectronorm.datasets.known import Dataset as Dataset
from spectronorm.datasets.known import find_dataset as find_dataset

__all__ = ["Dataset", "Got", "find_dataset", "get"]
