"""Signing, recovery, tokens and webhooks (docs/reference/endpoints.md and signatures.md)."""

import asyncio
import base64
import hashlib
import hmac
from datetime import timedelta

from moltnet.domain.agents import ProfileNotFound
from moltnet.domain.credentials import ClientWithoutAgent
from moltnet.domain.errors import Unavailable
from moltnet.domain.signing import SIGNING_LIFETIME
from tests.integration.wire.row import Act, Row, Step, row, says
from tests.integration.wire.stage import Stage
from tests.support.interruptions import failing, passing
from tests.support.networks import RECOVERY_SECRET
from tests.support.ory.faults import DOWN, NOT_JSON

REQUESTS, REQUEST, NO_REQUEST = (
    "/crypto/signing-requests",
    "/crypto/signing-requests/{request}",
    "Signing request not found",
)
SIGNATURE = {"signature": "{signature}"}
SIGN, VERIFY = f"owner POST {REQUEST}/sign", "anyone POST /crypto/verify"
DONE, LATE = "SIGNING_REQUEST_ALREADY_COMPLETED", "SIGNING_REQUEST_EXPIRED"
NOT_KNOWN = 'Agent with fingerprint "0000-1111-2222-AAAA" not found'
BY_OWNER, BY_OTHER = (f"anyone POST /agents/{{{who}.fingerprint}}/verify" for who in ("owner", "stranger"))


def framed(message: str, nonce: str) -> str:
    """The signed bytes as docs/reference/signatures.md, "Signed bytes" describes them, in base64."""
    digest = hashlib.sha256(message.encode()).digest()
    parts = (b"moltnet:v1", (32).to_bytes(4, "big"), digest, len(nonce).to_bytes(4, "big"), nonce.encode("ascii"))
    return base64.b64encode(b"".join(parts)).decode()


async def what_is_signed(stage: Stage) -> None:
    told = (await stage.ask(f"owner GET {REQUEST}")).json
    assert told["signingInput"] == framed(told["message"], told["nonce"])
    assert told["signingPayload"] == f"{told['message']}.{told['nonce']}"


async def no_profile(stage: Stage) -> None:
    await stage.token_of("owner")
    # Gone since the token was verified, by the same statement.
    stage.network.calls.before("clients.find_with_agent", [passing, failing(ProfileNotFound())])
    await says("owner GET /agents/whoami", 404, "Agent profile not found")(stage)


async def workflow_that_never_began(stage: Stage) -> None:
    runs = stage.network.journal.runs
    (name,) = [name for name in runs if stage.names["request"] in name]
    (task,) = [task for task in asyncio.all_tasks() if task.get_name() == name]
    task.cancel()
    await asyncio.wait([task])
    del runs[name]
    await says(SIGN, 200, body=SIGNATURE, holds={"status": "completed", "valid": True})(stage)


SIGNING: tuple[Row, ...] = (
    row(
        "sign ok → 200 completed, valid true; wrong key → 200 completed, valid false; again → 409",
        says(SIGN, 200, body=SIGNATURE, holds={"status": "completed", "valid": True, "signature": "{signature}"}),
        says(SIGN, 409, "A signature has already been submitted for this request", code=DONE, body=SIGNATURE),
        says(f"owner POST {REQUESTS}", 201, body={"message": "x"}, keep="request"),
        says(SIGN, 200, body=SIGNATURE, holds={"status": "completed", "valid": False}),
        says(SIGN, 409, "A signature has already been submitted for this request", code=DONE, body=SIGNATURE),
    ),
    row(
        "signing: sign: expired → 409 SIGNING_REQUEST_EXPIRED, also when it was completed",
        says(SIGN, 200, body=SIGNATURE),
        Stage.later(SIGNING_LIFETIME),
        says(SIGN, 409, "This signing request has expired", code=LATE, body=SIGNATURE),
    ),
    row(
        "signing: sign: no workflow yet → 404",
        workflow_that_never_began,
        departure="ADR-25: there is no such state, it is begun with the signature",
    ),
    row(
        "LF, em-dash and emoji in message round-trip and verify",
        says(f"owner POST {REQUESTS}", 201, body={"message": "a\n— 😀"}, holds={"message": "a\n— 😀"}, keep="request"),
        Stage.owner_signs,
        says(SIGN, 200, body=SIGNATURE, holds={"valid": True}),
        says(VERIFY, 200, body=SIGNATURE, holds={"valid": True}),
    ),
    row(
        "unknown id → 404; other agent's id → 404",
        says(f"owner GET {REQUESTS}/{{unknown}}", 404, NO_REQUEST),
        says(f"stranger GET {REQUEST}", 404, NO_REQUEST),
        says(f"owner POST {REQUESTS}/{{unknown}}/sign", 404, NO_REQUEST, body=SIGNATURE),
        says(f"stranger POST {REQUEST}/sign", 404, NO_REQUEST, body=SIGNATURE),
    ),
    row(
        "status=pending filters; unknown status → 400",
        says(f"owner GET {REQUESTS}?status=pending", 200, holds={"items.#": 1, "total": 1}),
        says(f"owner GET {REQUESTS}?status=completed", 200, holds={"items": [], "total": 0}),
        says(f"owner GET {REQUESTS}?status=done", 400, "…querystring/status must match pattern"),
    ),
    row(
        'verify before submission, unknown signature, wrong key, other agent\'s fingerprint → 200 {"valid":false}',
        says(VERIFY, 200, body=SIGNATURE, holds={"valid": False}),
        says(BY_OWNER, 200, body={"signature": "x"}, holds={"valid": False}),
        says(SIGN, 200, body=SIGNATURE),
        says(BY_OTHER, 200, body=SIGNATURE, holds={"valid": False}),
        says(BY_OWNER, 200, body=SIGNATURE, holds={"valid": True, "signer.fingerprint": "{owner.fingerprint}"}),
    ),
    row(
        "missing signature → 400",
        says(VERIFY, 400, "body must have required property 'signature'", body={}),
        says(BY_OWNER, 400, "body must have required property 'signature'", body={}),
    ),
    row(
        "agents: unknown fingerprint → 404",
        says("anyone GET /agents/{unknown.fingerprint}", 404, NOT_KNOWN),
        says("anyone POST /agents/{unknown.fingerprint}/verify", 404, NOT_KNOWN, body=SIGNATURE),
        says("anyone GET /agents/abc", 400, "…params/fingerprint must match pattern"),
    ),
    row(
        "agents: whoami: 404 if the identity has no row",
        no_profile,
    ),
    row(
        "signing: signingInput is the framed bytes",
        what_is_signed,
        departure="signingPayload beside it",
    ),
)


def challenged(key: str) -> Step:
    return says("anyone POST /recovery/challenge", 200, body={"publicKey": key}, keep="challenge:challenge")


def proving(who: str, key: str, **changes: str) -> Act:
    """Keeps, as the proof, a challenge for a key signed by somebody, some parts of it changed."""

    async def prove(stage: Stage) -> None:
        text = stage.filled(changes.get("challenge", "{challenge}"))
        mac = hmac.new(RECOVERY_SECRET, text.encode(), hashlib.sha256).hexdigest()
        signature = stage.actors[who].key.sign(text.encode())
        stage.names |= {"proof": signature, "proof.mac": changes.get("hmac", mac), "proof.text": text}
        stage.names["proof.key"] = stage.filled(key)

    return prove


def proof(status: int, detail: str | None = None, code: str | None = None) -> Step:
    body = {"challenge": "{proof.text}", "hmac": "{proof.mac}", "signature": "{proof}", "publicKey": "{proof.key}"}
    return says("anyone POST /recovery/verify", status, detail, code=code, body=body)


def bad_challenge(detail: str) -> Step:
    return proof(400, detail, "INVALID_CHALLENGE")


BAD_PROOF = proof(400, "Ed25519 signature verification failed", "INVALID_SIGNATURE")
FORM = {"challenge": "x", "hmac": "0" * 64, "signature": "x", "publicKey": "{owner.key}"}


async def identity_service_down(stage: Stage) -> None:
    if stage.ory is not None:
        stage.ory.faults.always("K8", DOWN)
    else:
        stage.network.calls.before("IdentityProvider.begin_recovery", [failing(Unavailable())])
    await proof(502, "An unexpected error occurred")(stage)


RECOVERY: tuple[Row, ...] = (
    row(
        "unknown key gets a normal challenge; at verify it looks like a bad signature (400 INVALID_SIGNATURE)",
        challenged("{newcomer.key}"),
        proving("owner", "{newcomer.key}"),
        BAD_PROOF,
        challenged("{owner.key}"),
        proving("stranger", "{owner.key}"),
        BAD_PROOF,
    ),
    row(
        "tampered, fake-HMAC or expired → 400 INVALID_CHALLENGE",
        challenged("{owner.key}"),
        proving("owner", "{owner.key}", hmac="0" * 64),
        bad_challenge("Invalid HMAC"),
        proving("owner", "{owner.key}", challenge="moltnet:recovery:x"),
        bad_challenge("Invalid challenge format"),
        proving("owner", "{stranger.key}"),
        bad_challenge("Challenge was issued for a different key"),
        proving("owner", "{owner.key}"),
        Stage.later(timedelta(minutes=5, milliseconds=1)),
        bad_challenge("Challenge expired"),
    ),
    row(
        "recovery: the timestamp must parse and must not be in the future",
        proving("owner", "{owner.key}", challenge=f"moltnet:recovery:{{owner.key}}:{'0' * 64}:soon"),
        bad_challenge("Invalid challenge timestamp"),
        proving("owner", "{owner.key}", challenge=f"moltnet:recovery:{{owner.key}}:{'0' * 64}:9999999999999"),
        bad_challenge("Challenge timestamp is in the future"),
    ),
    row(
        "replay → 400 Challenge already used; bad signature burns the nonce",
        challenged("{owner.key}"),
        proving("owner", "{owner.key}"),
        proof(200),
        bad_challenge("Challenge already used"),
        challenged("{owner.key}"),
        proving("stranger", "{owner.key}"),
        BAD_PROOF,
        proving("owner", "{owner.key}"),
        bad_challenge("Challenge already used"),
    ),
    row(
        "key over 60 chars → 400; upper-case hmac → 400",
        says("anyone POST /recovery/challenge", 400, "…60 characters", body={"publicKey": f"ed25519:{'A' * 53}"}),
        says("anyone POST /recovery/verify", 400, "…body/hmac must match pattern", body=FORM | {"hmac": "A" * 64}),
    ),
    row(
        "identity service down → 502",
        challenged("{owner.key}"),
        proving("owner", "{owner.key}"),
        identity_service_down,
    ),
)

GRANT = {"grant_type": "client_credentials", "client_id": "{owner.client}", "client_secret": "{owner.secret}"}
TOKEN = "anyone POST /oauth2/token"
UNSUPPORTED = 'Unsupported grant_type "{}". Only client_credentials is supported.'


async def token_service_down(stage: Stage) -> None:
    if stage.ory is not None:
        stage.ory.faults.always("H7", NOT_JSON)
    stage.network.calls.before("clients.find", [failing(Unavailable())])
    await says(TOKEN, 502, "An unexpected error occurred", body=GRANT)(stage)


async def lifetime_is_told(stage: Stage) -> None:
    told = await stage.ask(TOKEN, GRANT)
    assert (told.status, told.json["token_type"], told.json["expires_in"] > 0) == (200, "bearer", True)


TOKENS: tuple[Row, ...] = (
    row("good credentials → 200, token_type bearer, expires_in > 0", lifetime_is_told),
    row(
        "wrong → upstream 401 passed on",
        says(TOKEN, 401, body=GRANT | {"client_secret": "x"}, holds={"error": "invalid_client"}),
        says(TOKEN, 401, body=GRANT | {"client_id": "{unknown}"}, holds={"error": "invalid_client"}),
    ),
    row(
        "other or missing grant → 400 without calling upstream",
        says(
            TOKEN,
            400,
            body=GRANT | {"grant_type": "password"},
            holds={"error": "unsupported_grant_type", "error_description": UNSUPPORTED.format("password")},
        ),
        says(TOKEN, 400, body={"x": "y"}, holds={"error_description": UNSUPPORTED.format("")}),
    ),
    row(
        "registration: no body at all, malformed JSON → 400 OAuth errors",
        says(TOKEN, 400, more={"skip_auto_headers": ["Content-Type"]}, holds={"error": "invalid_request"}),
        says(
            TOKEN,
            400,
            headers={"Content-Type": "application/json"},
            more={"data": b"{"},
            holds={"error": "invalid_request"},
        ),
    ),
    row("upstream down or non-JSON → 502 UPSTREAM_ERROR", token_service_down),
)

HOOK, KRATOS, SETTINGS = (
    {"x-ory-api-key": "{webhook.key}"},
    "/hooks/kratos/after-registration",
    "/hooks/kratos/after-settings",
)
HYDRA = "/hooks/hydra/token-exchange"
TRAITS = {"public_key": "{newcomer.key}", "voucher_code": "{voucher}"}


def identity(**traits: str) -> dict[str, object]:
    return {"identity": {"id": "880e8400-e29b-41d4-a716-446655440004", "traits": TRAITS | traits}}


def hook(path: str, status: int, body: object, **more: object) -> Step:
    return says(f"anyone POST {path}", status, body=body, headers=HOOK, **more)


def told_to_kratos(pointer: str, number: int) -> dict[str, object]:
    return {
        "messages.0.instance_ptr": pointer,
        "messages.0.messages.0.id": number,
        "messages.0.messages.0.type": "error",
    }


def exchange(client: str) -> dict[str, object]:
    return {"session": {}, "request": {"client_id": client, "grant_types": []}}


async def registration_breaks_on_permissions(stage: Stage) -> None:
    stage.network.calls.before("Permissions.introduce", [failing(RuntimeError("broken"))])
    await hook(KRATOS, 500, identity())(stage)
    await hook(KRATOS, 200, identity(), holds={"identity.metadata_public.public_key": "{newcomer.key}"})(stage)


async def client_lookup_breaks(stage: Stage) -> None:
    stage.network.calls.before("ClientRegistry.agent_of", [failing(RuntimeError("broken"))])
    await hook(HYDRA, 500, exchange("x"), holds={"error": "enrichment_failed"})(stage)


async def client_without_an_agent(stage: Stage) -> None:
    # Of one that was made here the network knows itself; of others it asks who made them.
    for client, call in (("x", "ClientRegistry.agent_of"), ("{owner.client}", "clients.find_with_agent")):
        for error, code in ((ClientWithoutAgent(), "invalid_client_metadata"), (ProfileNotFound(), "agent_not_found")):
            stage.network.calls.before(call, [failing(error)])
            await hook(HYDRA, 403, exchange(client), holds={"error": code})(stage)


HOOKS: tuple[Row, ...] = (
    row(
        "no key / wrong key → 401 with the two details of 1.13",
        *(
            step
            for path, body in ((KRATOS, identity()), (SETTINGS, identity()), (HYDRA, exchange("x")))
            for step in (
                says(f"anyone POST {path}", 401, "Missing webhook API key", body=body),
                says(f"anyone POST {path}", 401, "Invalid webhook API key", body=body, headers={"x-ory-api-key": "x"}),
            )
        ),
    ),
    row(
        "bad public key → 400 instance_ptr #/traits/public_key; bad voucher → 403 #/traits/voucher_code, id 4000003",
        hook(KRATOS, 400, identity(public_key="ed25519:AAAA"), holds=told_to_kratos("#/traits/public_key", 4000001)),
        hook(SETTINGS, 400, identity(public_key="ed25519:AAAA"), holds=told_to_kratos("#/traits/public_key", 4000001)),
        hook(KRATOS, 403, identity(voucher_code="0" * 64), holds=told_to_kratos("#/traits/voucher_code", 4000003)),
    ),
    row(
        "webhooks: after-settings: fingerprint already held by another identity → 500",
        hook(SETTINGS, 409, identity(public_key="{owner.key}"), holds=told_to_kratos("#/traits/public_key", 4000001)),
        departure="a key has one holder, and 409 says so",
    ),
    row(
        "failing permission service in the webhook → 500, voucher kept",
        registration_breaks_on_permissions,
    ),
    row(
        "token-exchange: unknown client → 500 enrichment_failed",
        hook(HYDRA, 500, exchange("x"), holds={"error": "enrichment_failed"}),
        client_lookup_breaks,
    ),
    row(
        "client without metadata → 403 invalid_client_metadata; no agent row → 403 agent_not_found",
        client_without_an_agent,
    ),
)
