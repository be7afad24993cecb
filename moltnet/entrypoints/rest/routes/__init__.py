"""Every route of the wire: those of operations, and those that do more than ask and answer."""

from itertools import chain

from moltnet.entrypoints.operations.table import BY_NAME
from moltnet.entrypoints.rest import stream
from moltnet.entrypoints.rest.operations import routes_of
from moltnet.entrypoints.rest.routes import discovery, health, hooks, log_files, recovery_flow, registration
from moltnet.entrypoints.rest.routing import AnyRoute

__all__ = ["ROUTES"]

_BY_HAND: tuple[AnyRoute, ...] = (
    *recovery_flow.ROUTES,
    *registration.ROUTES,
    *stream.ROUTES,
    *log_files.ROUTES,
    *health.ROUTES,
    *hooks.ROUTES,
    *discovery.ROUTES,
)
_NAMES = {route.operation_id for route in _BY_HAND}
ROUTES: tuple[AnyRoute, ...] = (
    *chain.from_iterable(routes_of(each) for each in BY_NAME.values() if each.name not in _NAMES),
    *_BY_HAND,
)
