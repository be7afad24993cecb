"""How long a request is remembered by its Idempotency-Key, over REST and by the network's own clock."""

from contextlib import nullcontext
from datetime import timedelta

from moltnet.domain.idempotency import IDEMPOTENCY_RECORD_LIFETIME
from tests.integration.wire.stage import Stage
from tests.support.ory.named import is_real

# The clock goes on while real services answer.
INSTANT = timedelta(minutes=1) if is_real() else timedelta(milliseconds=1)


async def test_key_is_free_again_after_a_day(stage):
    async def made() -> str:
        reply = await stage.ask("owner POST /diaries", {"name": "x"}, headers={"Idempotency-Key": "a-key"})
        assert reply.status == 201
        return str(reply.json["id"])

    # Real services have a clock of their own, by which a usual token would end too soon for ours.
    owner = str(stage.actors["owner"].secret.client_id)
    async with stage.ory.lasting(owner, 2 * IDEMPOTENCY_RECORD_LIFETIME) if stage.ory else nullcontext():
        first = await made()
        await Stage.later(IDEMPOTENCY_RECORD_LIFETIME - INSTANT)(stage)
        assert await made() == first
        await Stage.later(INSTANT)(stage)
        second = await made()
        assert second != first
        assert await made() == second
