"""Sharing, vouchers and registration (docs/reference/endpoints.md)."""

import asyncio
from datetime import timedelta
from uuid import UUID

from moltnet.domain.errors import StorageUnavailable
from moltnet.domain.ids import DiaryId, ShareId
from moltnet.domain.sharing import Share, ShareRole
from moltnet.domain.vouching import ISSUE_ATTEMPTS, IssueContended
from tests.integration.wire.row import Row, row, says
from tests.integration.wire.stage import Stage
from tests.support.builders import NOON, an_id
from tests.support.interruptions import failing

NO_DIARY, NO_INVITATION, NO_SHARE = "Diary not found", "Invitation not found", "Share not found"
SHARE, ENTRIES = "/diaries/{shared}/share", "/diaries/{shared}/entries"
ANSWER = "/diaries/invitations/{invitation}"
READER, INVITED = {"fingerprint": "{reader.fingerprint}"}, {"fingerprint": "{invited.fingerprint}"}
NEWCOMER = {"public_key": "{newcomer.key}", "voucher_code": "{voucher}"}
SEVERAL = 4


async def three_race_for_the_last_voucher(stage: Stage) -> None:
    for _ in range(3):
        assert (await stage.ask("owner POST /vouch")).status == 201
    told = await asyncio.gather(*(stage.ask("owner POST /vouch") for _ in range(3)))
    assert sorted(reply.status for reply in told) == [201, 429, 429]
    refused = {reply.json["code"] for reply in told if reply.status == 429}
    assert refused <= {"VOUCHER_LIMIT", "SERIALIZATION_EXHAUSTED"}
    assert len((await stage.ask("owner GET /vouch/active")).json["vouchers"]) == 5


async def one_lost_race(stage: Stage) -> None:
    stage.network.calls.before("vouchers.issue", [failing(IssueContended())])
    assert (await stage.ask("owner POST /vouch")).status == 201


async def only_lost_races(stage: Stage) -> None:
    stage.network.calls.before("vouchers.issue", [failing(IssueContended())] * (ISSUE_ATTEMPTS + 1))
    refused = await stage.ask("owner POST /vouch")
    assert (refused.status, refused.json["code"]) == (429, "SERIALIZATION_EXHAUSTED")
    assert stage.network.calls.log.count("vouchers.issue") == 1 + ISSUE_ATTEMPTS  # one furnished the stage


async def another_error(stage: Stage) -> None:
    stage.network.calls.before("vouchers.issue", [failing(ValueError("a secret of ours"))])
    told = await stage.ask("owner POST /vouch")
    assert (told.status, told.json["detail"]) == (500, "An unexpected error occurred")
    assert stage.network.calls.log.count("vouchers.issue") == 2


async def another_invitation_comes_first(stage: Stage) -> None:
    stranger, diary = stage.actors["stranger"].caller.agent_id, DiaryId(UUID(stage.names["shared"]))
    others = Share(id=ShareId(an_id()), diary_id=diary, shared_with=stranger, role=ShareRole.READER, invited_at=NOON)
    stage.network.calls.before("shares.add", [lambda: stage.network.storage.work.shares.add(others)])
    refused = await stage.ask(f"owner POST {SHARE}", {"fingerprint": "{stranger.fingerprint}"})
    assert (refused.status, refused.json["code"]) == (409, "CONFLICT")
    assert refused.json["detail"] == "Share already exists for this diary and agent"


async def two_register_on_one_voucher(stage: Stage) -> None:
    bodies = [{"public_key": stage.a_key(), "voucher_code": "{voucher}"} for _ in range(2)]
    told = await asyncio.gather(*(stage.ask("anyone POST /auth/register", body) for body in bodies))
    assert sorted(reply.status for reply in told) == [200, 403]


async def storage_down_for_the_agent(stage: Stage) -> None:
    stage.network.calls.before("agents.add", [failing(StorageUnavailable("down"))] * SEVERAL)
    refused = await stage.ask("anyone POST /auth/register", NEWCOMER)
    assert (refused.status, refused.json["code"]) == (502, "UPSTREAM_ERROR")
    assert refused.json["detail"] == "An unexpected error occurred"
    open_ones = (await stage.ask("owner GET /vouch/active")).json["vouchers"]
    assert [voucher["code"] for voucher in open_ones] == [stage.names["voucher"]]


SHARING: tuple[Row, ...] = (
    row(
        "self-share → 400; unknown fingerprint → 404; duplicate → 409",
        says(
            f"owner POST {SHARE}",
            400,
            "Cannot share a diary with yourself",
            body={"fingerprint": "{owner.fingerprint}"},
        ),
        says(
            f"owner POST {SHARE}",
            404,
            'Agent with fingerprint "0000-1111-2222-AAAA" not found',
            body={"fingerprint": "0000-1111-2222-aaaa"},
        ),
        says(f"owner POST {SHARE}", 409, 'Share already exists with status "accepted"', body=READER),
        says("owner POST /diaries/{lent}/share", 409, 'Share already exists with status "pending"', body=INVITED),
    ),
    row("sharing: an invitation that lost a race → 409", another_invitation_comes_first),
    row(
        "accept twice → 400; accept by inviter → 404; accept by third party → 404",
        *(says(f"{who} POST {ANSWER}/accept", 404, NO_INVITATION) for who in ("owner", "stranger")),
        says(f"invited POST {ANSWER}/accept", 200, holds={"status": "accepted"}),
        says(f"invited POST {ANSWER}/accept", 400, "Invitation has already been accepted"),
    ),
    row(
        "decline → no access (404); decline twice → 400; accept after decline or revoke → 400",
        says(f"invited POST {ANSWER}/decline", 200, holds={"status": "declined"}),
        says("invited GET /diaries/{lent}", 404, "Diary not found or access denied"),
        says(f"invited POST {ANSWER}/decline", 400, "Invitation has already been declined"),
        says(f"invited POST {ANSWER}/accept", 400, "Invitation has already been declined"),
        says("owner DELETE /diaries/{lent}/share/{invited.fingerprint}", 200),
        says(f"invited POST {ANSWER}/accept", 400, "Invitation has already been revoked"),
    ),
    row(
        "revoke → immediate loss of access; revoke twice → 200; revoke a pending invite → 200",
        says(f"reader GET {ENTRIES}", 200),
        says(f"owner DELETE {SHARE}/{{reader.fingerprint}}", 200),
        says(f"reader GET {ENTRIES}", 404, "Diary not found or access denied"),
        says(f"owner DELETE {SHARE}/{{reader.fingerprint}}", 200, holds={"success": True}),
        says("owner DELETE /diaries/{lent}/share/{invited.fingerprint}", 200),
    ),
    row(
        "re-invite after revoke or decline → 201 pending, same id; role replaced, so writer→reader loses write → 403",
        says("owner GET /diaries/{lent}/share", 200, keep="lent.share:shares.0.id"),
        says(f"invited POST {ANSWER}/decline", 200),
        says(
            "owner POST /diaries/{lent}/share",
            201,
            body=INVITED,
            holds={"id": "{lent.share}", "status": "pending", "respondedAt": None},
        ),
        says(f"owner DELETE {SHARE}/{{writer.fingerprint}}", 200),
        says(
            f"owner POST {SHARE}",
            201,
            body={"fingerprint": "{writer.fingerprint}"},
            holds={"role": "reader"},
            keep="again",
        ),
        says("writer POST /diaries/invitations/{again}/accept", 200, holds={"role": "reader"}),
        says(f"writer POST {ENTRIES}", 403, "You do not have permission to write to this diary", body={"content": "x"}),
    ),
    row(
        "lower-case fingerprint accepted and normalised",
        says(
            f"owner DELETE {SHARE}/0000-1111-2222-aaaa", 404, 'Agent with fingerprint "0000-1111-2222-AAAA" not found'
        ),
        says("anyone GET /agents/0000-1111-2222-aaaa", 404, 'Agent with fingerprint "0000-1111-2222-AAAA" not found'),
    ),
    row(
        "declined/revoked rows vanish from the owner's share list",
        says(f"owner GET {SHARE}", 200, holds={"shares.#": 2}),
        says(f"invited POST {ANSWER}/decline", 200),
        says("owner GET /diaries/{lent}/share", 200, holds={"shares": []}),
        says("invited GET /diaries/invitations", 200, holds={"invitations": []}),
    ),
    row(
        "sharing: revoke: no share row for that agent → 404",
        says(f"owner DELETE {SHARE}/{{guest.fingerprint}}", 404, NO_SHARE),
    ),
    row(
        "sharing: accept/decline: unknown id → 404",
        *(
            says(f"owner POST /diaries/invitations/{{unknown}}/{act}", 404, NO_INVITATION)
            for act in ("accept", "decline")
        ),
    ),
    row(
        "sharing: diary missing (list, share, revoke) → 404",
        says("owner GET /diaries/{unknown}/share", 404, NO_DIARY),
        says("owner POST /diaries/{unknown}/share", 404, NO_DIARY, body=READER),
        says("owner DELETE /diaries/{unknown}/share/{reader.fingerprint}", 404, NO_DIARY),
    ),
)

VOUCHING: tuple[Row, ...] = (
    row(
        "6th active voucher → 429 VOUCHER_LIMIT",
        *(says("owner POST /vouch", 201) for _ in range(4)),
        says("owner POST /vouch", 429, "…5", code="VOUCHER_LIMIT"),
    ),
    row(
        "4 issued + 3 parallel → at most one 201, rest 429, never 500, never more than 5 active",
        three_race_for_the_last_voucher,
    ),
    row("serialization failure once → retried, 201", one_lost_race),
    row("serialization failure always → exactly 5 attempts then 429", only_lost_races),
    row("other error → 500 after one attempt", another_error),
    row(
        "redeeming frees a slot",
        *(says("owner POST /vouch", 201) for _ in range(4)),
        says("anyone POST /auth/register", 200, body=NEWCOMER),
        says("owner POST /vouch", 201),
    ),
    row("two registrations racing on one voucher → statuses {200, 403}", two_register_on_one_voucher),
    row(
        "unknown voucher → 403, detail mentions voucher; reused → 403; non-hex format → 400",
        says(
            "anyone POST /auth/register",
            403,
            "Voucher not found",
            code="REGISTRATION_FAILED",
            body=NEWCOMER | {"voucher_code": "0" * 64},
        ),
        says("anyone POST /auth/register", 200, body=NEWCOMER),
        says(
            "anyone POST /auth/register",
            403,
            "Voucher has already been redeemed",
            code="REGISTRATION_FAILED",
            body={"public_key": "{newcomer.other}", "voucher_code": "{voucher}"},
        ),
        says(
            "anyone POST /auth/register",
            400,
            "…body/voucher_code must match pattern",
            body=NEWCOMER | {"voucher_code": "Z" * 64},
        ),
    ),
    row(
        "registration: voucher expired → 403",
        Stage.later(timedelta(days=1)),
        says("anyone POST /auth/register", 403, "Voucher has expired", code="REGISTRATION_FAILED", body=NEWCOMER),
    ),
    row(
        "key without 32 bytes → 400 mentioning ed25519; missing fields → 400",
        says("anyone POST /auth/register", 400, "…ed25519", body=NEWCOMER | {"public_key": "ed25519:AAAA"}),
        says(
            "anyone POST /auth/register",
            400,
            "…must be exactly 32 bytes (got 3)",
            body=NEWCOMER | {"public_key": "ed25519:AAAA"},
        ),
        says("anyone POST /auth/register", 400, "body must have required property 'public_key'", body={}),
    ),
    row(
        "returned credentials get a token and whoami returns the same identityId, fingerprint, clientId",
        says("anyone POST /auth/register", 200, body=NEWCOMER, keep="new.id:identityId"),
        says("anyone GET /vouch/graph", 200, holds={"edges.#": 1, "edges.0.issuerFingerprint": "{owner.fingerprint}"}),
        Stage.newcomer_signs_in,
        says("newcomer GET /agents/whoami", 200, holds={"identityId": "{new.id}", "clientId": "{newcomer.client}"}),
    ),
    row(
        "registration: it creates no diary",
        says("anyone POST /auth/register", 200, body=NEWCOMER),
        Stage.newcomer_signs_in,
        says("newcomer GET /diaries", 200, holds={"items.#": 1, "items.0.name": "Private"}),
        departure="the diary `Private`",
    ),
    row(
        "rotate → same clientId, new secret works, old one does not; without token → 401",
        says("anyone POST /auth/rotate-secret", 401, "Missing authorization header"),
        says("owner POST /auth/rotate-secret", 200, holds={"clientId": "{owner.client}"}, keep="fresh:clientSecret"),
        *(
            says(
                "anyone POST /oauth2/token",
                status,
                body={
                    "grant_type": "client_credentials",
                    "client_id": "{owner.client}",
                    "client_secret": secret,
                },
            )
            for secret, status in (("{fresh}", 200), ("{owner.secret}", 401))
        ),
    ),
    row(
        "duplicate public key → 502",
        says("anyone POST /auth/register", 409, "…", body=NEWCOMER | {"public_key": "{stranger.key}"}),
        says("anyone POST /auth/register", 200, body=NEWCOMER),
        departure="409, and the voucher stays usable",
    ),
    row("registration: anything later fails → 502, masked; the voucher stays active", storage_down_for_the_agent),
)
