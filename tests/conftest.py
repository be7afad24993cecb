"""What holds for every test."""

import gc
import os
import signal
import sys

from hypothesis import settings

# Hundreds of processes are started from this tree, by pytest-xdist and by tests: none of them compiles it again.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# `make test-fast` looks at fewer examples of each property, and never judges a slow machine.
settings.register_profile("fast", max_examples=10, deadline=None)
settings.register_profile("thorough", max_examples=100, deadline=None)
settings.load_profile("thorough")

# A script's job in the background has SIGINT ignored, and so would have every process the tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """What was collected stays to the end, so that garbage is not looked for in it again and again."""
    gc.freeze()
