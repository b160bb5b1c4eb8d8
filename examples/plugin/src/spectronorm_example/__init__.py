"""An example plug-in for spectronorm; the entry points in pyproject.toml register what its modules define."""
