"""Runs the Python of a page of the documentation: `python -m tests.support.snippets PAGE [WRITTEN IN-ITS-PLACE]…`.

The pieces are run in order, in one namespace and one event loop, as a reader would paste them.
"""

import ast
import asyncio
import inspect
import re
import sys
from pathlib import Path

PIECE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def run(page: Path, written: dict[str, str]) -> None:
    """Raises whatever a piece raises."""
    text = page.read_text(encoding="utf-8")
    for before, after in written.items():
        assert before in text, before
        text = text.replace(before, after)
    names: dict[str, object] = {}
    with asyncio.Runner() as runner:
        for number, match in enumerate(PIECE.finditer(text), start=1):
            line = text[: match.start(1)].count("\n")
            code = compile(
                ast.increment_lineno(ast.parse(match[1]), line),
                f"{page} (piece {number})",
                "exec",
                flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT,
            )
            waiting = eval(code, names)
            if inspect.iscoroutine(waiting):
                runner.run(waiting)


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    run(Path(sys.argv[1]), dict(zip(sys.argv[2::2], sys.argv[3::2], strict=True)))
