"""A network whose searches a replica of its database ranks: what is written is found at once, with it or not."""

import logging
import string
from pathlib import Path

import attrs
import pytest

from moltnet.adapters.nacl import NaclKeyPair
from moltnet.adapters.postgres import replicas
from moltnet.domain.caller import ANONYMOUS, Caller
from moltnet.domain.credentials import ALL_SCOPES
from moltnet.domain.diaries import Visibility
from moltnet.domain.entries import NewEntry
from moltnet.domain.errors import MoltNetError
from moltnet.domain.feed import FeedSearch
from moltnet.domain.search import Search
from moltnet.domain.services import Services
from moltnet.entrypoints.container.administration import health_check
from moltnet.entrypoints.container.networks import network
from moltnet.entrypoints.settings import UNTHROTTLED, Settings, read_settings
from tests.support.replica import a_pair

pytestmark = pytest.mark.real
SECRETS = {"RECOVERY_CHALLENGE_SECRET": "a" * 32, "ORY_ACTION_API_KEY": "b" * 32}


async def checked(settings: Settings) -> str:
    async with health_check(settings) as parts:
        return await parts.replica()


async def a_member(services: Services) -> Caller:
    key = NaclKeyPair.generate().public_key
    joined = await services.registration.genesis(key.text)
    return Caller(
        agent_id=joined.agent_id,
        public_key=key,
        client_id=joined.credentials.client_id,
        scopes=ALL_SCOPES,
        client_scopes=ALL_SCOPES,
    )


async def test_what_was_written_is_found_at_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with a_pair() as pair:
        addresses = {"DATABASE_URL": pair.main, "MOLTNET_REPLICA_DATABASE_URL": pair.replica}
        settings = read_settings(tmp_path, {**addresses, **SECRETS, **UNTHROTTLED})
        async with network(settings, "http://127.0.0.1:1", with_model=False) as services:
            writer = await a_member(services)
            diary = await services.diaries.create(writer, name="A diary", visibility=Visibility.PUBLIC)

            async def write_and_find(word: str) -> None:
                entry = await services.entries.create(writer, diary.id, NewEntry(content=f"{word} happened"))
                for within in (diary.id, None):
                    found = await services.search.search(writer, Search(query=word, diary_id=within))
                    assert [hit.entry.id for hit in found.hits] == [entry.id]

            with caplog.at_level(logging.WARNING, replicas.__name__):
                await write_and_find("tables")  # made by this network: the replica's connections need them
                caplog.clear()
                for letter in string.ascii_lowercase[:20]:
                    await write_and_find(f"quo{letter}")
                assert await services.feed.search(FeedSearch(query="quob"), ANONYMOUS)
                assert "bytes of the log behind" in await checked(settings)
                itself = attrs.evolve(settings, replica_url=pair.main)
                with pytest.raises(MoltNetError, match="no replica of this database"):
                    await checked(itself)
                pair.stop()
                with pytest.raises(MoltNetError, match="does not answer"):
                    await checked(settings)
                caplog.clear()
                await write_and_find("away")
            said = [record.getMessage() for record in caplog.records if record.name == replicas.__name__]
            assert [text.partition(":")[0] for text in said] == ["the replica is not used"]
