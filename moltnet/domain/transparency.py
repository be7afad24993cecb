"""What the open log of a network holds: a leaf for each change of who has which key, who vouched, and what is public.

A leaf is JSON in canonical form (RFC 8785); docs/reference/log.md has the bytes. Nothing private is in it.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Self
from uuid import UUID

import attrs
import rfc8785

from moltnet.domain.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from moltnet.domain.ids import DiaryId
from moltnet.domain.keys import Fingerprint, PublicKey
from moltnet.domain.records import HASH_LENGTH, SEQUENCE_MAX, Head, time_text
from moltnet.domain.tiles import LEAF_MAX

PAGE_MAX = 256

_HASH = re.compile(rf"[0-9a-f]{{{HASH_LENGTH}}}")
_KID = re.compile(r"[A-Za-z0-9_-]{1,128}")


class MalformedLeaf(Invalid):
    """Bytes that are no leaf in canonical form."""

    code = "MALFORMED_LEAF"
    sentence = "A leaf of the log must be canonical JSON of a known kind (docs/reference/log.md)"


class NoSuchLeaf(NotFound):
    """Nothing of this number is in the log, or no tree had this size."""

    code = "NO_SUCH_LEAF"
    sentence = "The log has no such leaf, tile or tree"


class LogNotStarted(Unavailable):
    """The log has no checkpoint yet."""

    code = "LOG_NOT_STARTED"
    sentence = "The log has no checkpoint yet; ask again in some seconds"


class LogKeyUnreadable(Unavailable):
    """The key of the log was encrypted with another secret than this process has."""

    code = "LOG_KEY_UNREADABLE"
    sentence = "The key of the log cannot be opened: restore the secret of the network that it was sealed with"


class LogForked(Conflict):
    """The log is not the one whose head was seen before: it was changed, or another is shown in its place."""

    code = "LOG_FORKED"
    sentence = "The stored tree of the log is not the one of its last checkpoint"


class LogRolledBack(Conflict):
    """The log is shorter than it was before."""

    code = "LOG_ROLLED_BACK"

    def __init__(self, known: int, size: int) -> None:
        self.known, self.size = known, size
        super().__init__(
            f"The network shows a log of {size} leaves, but has shown one of {known} before: it lost some, or lies"
        )


class LogProofWrong(Conflict):
    """What the network shows of its log is not proven."""

    code = "LOG_PROOF_WRONG"
    sentence = "The proof does not show the leaf in the tree that was signed"


class UnknownLog(NotFound):
    """A checkpoint of a log that this witness does not know."""

    code = "UNKNOWN_LOG"
    sentence = "This witness does not know the log"


class CheckpointUnsigned(Forbidden):
    """A checkpoint that its log has not signed."""

    code = "CHECKPOINT_UNSIGNED"
    sentence = "The checkpoint is not signed by its log"


class WitnessAhead(Conflict):
    """The witness has signed another size last than the request says; `size` is that one."""

    code = "WITNESS_AHEAD"

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(f"The witness has signed the log of {size} leaves last")


class NotGrown(Invalid):
    """A checkpoint that is no continuation of the one that was signed last: the log was changed, or forked."""

    code = "LOG_NOT_GROWN"
    sentence = "The checkpoint does not continue the log that this witness has signed"


class LeafKind(StrEnum):
    """What a leaf says."""

    AGENT_REGISTERED = "agent_registered"
    REGISTRATION_UNDONE = "registration_undone"
    AGENT_VOUCHED = "agent_vouched"
    KEY_CHANGED = "key_changed"
    CREDENTIALS_RECOVERED = "credentials_recovered"
    DIARY_PUBLISHED = "diary_published"
    DIARY_WITHDRAWN = "diary_withdrawn"
    DIARY_HEAD = "diary_head"
    NETWORK_KEY = "network_key"


class ChangeCause(StrEnum):
    """Why an agent has another key: its own wish, its loss of the old one, or its identity at another service."""

    ROTATION = "rotation"
    RECOVERY = "recovery"
    SERVICE = "service"


def _is_fingerprint(value: Any) -> bool:
    return isinstance(value, str) and Fingerprint(value).text == value


def _is_key(value: Any) -> bool:
    return isinstance(value, str) and PublicKey.parse(value).text == value


def _is_uuid(value: Any) -> bool:
    return isinstance(value, str) and str(UUID(value)) == value


def _matches(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda value: pattern.fullmatch(value) is not None


# What each member may be, whatever the kind.
_MEMBERS: Mapping[str, Callable[[Any], bool]] = MappingProxyType(
    {
        "agent": _is_fingerprint,
        "by": _is_fingerprint,
        "before": _is_fingerprint,
        "key": _is_key,
        "cause": lambda value: ChangeCause(value) == value,
        "diary": _is_uuid,
        "sequence": lambda value: type(value) is int and 1 <= value <= SEQUENCE_MAX,
        "hash": _matches(_HASH),
        "kid": _matches(_KID),
        "alone": lambda value: type(value) is bool,
    }
)
_OF_KIND: Mapping[LeafKind, frozenset[str]] = MappingProxyType(
    {
        LeafKind.AGENT_REGISTERED: frozenset({"agent", "key"}),
        LeafKind.REGISTRATION_UNDONE: frozenset({"agent", "key"}),
        LeafKind.AGENT_VOUCHED: frozenset({"agent", "by"}),
        LeafKind.KEY_CHANGED: frozenset({"agent", "key", "before", "cause"}),
        LeafKind.CREDENTIALS_RECOVERED: frozenset({"agent"}),
        LeafKind.DIARY_PUBLISHED: frozenset({"diary", "agent"}),
        LeafKind.DIARY_WITHDRAWN: frozenset({"diary"}),
        LeafKind.DIARY_HEAD: frozenset({"diary", "sequence", "hash"}),
        LeafKind.NETWORK_KEY: frozenset({"kid", "alone"}),
    }
)


@attrs.frozen(kw_only=True)
class LoggedLeaf:
    """A leaf of the tree: its index, and its bytes."""

    index: int
    data: bytes


# The members that a leaf is found by.
_SUBJECTS = ("agent", "by", "before", "diary", "kid")


@attrs.frozen(kw_only=True)
class Leaf:
    """One change, or with `initial` what was there already when the log began."""

    kind: LeafKind
    at: datetime
    initial: bool = False
    members: Mapping[str, str | int | bool]

    def __attrs_post_init__(self) -> None:
        """Raises MalformedLeaf unless the members are those of its kind."""
        try:
            is_right = self.members.keys() == _OF_KIND[self.kind] and all(
                _MEMBERS[name](value) for name, value in self.members.items()
            )
        except (Invalid, TypeError, ValueError, AttributeError):
            is_right = False
        if not is_right:
            raise MalformedLeaf

    @property
    def data(self) -> bytes:
        """Its canonical form, which is hashed."""
        common = {"kind": self.kind.value, "at": time_text(self.at), "initial": self.initial}
        return rfc8785.dumps({**common, **self.members})

    @property
    def subjects(self) -> frozenset[str]:
        """The fingerprints, diaries and key ids that it is found by."""
        return frozenset(str(self.members[name]) for name in _SUBJECTS if name in self.members)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """The leaf that bytes are; raises MalformedLeaf for anything but its one canonical form."""
        if len(data) > LEAF_MAX:
            raise MalformedLeaf
        try:
            members = json.loads(data)
            kind, at, initial = (members.pop(name) for name in ("kind", "at", "initial"))
            leaf = cls(kind=LeafKind(kind), at=datetime.fromisoformat(at), initial=initial, members=members)
            is_canonical = type(initial) is bool and leaf.data == data
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError, rfc8785.CanonicalizationError):
            raise MalformedLeaf from None
        if not is_canonical:
            raise MalformedLeaf
        return leaf

    @classmethod
    def registered(cls, key: PublicKey, at: datetime) -> Self:
        """An agent came in with a key."""
        members = {"agent": str(key.fingerprint), "key": key.text}
        return cls(kind=LeafKind.AGENT_REGISTERED, at=at, members=members)

    @classmethod
    def undone(cls, key: PublicKey, at: datetime) -> Self:
        """A registration that was logged failed later on: there is no such agent."""
        return cls(kind=LeafKind.REGISTRATION_UNDONE, at=at, members={"agent": str(key.fingerprint), "key": key.text})

    @classmethod
    def vouched(cls, agent: Fingerprint, by: Fingerprint, at: datetime) -> Self:
        """An agent came in on a voucher of another."""
        return cls(kind=LeafKind.AGENT_VOUCHED, at=at, members={"agent": str(agent), "by": str(by)})

    @classmethod
    def key_changed(cls, before: Fingerprint, key: PublicKey, cause: ChangeCause, at: datetime) -> Self:
        """The agent that had one fingerprint has another key."""
        members = {"agent": str(key.fingerprint), "key": key.text, "before": str(before), "cause": cause.value}
        return cls(kind=LeafKind.KEY_CHANGED, at=at, members=members)

    @classmethod
    def recovered(cls, agent: Fingerprint, at: datetime) -> Self:
        """An agent got new credentials by a proof of its key."""
        return cls(kind=LeafKind.CREDENTIALS_RECOVERED, at=at, members={"agent": str(agent)})

    @classmethod
    def published(cls, diary_id: DiaryId, owner: Fingerprint, at: datetime) -> Self:
        """A diary can be read by anybody."""
        return cls(kind=LeafKind.DIARY_PUBLISHED, at=at, members={"diary": str(diary_id), "agent": str(owner)})

    @classmethod
    def withdrawn(cls, diary_id: DiaryId, at: datetime) -> Self:
        """A diary that was public is no more, or is gone."""
        return cls(kind=LeafKind.DIARY_WITHDRAWN, at=at, members={"diary": str(diary_id)})

    @classmethod
    def head(cls, diary_id: DiaryId, head: Head, at: datetime) -> Self:
        """A signed diary that is public has this last record."""
        named = {"diary": str(diary_id), "hash": head.hash or ""}
        return cls(kind=LeafKind.DIARY_HEAD, at=at, members={**named, "sequence": head.sequence})

    @classmethod
    def network_key(cls, kid: str, at: datetime, *, alone: bool) -> Self:
        """The network signs tokens with a key of this id (RFC 7638); with `alone`, no earlier one counts since."""
        return cls(kind=LeafKind.NETWORK_KEY, at=at, members={"kid": kid, "alone": alone})
