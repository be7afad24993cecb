"""Analysing stored texts again when a release analyses them otherwise, while agents search and write."""

from functools import partial

import attrs

from moltnet.ports.search import TextAnalyzer
from moltnet.ports.storage import Storage
from moltnet.ports.system import Workers

REINDEXED_AT_ONCE = 50


@attrs.frozen(kw_only=True)
class ReindexingService:
    """Continues where it was left: which entries are of an earlier analysis is stored.

    Until an entry's turn comes it is found by the words of the earlier analysis, and by its vectors as ever.
    """

    storage: Storage
    index_terms: TextAnalyzer
    workers: Workers

    async def run(self) -> bool:
        """Takes some entries; False when none was left. One that was edited meanwhile is of the new analysis."""
        async with self.storage.autocommit() as work:
            entries = await work.entries.outdated(self.index_terms.version, REINDEXED_AT_ONCE)
        for entry in entries:
            text = entry.text
            terms = await self.workers.run(partial(self.index_terms.of_text, text), len(text))
            async with self.storage.transaction() as work:
                await work.entries.reindex(entry, terms, self.index_terms.version)
        return bool(entries)
