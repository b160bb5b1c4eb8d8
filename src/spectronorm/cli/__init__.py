"""The command line: parse, call, print."""

from spectronorm.cli.app import main as main
