"""Features of clips, and what they were in training."""
