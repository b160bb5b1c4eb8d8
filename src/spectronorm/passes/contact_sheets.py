"""Contact sheets of exported images, one for each label, next to the images."""

from __future__ import annotations

import io
import os
from collections import Counter as Tally
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import xxhash
from PIL.PngImagePlugin import PngInfo

from spectronorm.audio import ClipReference, Source
from spectronorm.image_files import contact_sheet
from spectronorm.passes.outputs import SHEET_PREFIX, fitting_name, folder_name, output_names
from spectronorm.storage.atomic import atomic_write
from spectronorm.storage.content import Content


def sheet_names(source: Source) -> Mapping[str, str]:
    """Return the name of each label's sheet: it gets a digest if another label or a folder has the name."""
    labels = {clip.columns.get("label", "") for clip in source}
    plain = {label: fitting_name(f"{SHEET_PREFIX}{folder_name(label) or 'all'}.png") for label in sorted(labels)}
    used = Tally(name.casefold() for name in plain.values())
    outputs = (name.casefold() for _, name in output_names(source, ".png", by_label=True))
    used.update({name.partition("/")[0] for name in outputs if "/" in name})
    return {
        label: fitting_name(f"{name[:-4]}~{xxhash.xxh3_64_hexdigest(os.fsencode(label))}.png")
        if used[name.casefold()] > 1
        else name
        for label, name in plain.items()
    }


def write_sheets(
    folder: Path, images: Iterable[tuple[ClipReference, str]], names: Mapping[str, str], most: int, *, coloured: bool
) -> tuple[str, ...]:
    """Write the sheets of the images in a folder, and return their names.

    Args:
        folder: Folder of the images.
        images: Clips and the names of their images.
        names: Result of `sheet_names`.
        most: Largest number of images on a sheet.
        coloured: True if the images are.
    """
    classes: dict[str, list[str]] = {}
    for clip, name in images:
        classes.setdefault(clip.columns.get("label", ""), []).append(name)
    written = []
    for label, outputs in sorted(classes.items()):
        chosen = outputs[:most]
        title = f"{label or 'all clips'}: {len(chosen)} of {len(outputs)} clips"
        _write_sheet(folder / names[label], title, [(name, folder / name) for name in chosen], coloured=coloured)
        written.append(names[label])
    return tuple(written)


def _write_sheet(path: Path, title: str, images: Sequence[tuple[str, Path]], *, coloured: bool) -> None:
    buffer, mark = io.BytesIO(), PngInfo()
    mark.add_text("Software", "spectronorm")
    contact_sheet(title, images).convert("RGB" if coloured else "L").save(buffer, "PNG", pnginfo=mark)
    with atomic_write(path, Content.PICTURE) as file:
        file.write(buffer.getvalue())
