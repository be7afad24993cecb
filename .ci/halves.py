"""Runs a pytest command twice at once, each time over half of the files of the fast set: `halves.py pytest -q`.

`halves.py --affected pytest -q` does so with the files that a change affects.

Thousands of tests of a millisecond: the messages of pytest-xdist, and every worker's collecting all of them, would cost
a third of the time. The first half is shown as it runs, the second one after it.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDERS = ("tests/unit", "tests/contract")
# A file that says so of all its tests has none of the fast set, and is not even read for them.
REAL = re.compile(r"^pytestmark = .*\bmark\.real\b", re.MULTILINE)
# Seconds of CPU, in proportion to each other, of the files that take most; any other counts by its length.
SECONDS = {
    "unit/entrypoints/library/test_archives.py": 1.7,
    "unit/domain/services/test_shut_out.py": 1.5,
    "unit/domain/services/test_access.py": 1.1,
    "unit/adapters/otel/test_telemetry.py": 0.9,
    "contract/test_agent_memories.py": 0.9,
    "unit/domain/test_injection.py": 0.8,
    "contract/test_agent_heads.py": 0.8,
    "unit/domain/services/test_search.py": 0.7,
    "unit/test_package.py": 0.5,
    "unit/domain/services/test_entries.py": 0.5,
    "contract/test_agent_keys.py": 0.4,
    "contract/test_agent_records.py": 0.4,
    "unit/domain/services/test_registration_undoing.py": 0.4,
    "unit/entrypoints/library/test_archive_attacks.py": 0.4,
    "unit/domain/test_passages.py": 0.4,
    "unit/adapters/builtin/test_keys.py": 0.4,
    "unit/entrypoints/mcp/tools/test_tools.py": 0.4,
}
SECONDS_PER_BYTE = 11e-6
# What pytest answers where no test was chosen, as from a file that a change affects and whose tests take real parts.
NO_TESTS = 5


def seconds(path: Path) -> float:
    """About how long a file's tests take."""
    return SECONDS.get(path.as_posix().removeprefix("tests/"), path.stat().st_size * SECONDS_PER_BYTE)


def halves(paths: list[Path]) -> tuple[list[str], list[str]]:
    """The files with fast tests among some, of which each goes where less is so far, the longest first."""
    chosen: tuple[list[str], list[str]] = [], []
    total = [0.0, 0.0]
    fast = [path for path in paths if not REAL.search(path.read_text(encoding="utf-8"))]
    for path in sorted(fast, key=seconds, reverse=True):
        least = total.index(min(total))
        chosen[least].append(str(path))
        total[least] += seconds(path)
    return sorted(chosen[0]), sorted(chosen[1])


def main(*command: str) -> int:
    """Returns the worse of the two exit codes."""
    if command[0] == "--affected":
        from affected import tests  # noqa: PLC0415  # reads every module

        paths, command = tests(), command[1:]
    else:
        paths = [path for folder in FOLDERS for path in sorted(Path(folder).rglob("test_*.py"))]
    mine, others = halves(paths)
    if not others:
        return _worst(subprocess.run([*command, *mine], check=False).returncode) if mine else 0
    with tempfile.TemporaryFile() as output:
        second = subprocess.Popen([*command, *others], stdout=output, stderr=subprocess.STDOUT)
        try:
            first = subprocess.run([*command, *mine], check=False)
        finally:
            second.wait()
        output.seek(0)
        sys.stdout.buffer.write(output.read())
    return _worst(first.returncode, second.returncode)


def _worst(*codes: int) -> int:
    """A process that a signal ended has a negative one."""
    return max(abs(code) for code in (*codes, 0) if code != NO_TESTS)


sys.exit(main(*sys.argv[1:]))
