"""Units of work: what is written together or not at all."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from moltnet.domain.search import EntryIndex
from moltnet.ports.feed import Feed
from moltnet.ports.intents import Intents
from moltnet.ports.models import ModelVectors
from moltnet.ports.proofs import Clients, Identities, Nonces, RecoveryCodes, SigningKeys
from moltnet.ports.receipts import Receipts
from moltnet.ports.repositories import (
    Agents,
    CandidateSearch,
    Diaries,
    Entries,
    Relations,
    Shares,
    SigningRequests,
    Vouchers,
)


class UnitOfWork(Protocol):
    """The repositories of one connection; used by one task, and not after its context is left."""

    @property
    def agents(self) -> Agents: ...
    @property
    def identities(self) -> Identities: ...
    @property
    def clients(self) -> Clients: ...
    @property
    def signing_keys(self) -> SigningKeys: ...
    @property
    def recovery_codes(self) -> RecoveryCodes: ...
    @property
    def nonces(self) -> Nonces: ...
    @property
    def receipts(self) -> Receipts: ...
    @property
    def vouchers(self) -> Vouchers: ...
    @property
    def diaries(self) -> Diaries: ...
    @property
    def entries(self) -> Entries: ...
    @property
    def feed(self) -> Feed: ...
    @property
    def candidates(self) -> CandidateSearch: ...
    @property
    def models(self) -> ModelVectors: ...
    @property
    def shares(self) -> Shares: ...
    @property
    def relations(self) -> Relations: ...
    @property
    def intents(self) -> Intents: ...
    @property
    def signing_requests(self) -> SigningRequests: ...


class Storage(Protocol):
    """Opens units of work. Hold one only while storing: never across an embedding, a remote call or a wait."""

    def prepared(self, index: EntryIndex) -> EntryIndex:
        """The same index, with what storing it takes computed ahead: for a long text, off the event loop (`Workers`).

        An index that is stored without this is stored alike.
        """
        ...

    def reading(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """For looking, and for a single write: each statement stands alone and sees what was committed before it.

        Raises StorageUnavailable when no connection is to be had in time.
        """
        ...

    def writing(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """One transaction: committed when the block ends, undone when it raises (cancellation included).

        After a statement raised, leave the block: nothing of the transaction can be written any more.
        Raises StorageUnavailable; then nothing was written, unless the connection broke while committing.
        """
        ...
