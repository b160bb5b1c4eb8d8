"""Settings of the documentation."""

from specnorm import __version__

project = "specnorm"
author = "the specnorm authors"
version = release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
exclude_patterns = ["_build"]
myst_heading_anchors = 3
myst_enable_extensions = ["dollarmath"]
autodoc_member_order = "bysource"
autodoc_typehints = "none"
default_role = "code"
autoclass_content = "class"
html_title = f"specnorm {__version__}"
