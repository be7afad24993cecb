"""Shares: every transition, next to a table of them."""

from datetime import datetime, timedelta

import attrs
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from moltnet.domain.permissions import Relation
from moltnet.domain.sharing import (
    InvitationAnswered,
    InvitationCounts,
    InvitationLimitReached,
    InvitationLimits,
    InvitationsRefused,
    Refusals,
    Share,
    ShareExists,
    ShareRole,
    ShareStatus,
)
from tests.support.builders import NOON, a_share

PENDING, ACCEPTED, DECLINED, REVOKED = ShareStatus
ROLES = st.sampled_from(ShareRole)
# What each act makes of a status; what is not here is refused (docs/reference/endpoints.md, "Sharing").
TABLE = {
    ("accept", PENDING): ACCEPTED,
    ("decline", PENDING): DECLINED,
    ("revoke", PENDING): REVOKED,
    ("revoke", ACCEPTED): REVOKED,
    ("revoke", DECLINED): REVOKED,
    ("revoke", REVOKED): REVOKED,
    ("invite again", DECLINED): PENDING,
    ("invite again", REVOKED): PENDING,
}


class Sharing(RuleBasedStateMachine):
    """One share through its life."""

    @initialize(role=ROLES)
    def invite(self, role: ShareRole) -> None:
        self.share = self.first = a_share(role=role)
        self.status, self.role = PENDING, role
        self.responded_at: datetime | None = None
        self.invitations = 1
        self.now = NOON

    @rule(act=st.sampled_from(["accept", "decline", "revoke"]))
    def answer(self, act: str) -> None:
        self.now += timedelta(hours=1)
        status = TABLE.get((act, self.status))
        if status is None:
            with pytest.raises(InvitationAnswered) as refused:
                getattr(self.share, act)(self.now)
            assert refused.value.status is self.status
            assert str(refused.value) == f"Invitation has already been {self.status.value}"
            return
        self.share = getattr(self.share, act)(self.now)
        self.status, self.responded_at = status, self.now

    @rule(role=ROLES)
    def invite_again(self, role: ShareRole) -> None:
        status = TABLE.get(("invite again", self.status))
        if status is None:
            with pytest.raises(ShareExists) as refused:
                self.share.invite_again(role)
            assert str(refused.value) == f'Share already exists with status "{self.status.value}"'
            return
        self.share = self.share.invite_again(role)
        self.status, self.role, self.responded_at = status, role, None
        self.invitations += 1

    @invariant()
    def the_share_is_what_the_table_says(self) -> None:
        assert self.share == attrs.evolve(
            self.first,
            status=self.status,
            role=self.role,
            responded_at=self.responded_at,
            invitation=self.invitations,
        )

    @invariant()
    def an_open_share_cannot_be_sent_again(self) -> None:
        assert self.status.is_open is (("invite again", self.status) not in TABLE)


TestSharing = Sharing.TestCase
TestSharing.settings = settings(stateful_step_count=15, deadline=None)


def test_accepting_gives_the_relation_of_the_role() -> None:
    assert ShareRole.READER.relation is Relation.READERS
    assert ShareRole.WRITER.relation is Relation.WRITERS


def test_an_invitation_is_to_read_and_pending_by_default() -> None:
    share = a_share()
    plain = Share(id=share.id, diary_id=share.diary_id, shared_with=share.shared_with, invited_at=share.invited_at)
    assert (plain.role, plain.status, plain.responded_at) == (ShareRole.READER, PENDING, None)


def test_a_lost_race_is_reported_without_a_status() -> None:
    assert str(ShareExists(None)) == "Share already exists for this diary and agent"


LIMITS = InvitationLimits(of_pair=2, of_agent=5, refusals=3, refused_for=timedelta(days=30))


@pytest.mark.parametrize(("of_pair", "of_agent", "most"), [(2, 2, 2), (3, 9, 2), (0, 5, 5), (1, 6, 5)])
def test_an_invitation_too_many_is_refused(of_pair: int, of_agent: int, most: int) -> None:
    with pytest.raises(InvitationLimitReached) as refused:
        LIMITS.check(InvitationCounts(of_pair=of_pair, of_agent=of_agent), NOON)
    assert refused.value.most == most
    LIMITS.check(InvitationCounts(of_pair=1, of_agent=4), NOON)


def test_who_was_refused_too_often_waits() -> None:
    refusals = None
    for _ in range(LIMITS.refusals):
        LIMITS.check(InvitationCounts(of_pair=0, of_agent=0, refusals=refusals), NOON)
        refusals = LIMITS.after_refusal(refusals, NOON)
    counts = InvitationCounts(of_pair=0, of_agent=0, refusals=refusals)
    over = NOON + LIMITS.refused_for
    with pytest.raises(InvitationsRefused, match="after 2026-03-01T12:00:00Z") as refused:
        LIMITS.check(counts, over - timedelta(microseconds=1))
    assert refused.value.until == over
    LIMITS.check(counts, over)
    assert LIMITS.after_refusal(refusals, over) == Refusals(number=1, last_at=over)
