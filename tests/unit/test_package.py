"""The package as a whole: every module can be the first that is imported, and importing the package costs nothing."""

import ast
import graphlib
import importlib.util
import json
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

import moltnet

MODULES = {"moltnet", *(module.name for module in pkgutil.walk_packages(moltnet.__path__, "moltnet."))}
ROOT = Path(__file__).parents[2]
WHAT_CAME = """
import importlib, json, sys
before = set(sys.modules)
importlib.import_module(sys.argv[1])
print(json.dumps(sorted({name.partition(".")[0] for name in set(sys.modules) - before})))
"""


def test_every_module_can_be_the_first_that_is_imported():
    """Where no module waits for another that waits for it, none is met half imported, whatever comes first.

    Importing a module begins with the packages it lies in, so these are waited for as well; but not by what lies in
    them itself, for which they have begun already.
    """
    graph = {module: set(_waited_for(module)) for module in MODULES}
    assert graph["moltnet.entrypoints.cli.serving"] >= {
        "moltnet.entrypoints.container.networks",
        "moltnet.entrypoints.rest",
    }
    list(graphlib.TopologicalSorter(graph).static_order())  # raises CycleError, which names the cycle


def test_importing_the_package_loads_nothing_else():
    assert set(_loaded_by("moltnet")) - set(sys.stdlib_module_names) == {"moltnet"}


def test_showing_help_loads_no_more_than_it_needs():
    came = set(_loaded_by("moltnet.entrypoints.cli.main")) - set(sys.stdlib_module_names)
    assert came == {"moltnet", "click"}


def test_an_installed_server_stays_small():
    """Bytecode, pip and the embedding model come on top, 120 MB: the environment of `make env` has less than 400."""
    sizes = {name: sum(file.size or 0 for file in distribution(name).files or []) for name in _server_packages()}
    assert len(sizes) <= 74
    assert sum(sizes.values()) <= 285 * 2**20, sorted(sizes.items(), key=lambda entry: -entry[1])[:10]


def _server_packages() -> set[str]:
    """What `make env` installs and does not remove again."""
    lock = (ROOT / "requirements" / "server.lock").read_text(encoding="utf-8")
    locked = [Requirement(line) for line in re.findall(r"^([a-z].*?) \\$", lock, re.MULTILINE)]
    building = re.search(r"^BUILDING := (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert building is not None
    here = {requirement.name for requirement in locked if not requirement.marker or requirement.marker.evaluate()}
    return here - set(building[1].split())


def _loaded_by(module: str) -> list[str]:
    printed = subprocess.run([sys.executable, "-c", WHAT_CAME, module], check=True, capture_output=True).stdout
    names: list[str] = json.loads(printed)
    return names


def _waited_for(module: str) -> Iterator[str]:
    for imported in _imports(module):
        for waited in (imported, *_packages_of(imported)):
            if waited not in {module, *_packages_of(module)}:
                yield waited


def _imports(module: str) -> Iterator[str]:
    """What of ours a module imports as it runs; not what its functions import, or type checkers alone."""
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    for statement in _statements(ast.parse(Path(spec.origin).read_text(encoding="utf-8")).body):
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names if alias.name in MODULES)
        elif isinstance(statement, ast.ImportFrom) and statement.module in MODULES:
            for alias in statement.names:
                part = f"{statement.module}.{alias.name}"
                yield part if part in MODULES else statement.module


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test):
            continue
        yield statement
        for inner in ("body", "orelse", "finalbody"):
            yield from _statements(getattr(statement, inner, []))


def _packages_of(module: str) -> Iterator[str]:
    parts = module.split(".")
    yield from (".".join(parts[:length]) for length in range(1, len(parts)))
