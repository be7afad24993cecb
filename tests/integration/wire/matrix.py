"""Who gets what: every operation of the served document, asked by every kind of caller.

`python -m tests.integration.wire.matrix > docs/matrix.md` writes the table anew.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import attrs

from moltnet.domain.credentials import ALL_SCOPES
from tests.integration.wire.operations import Operation, document_of, operations
from tests.integration.wire.stage import NOBODY, Stage, a_stage

# The column, and who asks in it.
CALLERS = {
    "no token": NOBODY,
    "stranger": "stranger",
    "invited": "invited",
    "revoked": "revoked",
    "reader": "reader",
    "writer": "writer",
    "owner": "owner",
    "expired": "expired",
    "other issuer": "elsewhere",
    "scope missing": "narrow",
}
_HEAD = """# Who gets what

Every operation of the OpenAPI document, asked by every kind of caller: the status of the answer. The table is made from
a running server, and a test holds it to the answers. After a change that is meant, write it anew:

    python -m tests.integration.wire.matrix > docs/matrix.md

The request is a good one about things of the owner's: its private diary with one entry, a share of it, a signing
request, its profile; for public operations an entry of its public diary. *Stranger* has no part in the diary; *invited*
was invited to another of the owner's diaries and has not answered, and answers here; *revoked* was a writer once;
*reader* and *writer* are what they are called. The last three columns are the owner's own tokens: one that has
*expired*, one of *another issuer*, and one that carries every scope but the operation's. HEAD answers as GET does.

- 401 and 403 for a scope come before anything is looked up.
- To open a diary further (`updateDiary`, and `createDiary` with another visibility than private) a token needs
  diary:share as well (ADR-29).
- What a caller may not read does not exist for it: 404 (ADR-6).
- 400 for `verifyRecoveryChallenge` is the right answer to the made-up challenge of the document's example.
"""


@attrs.define
class _Stages:
    """Hands out a stage that nobody has changed, the same one as long as that is so."""

    _stack: AsyncExitStack
    _stage: Stage | None = None

    async def fresh(self) -> Stage:
        if self._stage is None:
            self._stage = await self._stack.enter_async_context(a_stage())
        return self._stage

    async def spoil(self) -> None:
        await self._stack.aclose()
        self._stage = None


async def matrix_text() -> str:
    """The whole page."""
    columns = ["operation", "request", "scope", *CALLERS]
    lines = [_HEAD, _line(columns), _line(["---"] * len(columns))]
    async with _stages() as stages:
        document = await document_of((await stages.fresh()).http)
        for operation in operations(document):
            statuses = [await _status(stages, operation, who) for who in CALLERS.values()]
            scope = ", ".join(operation.scopes or ()) or "none"
            request = f"{operation.method} {operation.path}"
            lines.append(_line([operation.operation_id, f"`{request}`", scope, *map(str, statuses)]))
    return "\n".join(lines) + "\n"


async def _status(stages: _Stages, operation: Operation, who: str) -> int:
    stage = await stages.fresh()
    missing = ALL_SCOPES - frozenset(scope for scope in ALL_SCOPES if scope in (operation.scopes or ()))
    stage.tokens["narrow"] = await stage.token("owner", missing)
    reply = await stage.ask(f"{who} {operation.method} {operation.target}", operation.body)
    if operation.happens_once and reply.status < 400:
        await stages.spoil()
    return reply.status


@asynccontextmanager
async def _stages() -> AsyncIterator[_Stages]:
    async with AsyncExitStack() as stack:
        yield _Stages(stack)


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.stdout.write(asyncio.run(matrix_text()))
