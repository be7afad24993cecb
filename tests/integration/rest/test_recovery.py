"""Recovery from the challenge to a fresh secret.

Source: docs/reference/signatures.md, "Recovery challenge" and "Recovery flow".
"""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from moltnet.adapters.nacl import NaclKeyPair
from moltnet.domain.challenges import NetworkAddress
from moltnet.domain.recovery import Challenge
from tests.integration.rest.members import ask, token_for

NO_STORE = "no-store, no-cache, must-revalidate, private"


async def challenged(http, key):
    told = await ask(http, "POST", "/recovery/challenge", json={"publicKey": key.public_key.text})
    assert told.status == 200
    return told.json


def proof(issued, key, signer=None, **changes):
    signature = (signer or key).sign(issued["challenge"].encode())
    return {**issued, "signature": signature, "publicKey": key.public_key.text} | changes


async def verify(http, body):
    return await ask(http, "POST", "/recovery/verify", json=body)


async def test_member_comes_back_with_nothing_but_its_key(network, ada):
    http = network.http
    challenge = await challenged(http, ada.key)
    recovery = await verify(http, proof(challenge, ada.key))
    assert (recovery.status, list(recovery.json)) == (200, ["recoveryCode", "recoveryFlowUrl"])
    assert recovery.headers["Cache-Control"] == NO_STORE
    target = urlsplit(recovery.json["recoveryFlowUrl"])
    body = {"method": "code", "code": recovery.json["recoveryCode"]}
    flow = await ask(http, "POST", f"{target.path}?{target.query}", json=body)
    assert (flow.status, flow.json["state"]) == (200, "passed_challenge")
    token = flow.json["session_token"]
    assert flow.json["continue_with"] == [{"action": "set_ory_session_token", "ory_session_token": token}]
    assert flow.headers["Cache-Control"] == "no-store"
    rotated = await ask(http, "POST", "/auth/rotate-secret", headers={"X-Session-Token": token})
    assert (rotated.status, rotated.json["clientId"]) == (200, ada.client_id)
    assert rotated.headers["Cache-Control"] == "no-store"
    assert (await token_for(http, ada.client_id, rotated.json["clientSecret"])).status == 200
    assert (await token_for(http, ada.client_id, ada.secret)).status == 401
    assert (await ada.ask("GET", "/agents/whoami")).status == 401
    assert (await ask(http, "POST", "/auth/rotate-secret", headers={"X-Session-Token": token})).status == 401


async def test_challenge_does_not_reveal_whether_the_key_is_known(network, ada):
    stranger = NaclKeyPair.generate()
    known, unknown = await challenged(network.http, ada.key), await challenged(network.http, stranger)
    assert list(known) == list(unknown) == ["challenge", "hmac"]
    refusals = [
        (await verify(network.http, proof(unknown, stranger))).told,
        (await verify(network.http, proof(known, ada.key, signer=stranger))).told,
    ]
    assert set(refusals) == {(400, "INVALID_SIGNATURE", "Ed25519 signature verification failed")}


async def test_challenge_is_good_for_one_try(network, ada):
    challenge = await challenged(network.http, ada.key)
    assert (await verify(network.http, proof(challenge, ada.key, signer=NaclKeyPair.generate()))).status == 400
    replay = await verify(network.http, proof(challenge, ada.key))
    assert replay.told == (400, "INVALID_CHALLENGE", "Challenge already used")
    assert replay.headers["Cache-Control"] == NO_STORE


async def test_altered_challenge_is_refused(network, ada, bob):
    challenge = await challenged(network.http, ada.key)
    for changes, detail in (
        ({"challenge": "x"}, "Invalid challenge format"),
        ({"publicKey": bob.key.public_key.text}, "Challenge was issued for a different key"),
        ({"hmac": "0" * 64}, "Invalid HMAC"),
    ):
        refused = await verify(network.http, proof(challenge, ada.key, **changes))
        assert refused.told == (400, "INVALID_CHALLENGE", detail)


@pytest.mark.parametrize(
    ("path", "body", "detail"),
    [
        ("challenge", {}, "body must have required property 'publicKey'"),
        ("challenge", {"publicKey": "ed25519:" + "A" * 53}, "body/publicKey must NOT have more than 60 characters"),
        ("challenge", {"publicKey": "AAAA"}, 'body/publicKey must match pattern "^ed25519:[A-Za-z0-9+/=]+$"'),
        ("verify", {"challenge": "x"}, "body must have required property 'hmac'"),
        (
            "verify",
            {"challenge": "x", "hmac": "A" * 64, "signature": "x", "publicKey": "ed25519:A"},
            'body/hmac must match pattern "^[a-f0-9]{64}$"',
        ),
    ],
)
async def test_recovery_out_of_form_is_refused_without_a_list_and_not_stored(network, path, body, detail):
    refused = await ask(network.http, "POST", f"/recovery/{path}", json=body)
    assert refused.told == (400, "VALIDATION_FAILED", detail)
    assert "errors" not in refused.json
    assert refused.headers["Cache-Control"] == NO_STORE


async def flow_of(http, agent):
    recovery = (await verify(http, proof(await challenged(http, agent.key), agent.key))).json
    target = urlsplit(recovery["recoveryFlowUrl"])

    async def answer(code):
        return await ask(http, "POST", f"{target.path}?{target.query}", json={"method": "code", "code": code})

    return recovery["recoveryCode"], answer


async def test_wrong_code_leaves_the_flow_open_for_another_try(network, ada):
    code, answer = await flow_of(network.http, ada)
    wrong = await answer("x" + code)
    assert (wrong.status, wrong.json["state"]) == (200, "sent_email")
    assert [message["id"] for message in wrong.json["ui"]["messages"]] == [4060006]
    assert "session_token" not in wrong.json
    assert (await answer(code)).json["state"] == "passed_challenge"


async def test_code_is_good_once(network, ada):
    code, answer = await flow_of(network.http, ada)
    await answer(code)
    again = await answer(code)
    assert (again.status, again.json["error"]["code"]) == (400, 400)
    assert again.json["error"]["details"] == {"continue_with": [{"action": "show_recovery_ui"}]}


async def test_unknown_flow_and_unreadable_answer_are_reported_as_kratos_does(network):
    flow = "/self-service/recovery?flow=880e8400-e29b-41d4-a716-446655440004"
    unknown = await ask(network.http, "POST", flow, json={"method": "code", "code": "1"})
    assert (unknown.status, unknown.json["error"]["status"]) == (404, "Not Found")
    for path, body in ((flow, {"method": "link", "code": "1"}), ("/self-service/recovery", {"method": "code"})):
        refused = await ask(network.http, "POST", path, json=body)
        assert (refused.status, refused.json["error"]["code"]) == (400, 400)


def refused_of_itself(issued, key):
    """Proofs that are refused whoever has the key; the conftest's network marks challenges with 32 times "r"."""
    text = key.public_key.text
    now, network = datetime.now(UTC), NetworkAddress.of("https://ours.example")

    def marked(at, secret=b"r" * 32):
        challenge = Challenge.issued(text, bytes(16), network=network, secret=secret, at=at)
        return proof({"challenge": challenge.text, "hmac": challenge.mac}, key)

    return {
        "Invalid challenge format": proof(issued, key, challenge=issued["challenge"].rsplit(":", 1)[0]),
        "Challenge was issued for a different key": proof(
            issued, key, publicKey=NaclKeyPair.generate().public_key.text
        ),
        "Invalid HMAC": marked(now, secret=b"s" * 32),
        "Challenge expired": marked(now - timedelta(minutes=6)),
        "Challenge timestamp is in the future": marked(now + timedelta(minutes=1)),
        "Ed25519 signature verification failed": proof(issued, key, signer=NaclKeyPair.generate()),
        "Challenge already used": proof(issued, key),
    }


async def test_no_refusal_distinguishes_a_known_key_from_an_unknown_one(network, ada):
    told = []
    for key in (ada.key, NaclKeyPair.generate()):
        for detail, body in refused_of_itself(await challenged(network.http, key), key).items():
            refused = await verify(network.http, body)
            assert (refused.status, refused.json["detail"]) == (400, detail)
            own = {"traceId", "requestId"}
            names = sorted(name for name in refused.headers if name not in {"Date", "X-Request-ID"})
            told.append((names, {name: value for name, value in refused.json.items() if name not in own}))
    known, unknown = told[: len(told) // 2], told[len(told) // 2 :]
    assert known == unknown
