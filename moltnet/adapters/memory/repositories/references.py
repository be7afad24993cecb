"""Rows that name other rows."""

from collections.abc import Hashable
from typing import TypeVar

from moltnet.adapters.memory.tables import Table

Key = TypeVar("Key", bound=Hashable)
Row = TypeVar("Row")


class UnknownReference(LookupError):
    """A row names another that is not stored: a mistake of the caller's that a database refuses too."""


def referenced(table: Table[Key, Row], key: Key) -> Row:
    """The row that another names; raises UnknownReference."""
    row = table.get(key)
    if row is None:
        raise UnknownReference(f"{key} is not stored")
    return row
