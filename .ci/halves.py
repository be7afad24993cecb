"""Runs a pytest command twice at once, each time over half of the files of the fast set: `halves.py pytest -q`.

Thousands of tests of a millisecond: the messages of pytest-xdist, and every worker's collecting all of them, would cost
a third of the time. The first half is shown as it runs, the second one after it.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

FOLDERS = ("tests/unit", "tests/contract")


def main(*command: str) -> int:
    """Returns the worse of the two exit codes."""
    paths = [path for folder in FOLDERS for path in Path(folder).rglob("test_*.py")]
    files = [str(path) for path in sorted(paths, key=lambda path: (path.stat().st_size, path))]
    with tempfile.TemporaryFile() as output:
        second = subprocess.Popen([*command, *files[1::2]], stdout=output, stderr=subprocess.STDOUT)
        try:
            first = subprocess.run([*command, *files[::2]], check=False)
        finally:
            second.wait()
        output.seek(0)
        sys.stdout.buffer.write(output.read())
    return max(first.returncode, second.returncode)


sys.exit(main(*sys.argv[1:]))
