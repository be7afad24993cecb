"""What it costs to import an integration, beside its framework: each in a process of its own, the least of some runs.

`.venv-integrations/bin/python -m bench.integrations`, with the environment that `make test-integrations` makes.
"""

import ast
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

RUNS = 5
FRAMEWORKS = ("langgraph", "langchain", "openai_agents", "pydantic_ai", "google_adk", "agent_framework", "anthropic")
PACKAGE = "moltnet.entrypoints.integrations"
AGENT = "from moltnet.entrypoints.library.agent import LocalAgent"
MEASURED = """
import sys, time
times = [time.process_time()]
for code in sys.argv[1:]:
    exec(code)
    times.append(time.process_time())
print(*(later - earlier for earlier, later in zip(times, times[1:])))
"""


def main(modules: Sequence[str]) -> None:
    """Prints milliseconds of CPU time, and MoltNet's part beside the framework's."""
    print(f"{'integration':<18}{'framework':>10}{'moltnet':>9}{'integration':>13}{'beside':>8}")
    for module in modules:
        foreign, own = _foreign_imports(module), f"import {PACKAGE}.{module}"
        framework, library, piece = min((_times(foreign, AGENT, own) for _ in range(RUNS)), key=sum)
        beside = f"{(library + piece) / framework:>8.2f}" if foreign else ""
        print(f"{module:<18}{framework * 1e3:>10.0f}{library * 1e3:>9.0f}{piece * 1e3:>13.0f}{beside}", flush=True)


def _foreign_imports(module: str) -> str:
    """The statements by which one of our modules imports its framework."""
    spec = find_spec(f"{PACKAGE}.{module}")
    tree = ast.parse(Path(str(spec and spec.origin)).read_text(encoding="utf-8"))
    found = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    ours = {"moltnet", *sys.stdlib_module_names}
    return "\n".join(ast.unparse(node) for node in found if (node.module or "").partition(".")[0] not in ours)


def _times(*codes: str) -> list[float]:
    told = subprocess.run([sys.executable, "-c", MEASURED, *codes], capture_output=True, text=True, check=True).stdout
    return [float(each) for each in told.split()]


if __name__ == "__main__":
    main(sys.argv[1:] or (*FRAMEWORKS, "tools"))
