"""What the native identity provider keeps: nothing that could be used by who reads it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from moltnet.adapters.builtin.identity import BuiltinIdentityProvider
from moltnet.adapters.memory.repositories.credentials import MemoryRecoveryCodes
from moltnet.adapters.memory.storage import MemoryStorage, MemoryUnitOfWork
from moltnet.adapters.memory.system import MemoryClock
from moltnet.adapters.system import SystemRandomness
from moltnet.domain.credentials import hash_secret
from moltnet.domain.errors import StorageUnavailable
from moltnet.domain.ids import AgentId
from moltnet.domain.recovery import CODE_ATTEMPTS, FlowState
from tests.support.builders import NOON, a_public_key, an_id


class SameDigits(SystemRandomness):
    """Every code is the same."""

    def digits(self, count: int) -> str:
        return "7" * count


class NoSessions(MemoryRecoveryCodes):
    """Cannot store a session."""

    async def add_session(self, token_hash: bytes, agent_id: AgentId, expires_at: datetime) -> None:  # noqa: ARG002 - the port's
        raise StorageUnavailable


class NoSessionsStorage(MemoryStorage):
    """Breaks between the use of a code and the session it gives."""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[MemoryUnitOfWork]:
        async with super().transaction() as work:
            work.recovery_codes = NoSessions(work.recovery_codes._statements)
            yield work


@pytest.fixture
def storage() -> MemoryStorage:
    return MemoryStorage()


def provider(storage: MemoryStorage, secret: bytes = b"secret" * 6, url: str = "http://h") -> BuiltinIdentityProvider:
    return BuiltinIdentityProvider(storage, MemoryClock(NOON), SystemRandomness(), url, secret)


def flow_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["flow"][0]


async def test_identity_of_a_registration_never_changes(storage: MemoryStorage):
    # A later release that answered another identity would register a repeated registration twice.
    identity = await provider(storage).create("registration-1", a_public_key(), None)
    assert identity == UUID("023717cc-dcd2-57cd-b233-83c7ee12cd9c")


async def test_code_cannot_be_found_by_hashing_all_codes(storage: MemoryStorage):
    recovery = await provider(storage).begin_recovery(AgentId(an_id()))
    flow = flow_of(recovery.flow_url)
    async with storage.transaction() as work:
        for guess in (recovery.code, f"{flow}:{recovery.code}"):
            tried = await work.recovery_codes.try_code(flow, hash_secret(guess), NOON)
            assert tried is not None
            assert not tried.used


async def test_code_is_of_no_use_under_another_secret(storage: MemoryStorage):
    recovery = await provider(storage).begin_recovery(AgentId(an_id()))
    other = provider(storage, secret=b"other" * 8)
    answer = await other.answer_flow(flow_of(recovery.flow_url), recovery.code)
    assert answer.state is FlowState.SENT_EMAIL


async def test_same_code_is_stored_differently_in_each_flow(storage: MemoryStorage):
    same = BuiltinIdentityProvider(storage, MemoryClock(NOON), SameDigits(), "http://h", b"secret" * 6)
    kept = set()
    for _ in range(2):
        flow = flow_of((await same.begin_recovery(AgentId(an_id()))).flow_url)
        async with storage.transaction() as work:
            tried = await work.recovery_codes.try_code(flow, b"", NOON)
        assert tried is not None
        kept.add(tried.code_hash)
    assert len(kept) == 2


async def test_code_is_not_used_up_without_its_session():
    storage = NoSessionsStorage()
    recovery = await provider(storage).begin_recovery(AgentId(an_id()))
    for _ in range(CODE_ATTEMPTS + 1):
        with pytest.raises(StorageUnavailable):
            await provider(storage).answer_flow(flow_of(recovery.flow_url), recovery.code)


@pytest.mark.parametrize("url", ["http://h", "http://h/", "http://h//"])
async def test_address_has_one_slash(storage: MemoryStorage, url: str):
    recovery = await provider(storage, url=url).begin_recovery(AgentId(an_id()))
    assert recovery.flow_url.startswith("http://h/self-service/recovery?flow=")


def test_secrets_are_not_shown(storage: MemoryStorage):
    assert "secretsecret" not in repr(provider(storage))
