"""Cleaning of a data set before it is measured: clips that are broken, copied, or unlike the others."""

from spectronorm.cleaning.clean_table import write_clean_table as write_clean_table
from spectronorm.cleaning.facts import SoundFacts as SoundFacts
from spectronorm.cleaning.inspection import Inspected as Inspected
from spectronorm.cleaning.inspection import inspect as inspect
from spectronorm.cleaning.limits import InspectionLimits as InspectionLimits
from spectronorm.cleaning.near_copies import NearCopies as NearCopies
from spectronorm.cleaning.near_leaks import near_leaks as near_leaks
from spectronorm.cleaning.oddity import FoundOddity as FoundOddity
from spectronorm.cleaning.oddity import Oddity as Oddity
from spectronorm.cleaning.same_sound import Likeness as Likeness

__all__ = [
    "FoundOddity",
    "Inspected",
    "InspectionLimits",
    "Likeness",
    "NearCopies",
    "Oddity",
    "SoundFacts",
    "inspect",
    "near_leaks",
    "write_clean_table",
]
