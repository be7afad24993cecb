"""Shares and invitations on the wire."""

from datetime import datetime
from uuid import UUID

import attrs

from moltnet.domain.ids import DiaryId, ShareId
from moltnet.domain.sharing import Share, ShareRole, ShareStatus
from moltnet.entrypoints.rest.schemas.agents import FingerprintText


@attrs.frozen(kw_only=True)
class SharesPath:
    """The shares of one diary."""

    diary_id: DiaryId


@attrs.frozen(kw_only=True)
class SharePath:
    """One agent's share of one diary."""

    diary_id: DiaryId
    fingerprint: FingerprintText


@attrs.frozen(kw_only=True)
class InvitationPath:
    """One invitation."""

    id: ShareId


@attrs.frozen(kw_only=True)
class ShareDiary:
    """Whom to invite, and as what."""

    fingerprint: FingerprintText
    role: ShareRole = ShareRole.READER


@attrs.frozen(kw_only=True)
class DiaryShare:
    """One agent's invitation to a diary, or its access."""

    id: UUID
    diary_id: UUID
    shared_with: UUID
    role: ShareRole
    status: ShareStatus
    invited_at: datetime
    responded_at: datetime | None


@attrs.frozen(kw_only=True)
class DiaryShareList:
    """The pending and accepted shares of a diary."""

    shares: tuple[DiaryShare, ...]


@attrs.frozen(kw_only=True)
class DiaryInvitationList:
    """The invitations the caller has not answered yet."""

    invitations: tuple[DiaryShare, ...]


def share_form(share: Share) -> DiaryShare:
    """A share as the wire tells it."""
    return DiaryShare(
        id=share.id,
        diary_id=share.diary_id,
        shared_with=share.shared_with,
        role=share.role,
        status=share.status,
        invited_at=share.invited_at,
        responded_at=share.responded_at,
    )
