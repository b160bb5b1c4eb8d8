"""Level to sound: bands to bins, a phase from the magnitudes, and iterations that make the two agree.

A new method is one function beside those in `refine.py` and one line in `plan.py`.
"""

from spectronorm.inversion.invert import Vocoder as Vocoder
from spectronorm.inversion.invert import invert as invert
from spectronorm.inversion.plan import METHODS as METHODS
from spectronorm.inversion.plan import QUALITIES as QUALITIES
from spectronorm.inversion.plan import InversionPlan as InversionPlan
