"""`python -m serment` is the command line."""

from serment.cli.main import main

if __name__ == "__main__":
    main()
