"""`python -m data …`: see `python -m data --help`."""

from data.commands.app import main

main()
