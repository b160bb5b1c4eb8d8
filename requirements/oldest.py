"""Pins of the oldest versions that pyproject.toml allows, one a line: `python requirements/oldest.py [EXTRA …]`."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path


def pins(requirements: list[str]) -> list[str]:
    """Each requirement `name>=version…` as `name==version`; one without a lower bound as it is."""
    return [re.sub(r">=\s*([\w.]+).*", r"==\1", requirement) for requirement in requirements]


def main() -> None:
    """Print the pins of the core and of the extras that are named."""
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [one for name in sys.argv[1:] for one in project["optional-dependencies"][name]]
    print("\n".join(pins([*project["dependencies"], *extras])))  # noqa: T201


if __name__ == "__main__":
    main()
