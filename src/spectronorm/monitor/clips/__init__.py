"""Features of clips, and their distribution in training."""
