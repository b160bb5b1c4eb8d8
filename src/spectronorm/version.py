"""Version of the library, written into everything that it saves."""

__version__ = "0.2.0"
