"""The server's own state over REST (docs/reference/endpoints.md, "Health")."""

from datetime import UTC, datetime
from typing import Annotated, Literal

import attrs

from moltnet.domain.constraints import Description
from moltnet.entrypoints.operations.operation import Auth
from moltnet.entrypoints.rest.routing import Answer, AnyRoute, Call, Route


@attrs.frozen(kw_only=True)
class Health:
    """The server answers."""

    status: Literal["ok"] = "ok"
    timestamp: datetime


@attrs.frozen(kw_only=True)
class Ready:
    """The server can do its work: the database and the workflows are there."""

    status: Literal["ready"] = "ready"
    timestamp: datetime


@attrs.frozen(kw_only=True)
class NotReady:
    """The server runs, but cannot do its work now, or not all of it."""

    status: Literal["unavailable"] = "unavailable"
    reason: Annotated[str, Description("What is missing, in sentences for a person.")]
    timestamp: datetime


_UNAVAILABLE = 503
_RETRY_S = 1


async def health(_: Call[None, None, None]) -> Answer:
    """Ask whether the server answers; nothing behind it is looked at."""
    return Answer(Health(timestamp=datetime.now(UTC)))


async def ready(call: Call[None, None, None]) -> Answer:
    """Ask whether the server can do its work: whether database and workflows answer and there is room to write."""
    reasons, now = (await call.services.readiness.fresh()).reasons, datetime.now(UTC)
    headers = {"Cache-Control": "no-store"}
    if not reasons:
        return Answer(Ready(timestamp=now), headers=headers)
    headers |= {"Retry-After": str(_RETRY_S)}
    return Answer(NotReady(reason="; ".join(reasons), timestamp=now), _UNAVAILABLE, headers)


ROUTES: tuple[AnyRoute, ...] = (
    Route("GET", "/health", "getHealth", "health", health, auth=Auth.NONE, answers={200: Health}, free_when_bare=True),
    # Not counted: it looks nothing up, and who watches over the server must never be held up.
    Route(
        "GET",
        "/ready",
        "getReady",
        "health",
        ready,
        auth=Auth.NONE,
        answers={200: Ready, _UNAVAILABLE: NotReady},
        tier=None,
    ),
)
