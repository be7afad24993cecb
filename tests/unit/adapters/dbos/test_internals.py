"""What of DBOS has no public name is used in one module, which says why."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from dbos import _dbos

import moltnet
from moltnet.adapters.dbos.internals import QueueWork

PACKAGE = Path(moltnet.__file__).parent
INTERNALS = PACKAGE / "adapters" / "dbos" / "internals.py"


def private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def private_names(source: str) -> Iterator[str]:
    """What private a module imports from DBOS, and private members of anything but its own objects."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and private(node.attr):
            if not (isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}):
                yield node.attr
        elif isinstance(node, ast.ImportFrom | ast.Import):
            origin = (getattr(node, "module", None) or "").split(".")
            paths = [[*origin, *alias.name.split(".")] for alias in node.names]
            yield from (".".join(path) for path in paths if "dbos" in path[:2] and any(map(private, path)))


def test_only_one_module_uses_private_names_of_dbos() -> None:
    importing = [path for path in PACKAGE.rglob("*.py") if "dbos" in path.read_text(encoding="utf-8")]
    using = {path for path in importing if list(private_names(path.read_text(encoding="utf-8")))}
    assert using == {INTERNALS}


@pytest.mark.parametrize(
    "line",
    [
        "from dbos._dbos import DBOS",
        "from dbos import _sys_db",
        "import dbos._error",
        "DBOS._recover_pending_workflows(['a'])",
        "launched().engine._sys_db.pause = 1",
    ],
)
def test_private_name_is_found(line: str) -> None:
    assert list(private_names(line))


@pytest.mark.parametrize("line", ["from dbos import error", "self._engine = DBOS.workflow_id", "super().__init__()"])
def test_public_name_is_left_alone(line: str) -> None:
    assert not list(private_names(line))


def test_queue_is_looked_into_when_the_bell_has_rung_and_left_at_the_end() -> None:
    queued = QueueWork()
    queued.ring()
    assert not queued.wait(timeout=0)
    queued.set()
    assert queued.wait(timeout=0)


def test_library_has_the_threads_that_are_replaced() -> None:
    assert {"queue_thread", "background_jobs_thread", "dynamic_scheduler_loop"} <= vars(_dbos).keys()
