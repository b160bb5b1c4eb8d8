"""Command line: parses the arguments, calls the library, prints the result."""

from spectronorm.cli.app import main as main
