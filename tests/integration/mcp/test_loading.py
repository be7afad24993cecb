"""When the official package is loaded: at the first message, and not before."""

import subprocess
import sys

STARTED = "import sys, moltnet.entrypoints.cli.serving; print([m for m in sys.modules if m in ('mcp', 'mcp_types')])"


def test_a_server_starts_without_it():
    printed = subprocess.run([sys.executable, "-c", STARTED], check=True, capture_output=True, text=True).stdout
    assert printed == "[]\n"
