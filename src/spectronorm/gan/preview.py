"""Preview of a model: a grid of its images, and one row of them as one sound."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from spectronorm.gan.model import GanModel
from spectronorm.image_files import ImageCodec
from spectronorm.image_files.png import NOT_INVERTIBLE, encode_png
from spectronorm.inversion import invert
from spectronorm.passes.sounds import write_audio
from spectronorm.storage.atomic import atomic_write
from spectronorm.storage.content import Content

ROWS, COLUMNS = 4, 8
_GAP, _PAUSE_SECONDS, _WHITE = 2, 0.15, 255


def save_preview(model: GanModel, stem: Path, seed: int = 0) -> None:
    """Write `STEM.png`, four rows with one class in each column, and `STEM.wav`, the first row as sound.

    The latent variables of a seed are constant over the steps, so the previews of a training show one set of images as
    they form. The grid is for viewing; `gan sample` writes single images that can be inverted.
    """
    columns = len(model.classes) or COLUMNS
    levels = model.sample(ROWS * columns, seed)
    codec = ImageCodec(model.window.front_end, model.level_range)
    cells = np.stack([codec.pixels(level)[0] for level in levels]).astype(np.uint8)
    framed = np.pad(cells, ((0, 0), (0, _GAP), (0, _GAP)), constant_values=_WHITE)
    height, width = framed.shape[1:]
    grid = framed.reshape(ROWS, columns, height, width).transpose(0, 2, 1, 3).reshape(ROWS * height, columns * width)
    text = f"a grid for viewing, of step {model.step}: not invertible"
    with atomic_write(stem.with_suffix(".png"), Content.PICTURE) as file:
        file.write(encode_png(np.ascontiguousarray(grid[:-_GAP, :-_GAP]), NOT_INVERTIBLE, text))
    front_end = model.window.front_end
    waves = np.asarray(invert(levels[:columns], front_end, length=model.window.samples, quality="fast", seed=seed))
    spaced = np.pad(waves, ((0, 0), (0, round(_PAUSE_SECONDS * front_end.sample_rate)))).reshape(-1)
    write_audio(stem.with_suffix(".wav"), spaced / max(1.0, float(np.abs(spaced).max())), front_end.sample_rate)
