"""Statistics in the formats of other programs. Each format is one file and one line here."""

from spectronorm.interop.statistics.statistics_format import STATISTICS_FORMATS as STATISTICS_FORMATS
from spectronorm.interop.statistics.statistics_format import ShiftAndScale as ShiftAndScale
from spectronorm.interop.statistics.statistics_format import StatisticsFormat as StatisticsFormat
from spectronorm.interop.statistics.read_file import read_numbers as read_numbers
from spectronorm.interop.statistics.read_file import read_statistics as read_statistics
from spectronorm.interop.statistics.write_file import write_statistics as write_statistics
from spectronorm.interop.statistics.hf import HuggingFace as HuggingFace
from spectronorm.interop.statistics.kaldi import Kaldi as Kaldi
from spectronorm.interop.statistics.wenet import WeNet as WeNet
from spectronorm.interop.statistics.espnet import Espnet as Espnet
from spectronorm.interop.statistics.torchaudio_rnnt import TorchaudioStatistics as TorchaudioStatistics
from spectronorm.interop.statistics.speechbrain import SpeechBrain as SpeechBrain
from spectronorm.interop.statistics.lhotse import Lhotse as Lhotse
from spectronorm.interop.statistics.funasr import FunAsr as FunAsr
from spectronorm.interop.statistics.sherpa import SherpaOnnx as SherpaOnnx
from spectronorm.interop.statistics.keras import Keras as Keras
from spectronorm.interop.statistics.sklearn import SklearnScaler as SklearnScaler
from spectronorm.interop.statistics.nemo import NeMo as NeMo
from spectronorm.interop.statistics.npz_file import NpzFile as NpzFile
from spectronorm.interop.statistics.npy_file import NpyFile as NpyFile
from spectronorm.interop.statistics.json_file import JsonFile as JsonFile
from spectronorm.interop.statistics.torchvision import TorchvisionText as TorchvisionText
from spectronorm.interop.statistics.read_file import read_statistics as read  # noqa: F401
from spectronorm.interop.statistics.write_file import write_statistics as write  # noqa: F401
