"""The command line: parse, call, print."""

from specnorm.cli.app import main as main
