"""PostgreSQL's errors as the network's own."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

import psycopg

from moltnet.domain.agents import KeyTaken, ProfileNotFound
from moltnet.domain.diaries import DiaryNotFound
from moltnet.domain.entries import UnknownSuccessor
from moltnet.domain.errors import (
    MoltNetError,
    StatementTimedOut,
    StorageFull,
    StorageReadOnly,
    StorageUnavailable,
)
from moltnet.domain.indexing import ServingModelChanged

# The rule each constraint guards. One that is not here is only broken by a mistake of ours, and stays what it is.
RULES: Mapping[str, type[MoltNetError]] = MappingProxyType(
    {
        "agent_keys_fingerprint_key": KeyTaken,
        "agent_keys_public_key_bytes_key": KeyTaken,
        "agent_vouchers_issuer_id_fkey": ProfileNotFound,
        "diaries_owner_id_fkey": ProfileNotFound,
        "diary_entries_author_id_fkey": ProfileNotFound,
        "diary_entries_diary_id_fkey": DiaryNotFound,
        "diary_entries_superseded_by_check": UnknownSuccessor,
        "diary_entries_superseded_by_fkey": UnknownSuccessor,
        "diary_shares_diary_id_fkey": DiaryNotFound,
        "diary_shares_shared_with_fkey": ProfileNotFound,
        "diary_terms_diary_id_fkey": DiaryNotFound,
        "receipts_agent_id_fkey": ProfileNotFound,
        "invitation_refusals_agent_id_fkey": ProfileNotFound,
        "invitation_refusals_owner_id_fkey": ProfileNotFound,
        "relation_tuples_object_fkey": DiaryNotFound,
        "relation_tuples_subject_fkey": ProfileNotFound,
        "signing_requests_agent_id_fkey": ProfileNotFound,
        "web_sessions_agent_id_fkey": ProfileNotFound,
    }
)

SERVING_MODEL = "serving_model"  # as `require_serving` names what is broken


@contextmanager
def translated() -> Iterator[None]:
    """Raises a broken rule as its domain error, and a database that cannot do its work as the error that says why.

    StorageFull for a disk without room, StorageReadOnly for a server that takes no writes, StorageUnavailable where it
    does not answer or gave up. Giving up (a deadlock, no memory, too many connections) undoes the transaction like a
    lost connection does; so does a statement that ran out of time or was cancelled by the operator, which is
    StatementTimedOut. Everything else goes through as it is.
    """
    try:
        yield
    except psycopg.IntegrityError as error:
        rule = RULES.get(error.diag.constraint_name or "")
        if rule is None:
            raise
        raise rule from error
    except psycopg.errors.QueryCanceled as error:
        raise StatementTimedOut from error
    except psycopg.errors.ReadOnlySqlTransaction as error:
        raise StorageReadOnly from error
    except psycopg.OperationalError as error:
        if error.diag.constraint_name == SERVING_MODEL:
            raise ServingModelChanged from error
        if isinstance(error, psycopg.errors.DiskFull):
            raise StorageFull from error
        raise StorageUnavailable from error
