"""Every operation, and what each asks of a token."""

from collections.abc import Mapping
from types import MappingProxyType

from moltnet.domain.credentials import Scope
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

BY_NAME: Mapping[str, AnyOperation] = MappingProxyType(
    {
        operation.name: operation
        for operations in (
            diaries.OPERATIONS,
            sharing.OPERATIONS,
            entries.OPERATIONS,
            search.OPERATIONS,
            agents.OPERATIONS,
            signing.OPERATIONS,
            records.OPERATIONS,
            keys.OPERATIONS,
            imports.OPERATIONS,
            recovery.OPERATIONS,
            vouching.OPERATIONS,
            feed.OPERATIONS,
            log.OPERATIONS,
            problems.OPERATIONS,
        )
        for operation in operations
    }
)


def scopes_of(name: str) -> tuple[Scope, ...]:
    """What a token must carry for the operation of this name; nothing for one that is open to everyone."""
    return BY_NAME[name].scopes if name in BY_NAME else ()
