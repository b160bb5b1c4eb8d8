"""Statistics and sentences: the way from test scores to an answer."""
