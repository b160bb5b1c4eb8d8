"""Inversion of a log-spectrogram (level) to sound: bands to bins, initial phase from the magnitudes, and iterations.

A new method is one function in `refine.py` and one line in `plan.py`.
"""

from spectronorm.inversion.invert import Vocoder as Vocoder
from spectronorm.inversion.invert import invert as invert
from spectronorm.inversion.plan import METHODS as METHODS
from spectronorm.inversion.plan import QUALITIES as QUALITIES
from spectronorm.inversion.plan import InversionPlan as InversionPlan
