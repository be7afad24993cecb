"""What Ory's client costs a server that has Ory, beside one that has not: `python -m bench.ory_import`."""

import statistics
import subprocess
import sys

NATIVE = "moltnet.entrypoints.container, moltnet.entrypoints.rest.app"
ORY = "moltnet.adapters.ory.identity, moltnet.adapters.ory.tokens, moltnet.adapters.ory.relations"
RUNS = 5
IMPORT = """
import time
import {modules}
rss_kb = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS"))
print(time.process_time(), rss_kb)
"""


def main() -> None:
    """Prints CPU seconds and memory of both, and their ratios."""
    native_s, native_mb = _cost(NATIVE)
    ory_s, ory_mb = _cost(f"{NATIVE}, {ORY}")
    print(f"a server's own modules: {native_s:.2f} s of CPU, {native_mb:.0f} MB")
    print(f"and Ory's client:       {ory_s:.2f} s of CPU, {ory_mb:.0f} MB")
    print(f"that is {ory_s / native_s:.1f} times the time and {ory_mb / native_mb:.1f} times the memory")


def _cost(modules: str) -> tuple[float, float]:
    """CPU seconds and MB of a process that imports these, in the median."""
    command = [sys.executable, "-c", IMPORT.format(modules=modules)]
    printed = [subprocess.run(command, check=True, capture_output=True, text=True).stdout.split() for _ in range(RUNS)]
    return statistics.median(float(s) for s, _ in printed), statistics.median(int(kb) for _, kb in printed) / 1024


if __name__ == "__main__":
    main()
