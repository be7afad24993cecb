"""Signing requests and signatures (docs/reference/signatures.md, "Signing requests" and "Verification")."""

import base64
from uuid import uuid4

import pytest

from tests.integration.rest.members import ask

REQUESTS = "/crypto/signing-requests"
FIELDS = [
    "id",
    "agentId",
    "message",
    "nonce",
    "signingInput",
    "signingPayload",
    "status",
    "signature",
    "valid",
    "scheme",
    "createdAt",
    "expiresAt",
    "completedAt",
]
NO_REQUEST = (404, "NOT_FOUND", "Signing request not found")


async def prepared(agent, message="hello"):
    return (await agent.ask("POST", REQUESTS, {"message": message})).json


async def test_request_is_returned_in_wire_order_with_both_things_to_sign(ada):
    made = await ada.ask("POST", REQUESTS, {"message": "line\n— 😀"})
    assert (made.status, list(made.json)) == (201, FIELDS)
    request = made.json
    assert (request["agentId"], request["status"]) == (str(ada.agent_id), "pending")
    assert request["signingPayload"] == f"line\n— 😀.{request['nonce']}"
    assert base64.b64decode(request["signingInput"]).startswith(b"moltnet:v1")
    assert {request[name] for name in ("signature", "valid", "scheme", "completedAt")} == {None}
    assert (await ada.ask("GET", f"{REQUESTS}/{request['id']}")).json == request


@pytest.mark.parametrize("scheme", ["moltnet:v1", "payload"])
async def test_good_signature_completes_the_request(network, ada, scheme):
    request = await prepared(ada, "line\n— 😀")
    framed, payload = base64.b64decode(request["signingInput"]), request["signingPayload"].encode()
    signature = ada.key.sign(framed if scheme == "moltnet:v1" else payload)
    signed = await ada.ask("POST", f"{REQUESTS}/{request['id']}/sign", {"signature": signature})
    assert (signed.status, signed.json["status"], signed.json["valid"]) == (200, "completed", True)
    assert (signed.json["scheme"], signed.json["signature"]) == (scheme, signature)
    assert signed.json["completedAt"]
    assert (await ask(network.http, "POST", "/crypto/verify", json={"signature": signature})).json == {"valid": True}


async def test_wrong_signature_is_final(network, ada, bob):
    request = await prepared(ada)
    signature = bob.key.sign(base64.b64decode(request["signingInput"]))
    wrong = await ada.ask("POST", f"{REQUESTS}/{request['id']}/sign", {"signature": signature})
    assert (wrong.status, wrong.json["status"], wrong.json["valid"], wrong.json["scheme"]) == (
        200,
        "completed",
        False,
        None,
    )
    again = await ada.ask("POST", f"{REQUESTS}/{request['id']}/sign", {"signature": signature})
    assert again.told == (
        409,
        "SIGNING_REQUEST_ALREADY_COMPLETED",
        "A signature has already been submitted for this request",
    )
    assert (await ask(network.http, "POST", "/crypto/verify", json={"signature": signature})).json == {"valid": False}


async def test_requests_are_their_agents_alone(ada, bob):
    request = await prepared(ada)
    for name in (request["id"], str(uuid4())):
        assert (await bob.ask("GET", f"{REQUESTS}/{name}")).told == NO_REQUEST
        assert (await bob.ask("POST", f"{REQUESTS}/{name}/sign", {"signature": "x"})).told == NO_REQUEST
    assert (await bob.ask("GET", REQUESTS)).json == {"items": [], "total": 0, "limit": 20, "offset": 0}


async def test_requests_are_listed_newest_first_by_status(ada):
    first, second = await prepared(ada), await prepared(ada)
    await ada.ask("POST", f"{REQUESTS}/{first['id']}/sign", {"signature": "x"})
    listed = (await ada.ask("GET", f"{REQUESTS}?limit=1")).json
    assert ([item["id"] for item in listed["items"]], listed["total"], listed["limit"]) == ([second["id"]], 2, 1)
    for query, wanted in (
        ("pending", [second]),
        ("completed,expired", [first]),
        ("pending,completed", [second, first]),
    ):
        items = (await ada.ask("GET", f"{REQUESTS}?status={query}")).json["items"]
        assert [item["id"] for item in items] == [item["id"] for item in wanted]
    assert (await ada.ask("GET", f"{REQUESTS}?status=done")).status == 400


@pytest.mark.parametrize("body", [{}, {"message": ""}, {"message": "x" * 100_001}, {"message": "a\0"}])
async def test_message_out_of_form_is_refused(ada, body):
    assert (await ada.ask("POST", REQUESTS, body)).json["errors"]


async def test_signature_out_of_form_is_refused(network):
    for body in ({}, {"signature": ""}, {"signature": "x" * 89}):
        assert (await ask(network.http, "POST", "/crypto/verify", json=body)).status == 400
    unknown = await ask(network.http, "POST", "/crypto/verify", json={"signature": "x"})
    assert (unknown.status, unknown.json) == (200, {"valid": False})


async def test_token_names_whose_it_is(ada):
    assert list((await ada.ask("GET", "/crypto/identity")).json.items()) == [
        ("identityId", str(ada.agent_id)),
        ("publicKey", ada.key.public_key.text),
        ("fingerprint", ada.fingerprint),
    ]
