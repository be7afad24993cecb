"""What holds for every test."""

import gc
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from hypothesis import settings

pytest_plugins = ["moltnet.testing"]

# Hundreds of processes are started from this tree, by pytest-xdist and by tests: none of them compiles it again.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Folders of tests are in memory where there is room for them: hundreds of databases would wait for a disk.
SHARED_MEMORY, ROOM_BYTES = Path("/dev/shm"), 4 * 2**30
if (
    SHARED_MEMORY.is_dir()
    and not os.statvfs(SHARED_MEMORY).f_flag & os.ST_NOEXEC
    and shutil.disk_usage(SHARED_MEMORY).free > ROOM_BYTES
):
    os.environ.setdefault("TMPDIR", os.fspath(SHARED_MEMORY))
    tempfile.tempdir = None  # pytest asked for it before, and is told now

# Little of what importing and collecting make is garbage: it is looked for more seldom, with the first import already.
gc.set_threshold(100_000, 50, 100)

# Examples of each property: in `make test-fast`, in `make test` and without a profile, in `make soak`.
settings.register_profile("fast", max_examples=10, deadline=None)
settings.register_profile("usual", max_examples=30, deadline=None)
settings.register_profile("long", max_examples=500, deadline=None)
settings.load_profile("usual")


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


# A script's job in the background has SIGINT ignored, and so would have every process the tests start and interrupt.
# Not Python's own handler: over that one, asyncio puts another at each entry to a loop, half a millisecond each time.
signal.signal(signal.SIGINT, _interrupted)


def pytest_collection_finish() -> None:
    """What was collected stays to the end, so that garbage is not looked for in it."""
    gc.freeze()
