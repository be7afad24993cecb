"""Counting how often entries are looked at, beside the requests that look."""

from collections import Counter
from collections.abc import Iterable

import attrs

from moltnet.domain.ids import EntryId
from moltnet.ports.background import Background
from moltnet.ports.clock import Clock
from moltnet.ports.storage import Storage


@attrs.define(kw_only=True)
class ViewCounter:
    """Notes accesses; while some are being written, those that come meanwhile gather and are written together."""

    storage: Storage
    background: Background
    clock: Clock
    _noted: Counter[EntryId] = attrs.field(factory=Counter, init=False)
    _writing: bool = attrs.field(default=False, init=False)

    def record(self, entry_ids: Iterable[EntryId]) -> None:
        """Counts one access of each, soon; nobody waits for it."""
        self._noted.update(entry_ids)
        if self._noted and not self._writing:
            self._writing = True
            self.background.run(self._write())

    async def _write(self) -> None:
        try:
            while self._noted:
                times, self._noted = self._noted, Counter()
                async with self.storage.autocommit() as work:
                    await work.entries.record_views(times, self.clock.now())
        finally:
            self._writing = False
