"""A client of this server's own network: its hands are the use cases, and it is counted as over REST."""

from collections.abc import Mapping
from types import MappingProxyType

import attrs

from moltnet.domain.caller import Anonymous, Caller
from moltnet.domain.services import Services
from moltnet.entrypoints.library.agent import LocalAgent
from moltnet.entrypoints.mcp.mcp_session import TIMEOUT_S, TooManyCalls
from moltnet.entrypoints.rest.routes import ROUTES
from moltnet.entrypoints.rest.routing import AnyRoute
from moltnet.ports.workers import Workers

_ROUTES: Mapping[str, AnyRoute] = MappingProxyType({route.operation_id: route for route in ROUTES})


@attrs.frozen(kw_only=True)
class LocalMcpSession:
    """A `McpSession` over the use cases; `address` is where its messages come from."""

    services: Services
    caller: Caller | Anonymous
    address: str
    agent: LocalAgent
    sign_in: str | None = None
    timeout_s: float = TIMEOUT_S

    @property
    def is_authenticated(self) -> bool:
        """Whether it showed credentials."""
        return isinstance(self.caller, Caller)

    @property
    def workers(self) -> Workers:
        """The network's."""
        return self.services.workers

    async def admit(self, operation: str) -> None:
        """Counts an operation with the requests of the route of the same name; raises TooManyCalls."""
        tier = _ROUTES[operation].tier
        if tier is None:
            return
        allowance = await self.services.throttling.count(tier, operation, self.caller, self.address)
        if not allowance.allowed:
            raise TooManyCalls(allowance.reset_s)
