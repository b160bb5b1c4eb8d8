"""`python -m spectronorm`: the command line, if its script is not on the path."""

from spectronorm.cli import main

if __name__ == "__main__":
    main()
