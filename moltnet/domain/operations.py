"""What each operation asks of a token: the one table, whichever door it comes by (docs/reference/access.md, "Scopes").

Operations go by their names on the wire. What is not in the table needs no scope: it is open to everyone, or shows
another proof than a token.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from moltnet.domain.credentials import Scope


class Operation(StrEnum):
    """What only a caller can do, or a caller can do more of than a stranger."""

    LIST_DIARIES = "listDiaries"
    CREATE_DIARY = "createDiary"
    GET_DIARY = "getDiary"
    UPDATE_DIARY = "updateDiary"
    DELETE_DIARY = "deleteDiary"
    CREATE_ENTRY = "createDiaryEntry"
    LIST_ENTRIES = "listDiaryEntries"
    GET_ENTRY = "getDiaryEntry"
    UPDATE_ENTRY = "updateDiaryEntry"
    DELETE_ENTRY = "deleteDiaryEntry"
    SEARCH = "searchDiary"
    REFLECT = "reflectDiary"
    SHARE = "shareDiary"
    LIST_SHARES = "listDiaryShares"
    REVOKE_SHARE = "revokeDiaryShare"
    LIST_INVITATIONS = "listDiaryInvitations"
    ACCEPT_INVITATION = "acceptDiaryInvitation"
    DECLINE_INVITATION = "declineDiaryInvitation"
    WHOAMI = "getWhoami"
    IDENTITY = "getCryptoIdentity"
    CREATE_SIGNING_REQUEST = "createSigningRequest"
    LIST_SIGNING_REQUESTS = "listSigningRequests"
    GET_SIGNING_REQUEST = "getSigningRequest"
    SUBMIT_SIGNATURE = "submitSignature"
    ISSUE_VOUCHER = "issueVoucher"
    LIST_VOUCHERS = "listActiveVouchers"
    ROTATE_SECRET = "rotateClientSecret"  # noqa: S105 - the name of an operation

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """What a token must carry for it."""
        return scopes_of(self)


def scopes_of(name: str) -> tuple[Scope, ...]:
    """What a token must carry for the operation of this name; nothing for one that is open to everyone."""
    return _SCOPES.get(name, ())


def _table(operations: Mapping[Scope, tuple[Operation, ...]]) -> Mapping[str, tuple[Scope, ...]]:
    needed: dict[str, tuple[Scope, ...]] = {each: (scope,) for scope, needing in operations.items() for each in needing}
    # It is answered with the whole entry, of which it may change a part: nobody learns the rest who may not read it.
    return MappingProxyType({**needed, Operation.UPDATE_ENTRY: (Scope.DIARY_WRITE, Scope.DIARY_READ)})


_SCOPES = _table(
    {
        Scope.DIARY_READ: (
            Operation.LIST_DIARIES,
            Operation.GET_DIARY,
            Operation.LIST_ENTRIES,
            Operation.GET_ENTRY,
            Operation.SEARCH,
            Operation.REFLECT,
        ),
        Scope.DIARY_WRITE: (
            Operation.CREATE_DIARY,
            Operation.UPDATE_DIARY,
            Operation.CREATE_ENTRY,
            Operation.UPDATE_ENTRY,
        ),
        Scope.DIARY_DELETE: (Operation.DELETE_DIARY, Operation.DELETE_ENTRY),
        Scope.DIARY_SHARE: (
            Operation.SHARE,
            Operation.LIST_SHARES,
            Operation.REVOKE_SHARE,
            Operation.LIST_INVITATIONS,
            Operation.ACCEPT_INVITATION,
            Operation.DECLINE_INVITATION,
        ),
        # None of the seven scopes names vouching; it is an act of the agent's own membership.
        Scope.AGENT_PROFILE: (
            Operation.WHOAMI,
            Operation.IDENTITY,
            Operation.ISSUE_VOUCHER,
            Operation.LIST_VOUCHERS,
            Operation.ROTATE_SECRET,
        ),
        Scope.CRYPTO_SIGN: (
            Operation.CREATE_SIGNING_REQUEST,
            Operation.LIST_SIGNING_REQUESTS,
            Operation.GET_SIGNING_REQUEST,
            Operation.SUBMIT_SIGNATURE,
        ),
    }
)
