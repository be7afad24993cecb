"""What tests start ends with them, however they end."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.live_server import processes_of, until
from tests.support.postgres import migrated

pytestmark = pytest.mark.real

SERVING = """
import asyncio, pathlib, sys
from tests.support.live_server import serving

async def main(folder):
    async with serving(folder, "--workers", "2"):
        print("ready", flush=True)
        await asyncio.sleep(600)

asyncio.run(main(pathlib.Path(sys.argv[1])))
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
async def test_no_server_and_no_database_outlive_tests_that_are_interrupted(
    tmp_path: Path, number: signal.Signals
) -> None:
    command = [sys.executable, "-c", SERVING, str(migrated(tmp_path))]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as tests:  # noqa: ASYNC220 - nothing else goes on
        assert tests.stdout
        assert tests.stdout.readline() == b"ready\n"
        tests.send_signal(number)
    await until(lambda: processes_of(tmp_path) == [])
