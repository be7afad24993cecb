"""Whether this server can do its work: each part is asked again and again, and the answers are remembered.

Asking for readiness costs nothing, however often it is done: what is told was found out before.
"""

import asyncio
from collections.abc import Mapping

import attrs

from moltnet.domain.errors import StorageLost, Unavailable
from moltnet.ports.system import ReadinessCheck

CHECK_EVERY_S = 1.0
CHECK_WITHIN_S = 5.0


@attrs.frozen
class Readiness:
    """What was found out: for each part None, or why it cannot do its work."""

    parts: Mapping[str, str | None]

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why this server is not ready, a sentence each, none twice; empty when it is ready."""
        return tuple(dict.fromkeys(reason for reason in self.parts.values() if reason is not None))


class ReadinessService:
    """Watches over the parts of one process."""

    def __init__(
        self, checks: Mapping[str, ReadinessCheck], *, every_s: float = CHECK_EVERY_S, within_s: float = CHECK_WITHIN_S
    ) -> None:
        """`checks` are the parts by name. A part counts as ready until it says otherwise: it has just started.

        Each is asked `every_s` seconds after its last answer, and has `within_s` seconds for it.
        """
        self._checks = dict(checks)
        self._every_s, self._within_s = every_s, within_s
        self._reasons: dict[str, str | None] = dict.fromkeys(checks)
        self._lost: asyncio.Future[StorageLost] | None = None

    def now(self) -> Readiness:
        """What is known at this moment; a second old at most while the parts answer."""
        return Readiness(dict(self._reasons))

    async def lost(self) -> StorageLost:
        """Waits until a part is gone for good, and answers the error that says so."""
        return await asyncio.shield(self._loss())

    async def watch(self) -> None:
        """Asks every part once a second, until it is cancelled."""
        await asyncio.gather(*(self._watch(name, check) for name, check in self._checks.items()))

    async def _watch(self, name: str, check: ReadinessCheck) -> None:
        while True:
            check_task = asyncio.create_task(self._ask(name, check))
            try:
                # Not cancelled when it takes long: a driver may wait for its server even then.
                done, _ = await asyncio.wait({check_task}, timeout=self._within_s)
                if not done:
                    self._reasons[name] = f"The {name} has not answered for some seconds"
                await check_task
            finally:
                check_task.cancel()
            await asyncio.sleep(self._every_s)

    async def _ask(self, name: str, check: ReadinessCheck) -> None:
        try:
            await check.check()
        except StorageLost as error:
            self._reasons[name] = error.detail
            if not self._loss().done():
                self._loss().set_result(error)
        except Unavailable as error:
            self._reasons[name] = error.detail
        else:
            self._reasons[name] = None

    def _loss(self) -> "asyncio.Future[StorageLost]":
        if self._lost is None:
            self._lost = asyncio.get_running_loop().create_future()
        return self._lost
