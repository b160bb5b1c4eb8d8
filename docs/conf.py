"""Settings of the documentation."""

from spectronorm import __version__

project = "spectronorm"
author = "the spectronorm authors"
version = release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
exclude_patterns = ["_build"]
myst_heading_anchors = 3
myst_enable_extensions = ["dollarmath"]
autodoc_member_order = "bysource"
autodoc_typehints = "none"
default_role = "code"
# Types of fields: other projects' pages are not here, and some classes are described by what holds them.
nitpick_ignore_regex = [
    ("py:class", r"(numpy|collections|pathlib|torch)\..*"),
    ("py:class", r"spectronorm\.(gan\.(clips|networks)|experiment)\..*"),
    ("py:class", r"spectronorm\.audio\.clip\.Remark"),
]
autoclass_content = "class"
html_title = f"spectronorm {__version__}"
