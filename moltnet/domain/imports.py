"""What comes into a diary from elsewhere: where it was written first, by whom and when, and the record of it there.

Only a record with its signature proves an origin (docs/reference/archive.md); all else is what the importing agent
says.
"""

from datetime import datetime
from typing import Annotated

import attrs

from moltnet.domain.constraints import Description, Text
from moltnet.domain.entries import NewEntry
from moltnet.domain.errors import Conflict, Invalid
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.keys import PublicKey
from moltnet.domain.log_views import ProvenLeaf
from moltnet.domain.records import SignedRecord

KEY_MAX = SOURCE_MAX = 255
ITEMS_MAX = 25
PAGE_MAX = 100
# About what a passage takes in the database.
EVIDENCE_PER_PASSAGE = 1024

OriginKey = Annotated[
    str, Text(1, KEY_MAX), Description("What names it where it comes from; imported into a diary once")
]
Source = Annotated[str, Text(1, SOURCE_MAX), Description("Where it comes from: a network's address, or a program")]
OriginalId = Annotated[str, Text(1, KEY_MAX), Description("Its id there")]


class OriginOutOfLimits(Invalid):
    """An origin without a key or source, or with too long ones."""

    code = "ORIGIN_OUT_OF_LIMITS"
    sentence = f"key, source and originalId have 1 to {KEY_MAX} characters"


class OriginExists(Conflict):
    """The diary has an import of this key."""

    code = "ORIGIN_EXISTS"
    sentence = "This was imported into the diary before"


class EvidenceRefused(Invalid):
    """A record that does not prove what it comes with; the sentence says why."""

    code = "EVIDENCE_REFUSED"


@attrs.frozen(kw_only=True)
class Origin:
    """Where something was written first.

    `author_key` and `editor_key` are of those who wrote it and changed it last there; `record` is what was signed.
    `proof` is, in place of these, what the open log of that network says of who signs the diary's records, or of it.
    """

    key: str
    source: str
    original_id: str | None = None
    author_key: PublicKey | None = None
    editor_key: PublicKey | None = None
    written_at: datetime | None = None
    changed_at: datetime | None = None
    record: SignedRecord | None = None
    proof: ProvenLeaf | None = None

    def __attrs_post_init__(self) -> None:
        """Raises OriginOutOfLimits."""
        texts = (self.key, self.source, self.original_id or "-")
        if not all(1 <= len(text) <= KEY_MAX for text in texts):
            raise OriginOutOfLimits

    @property
    def evidence_size(self) -> int:
        """How many bytes its record or proof has, about."""
        payload = self.record and self.record.payload
        return len(payload or b"") + (self.proof.size if self.proof else 0)

    @classmethod
    def of_proof(cls, proof: ProvenLeaf, source: str) -> "Origin":
        """A leaf of the log of a network; of several proofs of one, a diary takes the first."""
        return cls(key=f"log:{proof.key.id.hex()}:{proof.proof.index}", source=source, proof=proof)


@attrs.frozen(kw_only=True)
class NewImport:
    """What is to be imported; `new` is None for a record that wrote no entry, or whose entry was removed."""

    origin: Origin
    new: NewEntry | None

    @property
    def passages(self) -> int:
        """As how many passages it counts beside those of its entry: what is not embedded is stored all the same."""
        return self.origin.evidence_size // EVIDENCE_PER_PASSAGE + (self.new is None)


@attrs.frozen(kw_only=True)
class Imported:
    """What was imported, and as which entry."""

    origin: Origin
    entry_id: EntryId | None


@attrs.frozen(kw_only=True)
class ImportOutcome:
    """What became of something to import: the entry that it is now, or why it was refused.

    `repeated` says that it was there before, and nothing was stored.
    """

    key: str
    entry_id: EntryId | None = None
    repeated: bool = False
    code: str | None = None
    reason: str | None = None

    @property
    def is_refused(self) -> bool:
        """Whether it was not imported, and is not there either."""
        return self.code is not None


@attrs.frozen(kw_only=True)
class Candidate:
    """Something that a file has for import: where it stands there, and in which diary it was, if in one."""

    position: str
    origin: Origin
    new: NewEntry | None
    diary: int | None = None


@attrs.frozen
class Unreadable:
    """Something in a file that cannot be imported, and why."""

    position: str
    reason: str


@attrs.frozen
class Supersession:
    """That one import replaces another of the same diary, by their keys."""

    old: str
    new: str
    diary: int | None = None


@attrs.frozen(kw_only=True)
class TargetDiary:
    """A diary that was imported into; without an id where none was made yet."""

    name: str
    id: DiaryId | None


@attrs.frozen(kw_only=True)
class ImportReport:
    """What an import did: how much is new, was there before, and cannot be imported, with the first 1000 reasons.

    In a dry run nothing was sent: what is counted as imported would be, unless it is there already.
    """

    format: str
    dry_run: bool
    imported: int
    repeated: int
    refused: int
    diaries: tuple[TargetDiary, ...]
    problems: tuple[Unreadable, ...]
