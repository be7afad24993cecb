"""The fast test modules that import, or mirror, a module that differs from the branch `main`."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import grimp

ROOT = Path(__file__).parent.parent
FAST = ("tests/unit/", "tests/contract/")


def changed() -> set[str]:
    """The Python files that differ from `main`, committed or not."""
    base = _git("merge-base", "HEAD", "main") or ["HEAD"]
    return {*_git("diff", "--name-only", base[0], "--", "*.py"), *_git("ls-files", "-o", "--exclude-standard", "*.py")}


def affected(files: set[str]) -> Iterator[str]:
    """The test modules of some files; a change of a `conftest.py` concerns its whole folder."""
    graph = grimp.build_graph("moltnet", "tests", cache_dir=os.fspath(ROOT / ".import_linter_cache"))
    for file in files:
        module = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        yield file
        yield f"tests/unit/{Path(file).relative_to(Path(file).parts[0]).parent}/test_{Path(file).name}"
        importers = graph.find_modules_that_directly_import(module) if module in graph.modules else set()
        yield from (f"{importer.replace('.', '/')}.py" for importer in importers)


def _git(*arguments: str) -> list[str]:
    ended = subprocess.run(["git", *arguments], cwd=ROOT, check=False, capture_output=True, text=True)
    return ended.stdout.split()


def _tests(file: str) -> list[Path]:
    path = Path(file)
    if not file.startswith(FAST) or not (ROOT / path).exists():
        return []
    if path.name == "conftest.py":
        return [each.relative_to(ROOT) for each in (ROOT / path.parent).rglob("test_*.py")]
    return [path] if path.name.startswith("test_") else []


def tests() -> list[Path]:
    """Their files."""
    files = {path for file in affected(changed()) for path in _tests(file)}
    return sorted(files)
