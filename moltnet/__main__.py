"""`python -m moltnet`: the command line."""

from moltnet.entrypoints.cli.main import main

main()
