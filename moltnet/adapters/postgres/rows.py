"""Rows to entities. A row's columns have the names of the entity's attributes, or are named here."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, LiteralString

import attrs

from moltnet.adapters.postgres.session import Record, Row
from moltnet.domain.agents import Agent, Author
from moltnet.domain.credentials import Client, Scope
from moltnet.domain.diaries import Diary, Head, Visibility
from moltnet.domain.entries import Entry, EntryType
from moltnet.domain.feed import PublicEntry
from moltnet.domain.idempotency import IdempotencyRecord, IdempotentRequest
from moltnet.domain.ids import AgentId
from moltnet.domain.keys import Fingerprint, PublicKey
from moltnet.domain.outbox import Change, OutboxMessage, PermissionWorkflow
from moltnet.domain.records import EMPTY
from moltnet.domain.recovery import RecoveryCode
from moltnet.domain.sharing import Share, ShareRole, ShareStatus
from moltnet.domain.signing import Scheme, SigningRequest, SigningStatus
from moltnet.domain.vouching import Edge, Voucher
from moltnet.ports.credentials import SigningKey

# Of a signed diary `d`, the number and the hash of the last record; diary_records_pkey.
LAST_RECORD: LiteralString = """
    case when d.signed then (
        select sequence || ' ' || encode(hash, 'hex') from diary_records r where r.diary_id = d.id
        order by sequence desc limit 1
    ) end
"""


def agent_from_row(row: Row) -> Agent:
    """A row of `agent_keys`."""
    return Agent(
        id=AgentId(row["identity_id"]),
        public_key=PublicKey(row["public_key_bytes"]),
        proven=row["proven"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def diary_from_row(row: Row) -> Diary:
    """A row of `diaries`."""
    chain = (_head(row.get("chain")) or EMPTY) if row["signed"] else None
    return Diary(**{**row, "visibility": Visibility(row["visibility"]), "chain": chain})


def entry_from_row(row: Row) -> Entry:
    """A row of the view `entries`."""
    members = {name: value for name, value in row.items() if not name.startswith(("author_", "editor_"))}
    tags = members["tags"]
    members["tags"] = None if tags is None else tuple(tags)
    members["entry_type"] = EntryType(members["entry_type"])
    members["chain"] = _head(members.get("chain"))
    author = Author(id=row["author_id"], public_key=_key(row["author_key_bytes"]), assumed=row["author_assumed"])
    editor = row["editor_id"] and Author(id=row["editor_id"], public_key=_key(row["editor_key_bytes"]))
    return Entry(**members, author=author, edited_by=editor)


def public_entry_from_row(row: Row) -> PublicEntry:
    """A row of the view `public_entries`."""
    return PublicEntry(entry=entry_from_row(row))


def share_from_row(row: Row) -> Share:
    """A row of `diary_shares`."""
    return Share(**{**row, "role": ShareRole(row["role"]), "status": ShareStatus(row["status"])})


def voucher_from_row(row: Row) -> Voucher:
    """A row of `agent_vouchers`, without its slot."""
    return Voucher(**row)


def edge_from_row(row: Row) -> Edge:
    """Two fingerprints and a time."""
    return Edge(**{**row, "issuer": Fingerprint(row["issuer"]), "redeemer": Fingerprint(row["redeemer"])})


def signing_request_from_row(row: Row) -> SigningRequest:
    """A row of `signing_requests`, without its workflow."""
    scheme = row["scheme"] and Scheme(row["scheme"])
    return SigningRequest(**{**row, "status": SigningStatus(row["status"]), "scheme": scheme})


def client_from_row(row: Row) -> Client:
    """A row of `oauth_clients`."""
    return Client(**{**row, "scopes": frozenset(map(Scope, row["scopes"]))})


def client_and_agent_from_row(row: Row) -> tuple[Client, Agent]:
    """A row of `oauth_clients`, and beside it the agent's of `agent_keys`, each column named `agent_…`."""
    client, agent = parted(row, "agent_")
    return client_from_row({**client, "agent_id": row["agent_id"]}), agent_from_row(agent)


def recovery_code_from_row(row: Row) -> RecoveryCode:
    """A row of `recovery_codes`."""
    return RecoveryCode(**row)


def outbox_message_from_row(row: Row) -> OutboxMessage:
    """A row of `relation_intents`."""
    members = {**row}
    return OutboxMessage(members.pop("number"), Change(**{**members, "workflow": PermissionWorkflow(row["workflow"])}))


def idempotency_record_from_row(row: Row) -> IdempotencyRecord:
    """A row of `idempotency_records`."""
    members = {**row}
    request = IdempotentRequest(**{name: members.pop(name) for name in ("agent_id", "operation", "key", "fingerprint")})
    return IdempotencyRecord(request=request, **members)


def signing_key_from_row(row: Row) -> SigningKey:
    """A row of `token_keys`."""
    return SigningKey(**row)


def columns_of(entity: attrs.AttrsInstance) -> dict[str, Any]:
    """The attributes of an entity, for a statement whose parameters have their names."""
    return attrs.asdict(entity, recurse=False)


def beside(column: str, make: Callable[[Row], Record]) -> Callable[[Row], tuple[Record | None, Any]]:
    """For rows that hold an entity, or nulls in its place, beside another column: makes both of them."""

    def split(row: Row) -> tuple[Record | None, Any]:
        members = {name: value for name, value in row.items() if name != column}
        return None if row["id"] is None else make(members), row[column]

    return split


def _head(text: str | None) -> Head | None:
    """The last record of a chain, of a column with its number and hash; None where there is none."""
    if text is None:
        return None
    sequence, _, digest = text.partition(" ")
    return Head(sequence=int(sequence), hash=digest)


# An answer names few agents many times: each key's name and text are made once.
_key = lru_cache(maxsize=1024)(PublicKey)


def parted(row: Row, prefix: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The columns without a prefix, and those with it, which is taken off."""
    rest, prefixed = dict(row), dict[str, Any]()
    for name in row:
        if name.startswith(prefix):
            prefixed[name[len(prefix) :]] = rest.pop(name)
    return rest, prefixed
