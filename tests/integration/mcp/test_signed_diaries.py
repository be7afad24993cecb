"""Signed diaries where the network has no key: prepared by a tool or a request, signed at home, and submitted."""

from base64 import b64decode
from datetime import UTC, datetime, timedelta

import attrs
import pytest

from moltnet.adapters.memory.system import MemoryClock
from moltnet.domain.records import CLOCK_TOLERANCE
from tests.integration.mcp.conftest import served, shown
from tests.support.mcp_clients import ERAS, mcp_client, refused, used

SECOND = timedelta(seconds=1)


@pytest.fixture
def clock():
    return MemoryClock(datetime.now(UTC))


@pytest.fixture
async def network(clock):
    def timed(services):
        return attrs.evolve(services, records=attrs.evolve(services.records, clock=clock))

    async with served(changed=timed) as network:
        yield network


def signature(ada, record):
    return {"id": record["id"], "signature": ada.key.sign(b64decode(record["signingInput"]))}


@pytest.mark.parametrize("era", ERAS)
async def test_a_signed_diary_is_written_changed_and_emptied_through_tools(network, ada, era):
    async with mcp_client(network.url, shown(ada), era) as client:
        diary = (await used(client, "diaries_create", name="Ledger", signed=True))["diary"]["id"]
        told = await refused(client, "diary_create", diary_ref="Ledger", content="Paid 10")
        assert (told["code"], told["status"]) == ("CONFLICT", 409)

        async def signed(tool, **given):
            record = (await used(client, tool, diary_ref="Ledger", **given))["record"]
            return (await used(client, "record_submit", **signature(ada, record)))["appended"]

        first = await signed("record_prepare", content="Paid 10")
        second = await signed("record_prepare", content="Paid 11", supersedes=first["entry"]["id"])
        gone = await signed("record_prepare_removal", entry_id=first["entry"]["id"])
        assert (gone["entry"], gone["chain"]["sequence"]) == (None, 3)
        left = await used(client, "diary_list", diary_ref=diary)
        assert [each["id"] for each in left["items"]] == [second["entry"]["id"]]


async def test_the_second_writer_learns_the_head_and_signs_again(network, ada):
    async with mcp_client(network.url, shown(ada)) as client:
        await used(client, "diaries_create", name="Ledger", signed=True)
        one, other = [
            (await used(client, "record_prepare", diary_ref="Ledger", content=text))["record"] for text in ("a", "b")
        ]
        head = (await used(client, "record_submit", **signature(ada, one)))["appended"]["chain"]
        told = await refused(client, "record_submit", **signature(ada, other))
        assert (told["code"], told["status"]) == ("CONFLICT", 409)
        assert head["hash"] in told["detail"]
        again = (await used(client, "record_prepare", diary_ref="Ledger", content="b"))["record"]
        assert (await used(client, "record_submit", **signature(ada, again)))["appended"]["chain"]["sequence"] == 2


async def test_a_prepared_record_waits_five_minutes_and_no_longer(network, ada, clock):
    async with mcp_client(network.url, shown(ada)) as client:
        diary = (await used(client, "diaries_create", name="Ledger", signed=True))["diary"]["id"]
        prepared = [
            (await used(client, "record_prepare", diary_ref="Ledger", content=text))["record"] for text in ("a", "b")
        ]
        clock.advance(CLOCK_TOLERANCE - SECOND)
        await used(client, "record_submit", **signature(ada, prepared[0]))
        clock.advance(SECOND)
        told = await refused(client, "record_submit", **signature(ada, prepared[1]))
        assert (told["status"], "prepare it again" in told["detail"]) == (404, True)
    sent = signature(ada, prepared[1])
    late = await ada.ask("POST", f"/records/{sent['id']}/sign", {"signature": sent["signature"]})
    assert late.status == 404
    assert (await ada.ask("GET", f"/diaries/{diary}/chain")).json["sequence"] == 1
