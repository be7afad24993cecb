"""Every route of the wire: those of operations, and those that do more than ask and answer."""

from collections.abc import Iterable, Iterator
from itertools import chain

from moltnet.entrypoints.operations import agents, diaries, sharing, signing, vouching
from moltnet.entrypoints.operations.operation import AnyOperation
from moltnet.entrypoints.rest.operations import routes_of
from moltnet.entrypoints.rest.routes import (
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
)
from moltnet.entrypoints.rest.routing import AnyRoute

__all__ = ["ROUTES"]


def _of(operations: Iterable[AnyOperation]) -> Iterator[AnyRoute]:
    return chain.from_iterable(map(routes_of, operations))


ROUTES: tuple[AnyRoute, ...] = (
    *_of(diaries.OPERATIONS),
    *_of(sharing.OPERATIONS),
    *entries.ROUTES,
    *search.ROUTES,
    *_of(agents.OPERATIONS),
    *_of(signing.OPERATIONS),
    *recovery.ROUTES,
    *registration.ROUTES,
    *_of(vouching.OPERATIONS),
    *feed.ROUTES,
    *health.ROUTES,
    *problems.ROUTES,
    *hooks.ROUTES,
    *discovery.ROUTES,
    *reference.ROUTES,
)
