"""Entry point of `python -m spectronorm`, for when the script is not on the path."""

from spectronorm.cli import main

if __name__ == "__main__":
    main()
