"""The open log of keys and of what is public: read over the network, verified here."""

from collections.abc import AsyncIterator, Iterable

import attrs

from moltnet.domain.checkpoints import Checkpoint, KnownLog, LogProof, VerifierKey
from moltnet.domain.errors import NotFound
from moltnet.domain.log_views import GrowthProof, LeafProof, LogDescription, ProvenLeaf, ShownLeaf
from moltnet.domain.services.log_check import CompleteLog, LogVerifier, VerifiedLeaf
from moltnet.domain.transparency import PAGE_MAX, Leaf, LogProofWrong, LogRolledBack
from moltnet.entrypoints.container.remote import signatures
from moltnet.entrypoints.library.transport import Transport
from moltnet.entrypoints.operations import log
from moltnet.entrypoints.operations.log import ListLeaves, OneLeaf, Since
from moltnet.entrypoints.operations.operation import Nothing
from moltnet.ports.transparency import LogMemory


@attrs.define
class HeadInMemory:
    """The port `LogMemory`, as long as the agent lives."""

    _known: KnownLog | None = None

    def read(self) -> KnownLog | None:
        return self._known

    def keep(self, known: KnownLog) -> None:
        self._known = known

    def forget(self) -> None:
        self._known = None


@attrs.frozen
class Log:
    """The open log. What was seen of it is kept, and a network that shows another log later is refused."""

    _transport: Transport
    _memory: LogMemory

    async def describe(self) -> LogDescription:
        """Its name, key and head, as the network says."""
        return await self._transport.call(log.DESCRIBE, Nothing())

    async def leaves(self, subject: str | None = None, *, first: int = 0, limit: int = PAGE_MAX) -> list[ShownLeaf]:
        """Leaves from an index on, by index, as the network says; with a subject, those about it."""
        return await self._transport.call(log.LIST, ListLeaves(subject=subject, first=first, limit=limit))

    async def leaf(self, index: int, *, size: int | None = None) -> LeafProof:
        """A leaf and its proof, in the tree of a size or in the newest; nothing is verified."""
        return await self._transport.call(log.LEAF, OneLeaf(index=index, size=size))

    async def growth(self, before: int = 0, *, size: int | None = None) -> GrowthProof:
        """The proof that the log only grew since a size; nothing is verified."""
        return await self._transport.call(log.GROWTH, Since(before=before, size=size))

    async def follow(self, *, witnesses: Iterable[VerifierKey] = ()) -> KnownLog:
        """The newest head, proven to follow the one that was seen before, and kept in its place.

        The first head that is seen is believed, as is its key. Raises LogRolledBack, LogForked, and
        MalformedCheckpoint, after each of which what was kept stays; `forget` ends that.
        """
        verifier, known, demanded = LogVerifier(signatures()), self._memory.read(), tuple(witnesses)
        if known is None:
            shown = await self.describe()
            head = verifier.accepted(Checkpoint.parse(shown.checkpoint), VerifierKey.parse(shown.key), demanded)
        else:
            try:
                growth = await self.growth(known.checkpoint.size)
            except NotFound:
                shown = await self.describe()
                shorter = verifier.accepted(Checkpoint.parse(shown.checkpoint), known.key)
                raise LogRolledBack(known.checkpoint.size, shorter.checkpoint.size) from None
            head = verifier.grown(known, growth, demanded)
        self._memory.keep(head)
        return head

    def forget(self) -> None:
        """Forgets what was seen: the next log that is shown is believed."""
        self._memory.forget()

    async def history(self, subject: str, *, known: KnownLog | None = None) -> list[VerifiedLeaf]:
        """The leaves about a fingerprint, diary or key id, each proven to be in the log of a head; raises as `follow`.

        That none was left out only `audit` shows.
        """
        head = known or await self.follow()
        found: list[VerifiedLeaf] = []
        first = 0
        while page := await self.leaves(subject, first=first):
            indexes = [shown.index for shown in page if shown.index < head.checkpoint.size]
            found += [await self._verified(head, index) for index in indexes]
            first = page[-1].index + 1
        return [each for each in found if subject in each.leaf.subjects]

    async def audit(self, *, known: KnownLog | None = None) -> AsyncIterator[VerifiedLeaf]:
        """Every leaf of the log of a head; once the last has come, all are those that were signed.

        Raises as `follow`, and LogProofWrong at the end where they are not.
        """
        complete = CompleteLog(known or await self.follow())
        size = complete.known.checkpoint.size
        while complete.size < size:
            page = await self.leaves(first=complete.size, limit=min(PAGE_MAX, size - complete.size))
            if not page:
                break
            for shown in page:
                yield complete.add(shown)
        complete.check()

    async def prove(self, index: int, *, known: KnownLog | None = None) -> tuple[Leaf, LogProof]:
        """A leaf with the proof for anybody else (c2sp.org/tlog-proof); raises as `follow`, and NoSuchLeaf."""
        head = known or await self.follow()
        shown = await self.leaf(index, size=head.checkpoint.size)
        return LogVerifier(signatures()).leaf(head, shown).leaf, shown.proof_in(head.checkpoint)

    async def _verified(self, head: KnownLog, index: int) -> VerifiedLeaf:
        shown = await self.leaf(index, size=head.checkpoint.size)
        if shown.index != index:
            raise LogProofWrong
        return LogVerifier(signatures()).leaf(head, shown)


def verify_proof(data: bytes, proof: LogProof, key: VerifierKey, *, witnesses: Iterable[VerifierKey] = ()) -> Leaf:
    """The leaf of some bytes, proven to be in the log of a key; nobody is asked.

    Raises LogForked where the log or a witness has not signed the checkpoint, LogProofWrong, and MalformedLeaf.
    """
    return LogVerifier(signatures()).proven(ProvenLeaf(key=key, data=data, proof=proof), witnesses)
