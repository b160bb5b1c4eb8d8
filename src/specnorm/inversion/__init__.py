"""Level to sound: bands to bins, a phase from the magnitudes, and iterations that make the two agree.

A new method is one function beside those in `refine.py` and one line in `plan.py`.
"""

from specnorm.inversion.invert import Vocoder as Vocoder
from specnorm.inversion.invert import invert as invert
from specnorm.inversion.plan import METHODS as METHODS
from specnorm.inversion.plan import QUALITIES as QUALITIES
from specnorm.inversion.plan import Plan as Plan
