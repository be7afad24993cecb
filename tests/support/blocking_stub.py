"""The types of `moltnet.blocking`, written from those of the asynchronous library.

python -m tests.support.blocking_stub > moltnet/entrypoints/library/blocking.pyi
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

LIBRARY = Path(__file__).parents[2] / "moltnet" / "entrypoints" / "library"
STUB = LIBRARY / "blocking.pyi"
MODULES = ["diaries", "records", "entries", "imports", "identity", "log", "public", "agent", "network"]
FUNCTIONS = {"remote": ("connect", "visit", "info", "register", "recover"), "signing": ("sign_and_submit",)}
HIDDEN = {"AmbiguousDiary", "ChainRolledBack", "KeyNotAtHand", "ServerPartsMissing"}
_NAMES = {
    "AsyncIterator": "BlockingIterator",
    "AbstractAsyncContextManager": "AbstractContextManager",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
}
_HEAD = "# The types of the library for code that does not await: written by tests/support/blocking_stub.py."
_EXTRA = (
    "from asyncio import AbstractEventLoop",
    "from collections.abc import Iterator",
    "from contextlib import AbstractContextManager",
    "from typing import TypeAlias, TypeVar",
    "_Item = TypeVar('_Item')",
)
_ITERATOR = """
def unwrapped(agent: Any) -> tuple[Any, AbstractEventLoop]: ...

class BlockingIterator(Iterator[_Item]):
    def __next__(self) -> _Item: ...
    def close(self) -> None: ...
"""


class _Blocking(ast.NodeTransformer):
    """Makes what is asynchronous wait, and leaves bodies, private members and docstrings out."""

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:  # ast's name
        members = [self.visit(each) for each in node.body if isinstance(each, ast.AsyncFunctionDef | ast.FunctionDef)]
        node.body = [each for each in members if not _is_private(each.name)] or [ast.Expr(ast.Constant(...))]
        node.decorator_list = []
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:  # ast's name
        waiting = ast.FunctionDef(node.name, node.args, node.body, node.decorator_list, node.returns)
        return self.visit_FunctionDef(waiting)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:  # ast's name
        node.body = [ast.Expr(ast.Constant(...))]
        node.name = _NAMES.get(node.name, node.name)
        node.args.defaults = [ast.Constant(...) for _ in node.args.defaults]
        node.args.kw_defaults = [each and ast.Constant(...) for each in node.args.kw_defaults]
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:  # ast's name
        node.id = _NAMES.get(node.id, node.id)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:  # ast's name
        # An annotation in quotes needs none in a stub.
        return ast.Name(node.value) if isinstance(node.value, str) and node.value.isidentifier() else node


def stub() -> str:
    """The text of the stub, as the formatter writes it."""
    trees = [ast.parse((LIBRARY / f"{name}.py").read_text(encoding="utf-8")) for name in (*MODULES, *FUNCTIONS)]
    body = [_Blocking().visit(node) for node in _public(trees)]
    used = {node.id for tree in body for node in ast.walk(tree) if isinstance(node, ast.Name)}
    aliases = [node for tree in trees for node in tree.body if isinstance(node, ast.Assign) and _target(node) in used]
    used |= {node.id for tree in aliases for node in ast.walk(tree) if isinstance(node, ast.Name)}
    imports = set(_imports(trees, used - {node.name for node in body}))
    types = {f"{_target(node)}: TypeAlias = {ast.unparse(node.value)}" for node in aliases}
    text = "\n".join([_HEAD, *sorted(imports), *_EXTRA, *sorted(types), _ITERATOR, *map(_text, body)])
    ruff = [sys.executable, "-m", "ruff"]
    options = ["--stdin-filename", str(STUB), "-"]
    sorted_text = _run([*ruff, "check", "--select", "I,F401", "--fix-only", "--quiet", *options], text)
    return _run([*ruff, "format", "--quiet", *options], sorted_text)


def _public(trees: list[ast.Module]) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    functions = {name for names in FUNCTIONS.values() for name in names}
    for tree in trees:
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and tree in trees[: len(MODULES)] and node.name not in HIDDEN:
                yield node
            if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef) and node.name in functions:
                yield node


def _imports(trees: list[ast.Module], used: set[str]) -> Iterator[str]:
    for tree in trees:
        for node in tree.body:
            if isinstance(node, ast.ImportFrom):
                names = [each for each in node.names if (each.asname or each.name) in used]
                if names and "entrypoints.library" not in str(node.module):
                    yield ast.unparse(ast.ImportFrom(node.module, names, 0))


def _text(node: ast.AST) -> str:
    return ast.unparse(ast.fix_missing_locations(node))


def _target(node: ast.Assign) -> str:
    target = node.targets[0]
    return target.id if isinstance(target, ast.Name) else ""


def _is_private(name: str) -> bool:
    return name.startswith("_") and name not in {"__enter__", "__exit__"}


def _run(command: list[str], text: str) -> str:
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    sys.stdout.write(stub())
