"""Common parts of the self-contained HTML pages: header, template, and embedded images."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from spectronorm.errors import MissingExtra

if TYPE_CHECKING:
    from jinja2 import Template

_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="generator" content="spectronorm">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
"""


def page_template(text: str) -> Template:
    """Compile a page from its style sheet on; values are escaped, including `title`, and a missing value is an error.

    Raises:
        MissingExtra: if Jinja2 is not installed.
    """
    try:
        import jinja2
    except (ImportError, OSError):
        raise MissingExtra("Writing a report page", "report") from None
    return jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(_HEAD + text)


def embedded(png: bytes) -> str:
    """Encode an image as text for a `data:image/png;base64,` address."""
    return base64.b64encode(png).decode()
