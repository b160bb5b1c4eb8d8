"""Power spectra of frames: one public function, with transforms in vector lanes or by NumPy behind it."""

from spectronorm.kernels.fft.real_fft import Plan as Plan
from spectronorm.kernels.fft.real_fft import plan_of as plan_of
from spectronorm.kernels.fft.real_fft import power_spectrum as power_spectrum
from spectronorm.kernels.fft.real_fft import transform as transform
