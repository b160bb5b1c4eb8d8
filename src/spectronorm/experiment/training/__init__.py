"""Models and their training."""
