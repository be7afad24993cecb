"""The background task that embeds what is lacking, beside everything else a process does."""

import asyncio
import logging

from moltnet.domain.services.reembedding import ReembeddingService

# How soon a process notices that an operator has decided for another model.
IDLE_S = 2.0
FAILED_S = 30.0

_log = logging.getLogger(__name__)


async def run_reembedding(reembedding: ReembeddingService) -> None:
    """Embeds until it is cancelled; one step after the other while there is something to do."""
    while True:
        try:
            pause = 0.0 if await reembedding.run() else IDLE_S
        except Exception:  # noqa: BLE001  # logged; serving goes on, and what was done so far is in the store
            _log.exception("re-embedding failed")
            pause = FAILED_S
        await asyncio.sleep(pause)
