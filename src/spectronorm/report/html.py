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
<style>
  .clips { display: grid; grid-template-columns: repeat(auto-fill, minmax(12rem, 1fr)); gap: 1rem 1.5rem; }
  .clips figure { margin: 0; min-width: 0; }
  .clips figcaption { overflow-wrap: anywhere; }
  .clips img { width: 100%; height: 96px; display: block; border: 1px solid #ddd; }
  audio { width: 100%; display: block; }
  .figure { overflow-x: auto; }
  .figure img { display: block; max-width: 100%; height: auto; }
  @media (max-width: 38rem) {
    .figure img { max-width: 36rem; }
    .figure::before { content: "Scroll sideways to see all of the figure."; position: sticky; left: 0; font-size: .8rem;
      color: #555; }
  }
  @media (max-width: 40rem) {
    table.rows, .rows tbody, .rows tr { display: block; }
    .rows tr:first-child { display: none; }
    .rows tr { padding: .5rem 0; border-bottom: 1px solid #ddd; }
    .rows tr td { display: flex; justify-content: space-between; gap: 1rem; border: 0; padding: .1rem 0;
      text-align: right; white-space: normal; overflow-wrap: anywhere; }
    .rows tr td::before { content: attr(data-label); text-align: left; font-weight: normal; flex: none; }
    .rows tr td:first-child { font-weight: bold; }
  }
</style>
"""
"""On a phone a table of class `rows` shows each row as a list of label and value, so that nothing is cut, and a figure
keeps a width at which its labels can be read: it scrolls sideways, and a line above it says so."""


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
