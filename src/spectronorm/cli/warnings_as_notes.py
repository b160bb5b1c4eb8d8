"""Warnings that stand on stderr as remarks."""

from __future__ import annotations

import warnings
from typing import Any

from spectronorm.cli.terminal import warn
from spectronorm.errors import GapWarning, KernelWarning, LayoutWarning, ScaleWarning


def note_warnings() -> None:
    """Show warnings of slow kernels, gaps, layouts and scales as remarks, and others as Python does."""
    as_python_does = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
        if issubclass(category, GapWarning | KernelWarning | LayoutWarning | ScaleWarning):
            warn(str(message))
        else:
            as_python_does(message, category, *where, **more)

    warnings.showwarning = show
