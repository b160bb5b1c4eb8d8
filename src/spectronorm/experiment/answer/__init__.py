"""From scores to an answer."""
