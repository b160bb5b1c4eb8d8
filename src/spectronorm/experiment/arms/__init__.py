"""Arms: the normalizations that are compared."""
