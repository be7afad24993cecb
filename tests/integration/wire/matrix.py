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
    "other agent": "stranger",
    "invited": "invited",
    "revoked": "revoked",
    "reader": "reader",
    "writer": "writer",
    "owner": "owner",
    "expired": "expired",
    "other issuer": "elsewhere",
    "scope missing": "narrow",
}
_HEAD = """# Permission matrix

Every operation of the OpenAPI document, requested by every kind of caller: the status of the answer. The table is made
from a running server, and a test compares the two. After an intended change, generate it again:

    python -m tests.integration.wire.matrix > docs/matrix.md

The request is valid and concerns the owner's things: its private diary with one entry, a share of it, a signing
request, its profile; for public operations an entry of its public diary. *Other agent* has no relation to the diary;
*invited* has an unanswered invitation to another of the owner's diaries, and answers it here; *revoked* was a writer;
*reader* and *writer* have that relation. The last three columns are the owner's own tokens: one that has
*expired*, one of *another issuer*, and one that carries every scope but the operation's. HEAD answers as GET does.

- 401, and 403 for a scope, come before anything is looked up.
- To open a diary further (`updateDiary`, and `createDiary` with another visibility than private) a token needs
  diary:share as well ([ADR-29](adr/0029-narrow-tokens.md)).
- What a caller may not read is answered as if it did not exist: 404
  ([ADR-6](adr/0006-existence-is-not-revealed.md)).
- The diary is not signed, so records for it are 409; no record was prepared that `submitRecord` could be about.
- 400 for `verifyRecoveryChallenge` is the right answer to the invented challenge of the document's example.
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
