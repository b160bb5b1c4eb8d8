"""Settings of the documentation."""

import re
from pathlib import Path

import jupytext
from sphinx.application import Sphinx

from spectronorm import __version__

project = "spectronorm"
author = "the spectronorm authors"
version = release = __version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
exclude_patterns = ["_build", "jupyter_execute", "**/_notebooks", "reference"]
myst_heading_anchors = 3
myst_enable_extensions = ["dollarmath"]
# The guides are notebooks in Markdown: their cells run in each build, and a cell that fails ends it.
nb_execution_mode = "force"
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_execution_in_temp = True
nb_merge_streams = True
autodoc_member_order = "bysource"
autodoc_typehints = "none"
default_role = "code"
# Types of fields: other projects' pages are not here, and some classes are described by what holds them.
nitpick_ignore_regex = [
    ("py:class", r"(numpy|collections|pathlib|torch)\..*"),
    ("py:class", r"spectronorm\.(gan\.(clips|networks)|experiment)\..*"),
    ("py:class", r"spectronorm\.(audio\.clip\.Remark|cleaning\.fingerprint\.Fingerprint)"),
    ("py:class", r"spectronorm\.(audio\.native_format\.NativeFormat|monitor\.change\.within\.Within)"),
    ("py:class", r"spectronorm\.profile\.counting\.format_counts\.FormatCounts"),
]
autoclass_content = "class"
html_title = f"spectronorm {__version__}"


def write_notebooks(app: Sphinx) -> None:
    """Write each executed page as `_notebooks/NAME.ipynb`, which the page offers for download."""
    for page in sorted(Path(app.srcdir).rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        if "file_format: mystnb" not in text:
            continue
        # Roles and links between pages mean nothing in a notebook: their words stay.
        text = re.sub(r"^\{download\}`[^`]*`\.?", "", text, flags=re.MULTILINE)
        text = re.sub(r"\[\]\(([\w./-]*?)([\w-]+)\.md\)", r"*\2*", text)
        text = re.sub(r"\[([^\]]+)\]\([^)]*\.md[^)]*\)", r"\1", text)
        notebook = jupytext.reads(text.replace("file_format: mystnb\n", ""), fmt="md:myst")
        target = page.parent / "_notebooks" / f"{page.stem}.ipynb"
        target.parent.mkdir(exist_ok=True)
        jupytext.write(notebook, target, fmt="ipynb")


def setup(app: Sphinx) -> None:
    """Register the hook."""
    app.connect("builder-inited", write_notebooks)
