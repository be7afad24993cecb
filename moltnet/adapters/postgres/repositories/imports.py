"""The table `entry_origins`."""

from collections.abc import Collection, Mapping, Sequence

from moltnet.adapters.postgres.session import Repository, Row
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.imports import Imported, Origin
from moltnet.domain.keys import PublicKey
from moltnet.domain.log_views import ProvenLeaf
from moltnet.domain.records import SignedRecord

# One row; entry_origins_pkey, which waits for anyone who is adding the same key.
ADD = """
    insert into entry_origins (
        diary_id, key, entry_id, source, original_id, author_key, editor_key, written_at, changed_at, sequence, hash,
        payload, signature, log_key, leaf, proof
    )
    values (
        %(diary_id)s, %(key)s, %(entry_id)s, %(source)s, %(original_id)s, %(author_key)s, %(editor_key)s,
        %(written_at)s, %(changed_at)s, %(sequence)s, %(hash)s, %(payload)s, %(signature)s, %(log_key)s,
        %(leaf)s, %(proof)s
    )
"""
# The rows of these keys; entry_origins_pkey.
KNOWN = "select key, entry_id from entry_origins where diary_id = %(diary_id)s and key = any(%(keys)s)"
# Rows by key; entry_origins_pkey.
PAGE = """
    select key, entry_id, source, original_id, author_key, editor_key, written_at, changed_at, sequence, hash, payload,
        signature, log_key, leaf, proof
    from entry_origins where diary_id = %(diary_id)s and key > %(after)s order by key limit %(limit)s
"""


class PostgresImports(Repository):
    """The origins of imported entries."""

    async def add(self, diary_id: DiaryId, origin: Origin, entry_id: EntryId | None) -> None:
        record = origin.record
        proof = origin.proof.texts if origin.proof else {}
        await self._session.run(
            ADD,
            diary_id=diary_id,
            key=origin.key,
            entry_id=entry_id,
            source=origin.source,
            original_id=origin.original_id,
            author_key=origin.author_key and origin.author_key.raw,
            editor_key=origin.editor_key and origin.editor_key.raw,
            written_at=origin.written_at,
            changed_at=origin.changed_at,
            sequence=record and record.sequence,
            hash=record and bytes.fromhex(record.hash),
            payload=record and record.payload,
            signature=record and record.signature,
            log_key=proof.get("key"),
            leaf=proof.get("leaf"),
            proof=proof.get("proof"),
        )

    async def known(self, diary_id: DiaryId, keys: Collection[str]) -> Mapping[str, EntryId | None]:
        rows = await self._session.all(_known, KNOWN, diary_id=diary_id, keys=list(keys))
        return dict(rows)

    async def page(self, diary_id: DiaryId, after: str, limit: int) -> Sequence[Imported]:
        return await self._session.all(_imported, PAGE, diary_id=diary_id, after=after, limit=limit)


def _known(row: Row) -> tuple[str, EntryId | None]:
    return row["key"], row["entry_id"]


def _imported(row: Row) -> Imported:
    record = None
    if row["hash"] is not None:
        record = SignedRecord(
            sequence=row["sequence"], hash=row["hash"].hex(), payload=row["payload"], signature=row["signature"]
        )
    origin = Origin(
        key=row["key"],
        source=row["source"],
        original_id=row["original_id"],
        author_key=_key(row["author_key"]),
        editor_key=_key(row["editor_key"]),
        written_at=row["written_at"],
        changed_at=row["changed_at"],
        record=record,
        proof=None if row["leaf"] is None else ProvenLeaf.parse(row["log_key"], row["leaf"], row["proof"]),
    )
    return Imported(origin=origin, entry_id=row["entry_id"])


def _key(raw: bytes | None) -> PublicKey | None:
    return None if raw is None else PublicKey(raw)
