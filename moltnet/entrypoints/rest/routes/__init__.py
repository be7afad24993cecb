"""Every route of the wire, one module for each capability."""

from moltnet.entrypoints.rest.routes import (
    agents,
    crypto,
    diaries,
    discovery,
    entries,
    feed,
    health,
    hooks,
    problems,
    recovery,
    reference,
    registration,
    search,
    sharing,
    vouching,
)
from moltnet.entrypoints.rest.routing import AnyRoute

__all__ = ["ROUTES"]

ROUTES: tuple[AnyRoute, ...] = (
    *diaries.ROUTES,
    *sharing.ROUTES,
    *entries.ROUTES,
    *search.ROUTES,
    *agents.ROUTES,
    *crypto.ROUTES,
    *recovery.ROUTES,
    *registration.ROUTES,
    *vouching.ROUTES,
    *feed.ROUTES,
    *health.ROUTES,
    *problems.ROUTES,
    *hooks.ROUTES,
    *discovery.ROUTES,
    *reference.ROUTES,
)
