"""Every route of the wire: those of operations, and those that do more than ask and answer."""

from collections.abc import Iterable, Iterator
from itertools import chain

from moltnet.entrypoints.operations import (
    agents,
    diaries,
    entries,
    feed,
    imports,
    keys,
    log,
    problems,
    records,
    recovery,
    search,
    sharing,
    signing,
    vouching,
)
from moltnet.entrypoints.operations.operation import AnyOperation
from moltnet.entrypoints.rest import stream
from moltnet.entrypoints.rest.operations import routes_of
from moltnet.entrypoints.rest.routes import discovery, health, hooks, log_files, recovery_flow, registration
from moltnet.entrypoints.rest.routing import AnyRoute

__all__ = ["ROUTES"]


def _of(operations: Iterable[AnyOperation]) -> Iterator[AnyRoute]:
    return chain.from_iterable(map(routes_of, operations))


ROUTES: tuple[AnyRoute, ...] = (
    *_of(diaries.OPERATIONS),
    *_of(sharing.OPERATIONS),
    *_of(entries.OPERATIONS),
    *_of(search.OPERATIONS),
    *_of(agents.OPERATIONS),
    *_of(keys.OPERATIONS),
    *_of(records.OPERATIONS),
    *_of(imports.OPERATIONS),
    *_of(signing.OPERATIONS),
    *_of(recovery.OPERATIONS),
    *recovery_flow.ROUTES,
    *registration.ROUTES,
    *_of(vouching.OPERATIONS),
    *_of(feed.OPERATIONS),
    *stream.ROUTES,
    *_of(log.OPERATIONS),
    *log_files.ROUTES,
    *health.ROUTES,
    *_of(problems.OPERATIONS),
    *hooks.ROUTES,
    *discovery.ROUTES,
)
