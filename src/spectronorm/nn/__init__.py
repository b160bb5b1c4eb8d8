"""Torch modules: spectrogram, normalization, both in one, their export, and audio as a data set for training."""

from spectronorm.errors import MissingExtra

try:
    import torch as _torch
except (ImportError, OSError):
    raise MissingExtra("spectronorm.nn", "torch") from None
del _torch

from spectronorm.nn.batch_norm import AdaptedBatchNorm as AdaptedBatchNorm
from spectronorm.nn.batch_norm import adapt_batchnorm as adapt_batchnorm
from spectronorm.nn.dataset import ClipDataset as ClipDataset
from spectronorm.nn.dataset import ClipItem as ClipItem
from spectronorm.nn.dataset import collate as collate
from spectronorm.nn.export import export_onnx as export_onnx
from spectronorm.nn.export import export_program as export_program
from spectronorm.nn.monitored import Monitored as Monitored
from spectronorm.nn.normalize import Normalize as Normalize
from spectronorm.nn.preprocess import Preprocess as Preprocess
from spectronorm.nn.spectrogram import Spectrogram as Spectrogram
from spectronorm.nn.stream_step import StreamStep as StreamStep
from spectronorm.nn.stream_step import export_stream_onnx as export_stream_onnx

__all__ = [
    "AdaptedBatchNorm",
    "ClipDataset",
    "ClipItem",
    "Monitored",
    "Normalize",
    "Preprocess",
    "Spectrogram",
    "StreamStep",
    "adapt_batchnorm",
    "collate",
    "export_onnx",
    "export_program",
    "export_stream_onnx",
]
