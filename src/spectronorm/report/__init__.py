"""Reports: text plots, figures, and self-contained pages."""
