"""Front ends of published systems, by name, each equal to its source (docs/presets.md states the accuracy)."""

from spectronorm.front_end.presets.preset import Preset as Preset
from spectronorm.front_end.presets.presets import PRESETS as PRESETS
from spectronorm.front_end.presets.presets import find_preset as find_preset
from spectronorm.front_end.presets.presets import preset as preset

__all__ = ["PRESETS", "Preset", "find_preset", "preset"]
