"""Every route of the wire, one module for each capability."""

from moltnet.entrypoints.rest.routing import AnyRoute

ROUTES: tuple[AnyRoute, ...] = ()
