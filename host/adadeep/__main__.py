"""`python -m adadeep`."""

from adadeep.cli.entry import main

if __name__ == "__main__":
    main()
