"""Counting how often entries are looked at, beside the requests that look."""

from collections import Counter
from collections.abc import Iterable

import attrs

from moltnet.domain.ids import EntryId
from moltnet.ports.storage import Storage
from moltnet.ports.system import Background, Clock


@attrs.define(kw_only=True)
class ViewCounter:
    """Counts views; those that come while others are being written are written together."""

    storage: Storage
    background: Background
    clock: Clock
    _pending: Counter[EntryId] = attrs.field(factory=Counter, init=False)
    _writing: bool = attrs.field(default=False, init=False)

    def record(self, entry_ids: Iterable[EntryId]) -> None:
        """Counts one view of each entry in the background."""
        self._pending.update(entry_ids)
        if self._pending and not self._writing:
            self._writing = True
            self.background.run(self._write())

    async def _write(self) -> None:
        try:
            while self._pending:
                times, self._pending = self._pending, Counter()
                async with self.storage.autocommit() as work:
                    await work.entries.record_views(times, self.clock.now())
        finally:
            self._writing = False
