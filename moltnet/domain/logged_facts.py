"""What an archive carries of a network's open log: whose the keys are that sign in it, and the heads of its diaries.

docs/reference/archive.md, "Proofs", has what is chosen and what it shows.
"""

from collections.abc import Iterable
from datetime import datetime

import attrs

from moltnet.domain.ids import DiaryId
from moltnet.domain.keys import Fingerprint, PublicKey
from moltnet.domain.records import Head
from moltnet.domain.transparency import Leaf, LeafKind

_OF_KEYS = {LeafKind.AGENT_REGISTERED, LeafKind.KEY_CHANGED}


def is_of_key(leaf: Leaf) -> bool:
    """Whether a leaf says who has a key, or until when."""
    return leaf.kind in _OF_KEYS


@attrs.frozen
class Chosen:
    """The leaves of a diary that its archive carries: that it was made public last, and its last head until one."""

    published: int | None = None
    head: int | None = None

    @property
    def indexes(self) -> list[int]:
        """Their indexes."""
        return [index for index in (self.published, self.head) if index is not None]

    def after(self, index: int, leaf: Leaf, until: Head) -> "Chosen":
        """The same once a later leaf of the diary was seen."""
        if leaf.kind is LeafKind.DIARY_PUBLISHED:
            return attrs.evolve(self, published=index)
        if leaf.kind is LeafKind.DIARY_HEAD and int(leaf.members["sequence"]) <= until.sequence:
            return attrs.evolve(self, head=index)
        return self


@attrs.define
class LoggedFacts:
    """What proven leaves say of keys and of one diary.

    `keys` are those that an agent came by in the network, `ended` is when it gave one up, `heads` are hashes by number.
    """

    diary_id: DiaryId | None = None
    keys: set[PublicKey] = attrs.field(factory=set)
    ended: dict[Fingerprint, datetime] = attrs.field(factory=dict)
    heads: dict[int, str] = attrs.field(factory=dict)

    def add(self, leaf: Leaf) -> None:
        """Adds what a leaf says."""
        members = leaf.members
        if is_of_key(leaf):
            self.keys.add(PublicKey.parse(str(members["key"])))
        if leaf.kind is LeafKind.KEY_CHANGED:
            self.ended[Fingerprint(str(members["before"]))] = leaf.at
        if leaf.kind is LeafKind.DIARY_HEAD and members["diary"] == str(self.diary_id):
            self.heads[int(members["sequence"])] = str(members["hash"])

    def retired(self, keys: Iterable[PublicKey]) -> dict[PublicKey, datetime]:
        """Which of these keys an agent gave up, and when."""
        return {key: self.ended[key.fingerprint] for key in keys if key.fingerprint in self.ended}
