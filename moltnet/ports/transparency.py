"""The open log: leaves that are committed with what they are about, the tree that they are put into, and its key."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

import attrs

from moltnet.domain.checkpoints import Checkpoint, KnownLog, SignatureLine, VerifierKey, WitnessRequest
from moltnet.domain.ids import DiaryId
from moltnet.domain.keys import PublicKey
from moltnet.domain.merkle import Range
from moltnet.domain.tiles import Tile
from moltnet.domain.transparency import Leaf, LoggedLeaf


@attrs.frozen(kw_only=True)
class LogKey:
    """The one key of a log: the name that it signs with, and the encrypted private key."""

    origin: str
    public_key: PublicKey
    sealed: bytes = attrs.field(repr=False)
    created_at: datetime


@attrs.frozen(kw_only=True)
class PendingLeaf:
    """A leaf that was committed and is in no tree yet."""

    number: int
    leaf: Leaf


@attrs.frozen(kw_only=True)
class LogHead:
    """The last checkpoint that was signed, and the last one that anybody may see; None before the first."""

    signed: Checkpoint | None = None
    published: Checkpoint | None = None


class TransparencyLog(Protocol):
    """What is stored of the open log; nothing of the tree is ever changed or removed."""

    async def add(self, leaf: Leaf) -> None:
        """Commits a leaf with all else of the unit of work; it is in no tree yet."""

    async def add_head(self, diary_id: DiaryId, leaf: Leaf) -> None:
        """The same if the diary is public, which until this unit of work ends nobody changes; else nothing happens."""

    async def key(self) -> LogKey | None:
        """The key of the log; None before there is one."""

    async def add_first_key(self, key: LogKey) -> bool:
        """Stores the key unless there is one; of several at once exactly one gets True."""

    async def replace_sealed(self, sealed: bytes) -> None:
        """Writes the same private key, encrypted otherwise."""

    async def head(self) -> LogHead:
        """The last checkpoints."""

    async def hold(self) -> LogHead:
        """The same; until this unit of work ends, another that asks to hold them waits."""

    async def pending(self, limit: int) -> list[PendingLeaf]:
        """The leaves that are in no tree yet, in the order in which they were added."""

    async def extend(
        self, first: int, leaves: Sequence[PendingLeaf], tiles: Mapping[Tile, bytes], signed: Checkpoint
    ) -> None:
        """Puts pending leaves into the tree from the index `first` on, with tiles as they are then, and the head."""

    async def publish(self, checkpoint: Checkpoint) -> None:
        """Lets anybody see a checkpoint that was signed; one smaller than what they may see changes nothing."""

    async def tiles(self, tiles: Collection[Tile]) -> dict[Tile, bytes]:
        """Those of some tiles that there are, as wide as they are now."""

    async def leaves(self, leaves: Range) -> list[bytes]:
        """The leaves of a range, by index; fewer where there are fewer."""

    async def of_subject(self, subject: str, after: int, limit: int) -> list[LoggedLeaf]:
        """The leaves about a subject (`Leaf.subjects`) behind an index, by index."""


class LogMemory(Protocol):
    """Where a client keeps what it has seen of the log of one network; it survives a crash at any moment."""

    def read(self) -> KnownLog | None:
        """What was kept last; None when nothing was. Raises MalformedCheckpoint for what cannot be read."""

    def keep(self, known: KnownLog) -> None:
        """Keeps a later head of the same log."""

    def forget(self) -> None:
        """Keeps nothing any more: the next log that is seen is taken for the network's."""


class LogSigner(Protocol):
    """Signs checkpoints in the name of the log."""

    @property
    def key(self) -> VerifierKey:
        """The name and public key that it signs with."""

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of an Ed25519 signature."""


class Witness(Protocol):
    """Somebody elsewhere who signs checkpoints of logs that only grew."""

    @property
    def key(self) -> VerifierKey:
        """The name and key that it signs with."""

    async def add_checkpoint(self, request: WitnessRequest) -> SignatureLine:
        """Its signature of a checkpoint, which nobody has verified yet.

        Raises WitnessAhead where it has signed another size last, Invalid where it refuses, and Unavailable.
        """


class LastSigned(Protocol):
    """What a witness has signed last of one log."""

    def read(self) -> Checkpoint | None:
        """The checkpoint; None when it has signed none."""

    def keep(self, checkpoint: Checkpoint) -> None:
        """Keeps another in its place; it survives a crash at any moment."""


class WitnessMemory(Protocol):
    """What a witness has signed last of each log."""

    def alone(self, origin: str) -> AbstractContextManager[LastSigned]:
        """Of one log; while it lasts, nobody else reads or keeps any."""


class LogSigning(Protocol):
    """Where the private key of the log is."""

    async def signer(self) -> LogSigner:
        """Who signs, with a key that is made the first time; raises LogKeyUnreadable."""
