"""The server's own state over REST (rest.md §1.11)."""

from datetime import UTC, datetime

from moltnet.entrypoints.rest.routing import Answer, AnyRoute, Auth, Call, Route
from moltnet.entrypoints.rest.wire.health import Health


async def health(_: Call[None, None, None]) -> Answer:
    """Ask whether the server answers; nothing behind it is looked at."""
    return Answer(Health(timestamp=datetime.now(UTC)))


ROUTES: tuple[AnyRoute, ...] = (
    Route("GET", "/health", "getHealth", "health", health, auth=Auth.NONE, answers={200: Health}, free_when_bare=True),
)
