"""A whole run on sounds that the demo makes itself."""
