"""Torch modules: spectrogram, normalization, both as one, their export, and audio as a data set for training."""

from specnorm.errors import MissingExtra

try:
    import torch as _torch
except (ImportError, OSError):
    raise MissingExtra("specnorm.nn", "torch") from None
del _torch

from specnorm.nn.batch_norm import AdaptedBatchNorm as AdaptedBatchNorm
from specnorm.nn.batch_norm import adapt_batchnorm as adapt_batchnorm
from specnorm.nn.dataset import ClipDataset as ClipDataset
from specnorm.nn.dataset import ClipItem as ClipItem
from specnorm.nn.dataset import collate as collate
from specnorm.nn.export import export_onnx as export_onnx
from specnorm.nn.export import export_program as export_program
from specnorm.nn.monitored import Monitored as Monitored
from specnorm.nn.normalize import Normalize as Normalize
from specnorm.nn.preprocess import Preprocess as Preprocess
from specnorm.nn.spectrogram import Spectrogram as Spectrogram
