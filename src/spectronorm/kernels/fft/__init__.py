"""Power spectra of frames: one public function, with transforms in vector lanes or by NumPy behind it."""

from spectronorm.kernels.fft.frames import Frames as Frames
from spectronorm.kernels.fft.plan import plan_of as plan_of
from spectronorm.kernels.fft.power_spectra import power_of_frames as power_of_frames
