"""Rows in memory, and drafts of them: changes that nobody else sees until they are applied."""

from collections.abc import Callable, Hashable, Mapping
from typing import Any, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Row = TypeVar("Row")
Traits = Mapping[str, Callable[[Any], Hashable]]


class Table(Generic[Key, Row]):
    """Rows by key, and by what several of them have in common: their traits, each found without a scan."""

    def __init__(self, **traits: Callable[[Row], Hashable]) -> None:
        self.traits: Traits = traits
        self._rows: dict[Key, Row] = {}
        self._sharing: dict[tuple[str, Hashable], dict[Key, Row]] = {}

    def get(self, key: Key) -> Row | None:
        """The row of a key."""
        return self._rows.get(key)

    def rows(self) -> dict[Key, Row]:
        """Every row; not to be changed."""
        return self._rows

    def sharing(self, trait: str, value: Hashable) -> dict[Key, Row]:
        """The rows that have this value of a trait; not to be changed."""
        return self._sharing.get((trait, value), {})

    def one(self, trait: str, value: Hashable) -> Row | None:
        """The row that has this value of a trait, the first of several."""
        return next(iter(self.sharing(trait, value).values()), None)

    def add(self, key: Key, row: Row) -> None:
        """Stores a row under a key of its own; raises ValueError for one that has a row, a mistake of the caller's."""
        if self.get(key) is not None:
            raise ValueError("there is a row with this key already")
        self.put(key, row)

    def put(self, key: Key, row: Row) -> None:
        """Stores a row, in the place of one with the same key: rows are in the order in which they first came."""
        former = self._rows.get(key)
        self._rows[key] = row
        for trait, value_of in self.traits.items():
            value = value_of(row)
            if former is not None and value_of(former) != value:
                self._leave(trait, value_of(former), key)
            self._sharing.setdefault((trait, value), {})[key] = row

    def drop(self, key: Key) -> None:
        """Removes the row of a key, if there is one."""
        row = self._rows.pop(key, None)
        if row is None:
            return
        for trait, value_of in self.traits.items():
            self._leave(trait, value_of(row), key)

    def drop_sharing(self, trait: str, value: Hashable) -> None:
        """Removes the rows that have this value of a trait."""
        for key in list(self.sharing(trait, value)):
            self.drop(key)

    def drop_where(self, is_over: Callable[[Row], bool]) -> int:
        """Removes the rows of which something holds; answers how many."""
        keys = [key for key, row in self.rows().items() if is_over(row)]
        for key in keys:
            self.drop(key)
        return len(keys)

    def _leave(self, trait: str, value: Hashable, key: Key) -> None:
        rows = self._sharing[trait, value]
        del rows[key]
        if not rows:
            del self._sharing[trait, value]


class Draft(Table[Key, Row]):
    """A table as it would be with some changes; what it costs grows with the changes, not with the table."""

    def __init__(self, beneath: Table[Key, Row]) -> None:
        super().__init__(**beneath.traits)
        self._beneath = beneath
        self._hidden: set[Key] = set()

    def get(self, key: Key) -> Row | None:
        """The row of a key, changed or not."""
        return super().get(key) if key in self._hidden else self._beneath.get(key)

    def rows(self) -> dict[Key, Row]:
        """Every row of the table as it would be."""
        return self._covering(self._beneath.rows(), super().rows())

    def sharing(self, trait: str, value: Hashable) -> dict[Key, Row]:
        """The rows that would have this value of a trait."""
        return self._covering(self._beneath.sharing(trait, value), super().sharing(trait, value))

    def put(self, key: Key, row: Row) -> None:
        """Stores a row in the draft."""
        super().put(key, row)
        self._hidden.add(key)

    def drop(self, key: Key) -> None:
        """Removes a row from the draft."""
        super().drop(key)
        self._hidden.add(key)

    def apply(self) -> None:
        """Makes the changes in the table beneath."""
        drafted = super().rows()
        for key in self._hidden - drafted.keys():
            self._beneath.drop(key)
        for key, row in drafted.items():
            self._beneath.put(key, row)

    def retain(self, changes: "Draft[Key, Row]") -> None:
        """Keeps the rows that another draft of the table beneath is about to change as they are."""
        for key in changes._hidden - self._hidden:  # noqa: SLF001  # of its own class
            row = self._beneath.get(key)
            if row is None:
                self.drop(key)
            else:
                self.put(key, row)

    def _covering(self, rows: dict[Key, Row], drafted: dict[Key, Row]) -> dict[Key, Row]:
        return {key: row for key, row in rows.items() if key not in self._hidden} | drafted if self._hidden else rows
