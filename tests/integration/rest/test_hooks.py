"""Webhooks (docs/reference/endpoints.md, "Webhooks")."""

import asyncio
import json
from io import BytesIO
from uuid import UUID, uuid4

import pytest
from multidict import CIMultiDict

from moltnet.adapters.nacl import NaclKeyPair
from moltnet.entrypoints.rest.options import RestOptions
from moltnet.entrypoints.rest.routes import ROUTES
from tests.integration.rest.conftest import WEBHOOK_KEY
from tests.integration.rest.members import ask

KEY = {"X-Ory-Api-Key": WEBHOOK_KEY}
BEFORE, REGISTRATION = "/hooks/kratos/before-registration", "/hooks/kratos/after-registration"
SETTINGS = "/hooks/kratos/after-settings"
EXCHANGE = "/hooks/hydra/token-exchange"
BODIES = {
    BEFORE: {"identity": {"id": "x", "traits": {"public_key": "x", "voucher_code": "x"}}},
    REGISTRATION: {"identity": {"id": "x", "traits": {"public_key": "x", "voucher_code": "x"}}},
    SETTINGS: {"identity": {"id": "x", "traits": {"public_key": "x"}}},
    EXCHANGE: {"session": {}, "request": {"client_id": "x", "grant_types": []}},
}


def registration(code, key=None, identity=None):
    key = key or NaclKeyPair.generate().public_key.text
    return {"identity": {"id": identity or str(uuid4()), "traits": {"public_key": key, "voucher_code": code}}}


def settings(identity, key):
    return {"identity": {"id": str(identity), "traits": {"public_key": key}}}


def exchange(client_id):
    return {
        "session": {"client_id": client_id},
        "request": {"client_id": client_id, "grant_types": ["client_credentials"]},
    }


async def told(network, path, body, headers=None):
    return await ask(network.http, "POST", path, json=body, headers=KEY if headers is None else headers)


async def a_code(member) -> str:
    return (await member.ask("POST", "/vouch")).json["code"]


def interruption(reply):
    (outer,) = reply.json["messages"]
    (inner,) = outer["messages"]
    assert (inner["type"], inner["context"], list(inner)) == ("error", {}, ["id", "text", "type", "context"])
    return reply.status, outer["instance_ptr"], inner["id"], inner["text"]


@pytest.mark.parametrize("path", BODIES)
async def test_key_comes_before_the_body(network, path):
    for body in (b"{", b"{}", b" " * 2_000_000, json.dumps(BODIES[path]).encode()):
        for headers in ({}, {"X-Ory-Api-Key": ""}, [("X-Ory-Api-Key", WEBHOOK_KEY)] * 2):
            missing = await sent(network, path, body, headers)
            assert missing.told == (401, "UNAUTHORIZED", "Missing webhook API key")
        for wrong in ("x", WEBHOOK_KEY[:-1], f"{WEBHOOK_KEY}k", "ключ"):
            refused = await sent(network, path, body, {"X-Ory-Api-Key": wrong})
            assert refused.told == (401, "UNAUTHORIZED", "Invalid webhook API key")
    assert (await told(network, path, {})).status == 400


async def sent(network, path, body, headers):
    fields = CIMultiDict(headers)
    fields["Content-Type"] = "application/json"
    return await ask(network.http, "POST", path, data=BytesIO(body), headers=fields)


@pytest.mark.parametrize("path", BODIES)
async def test_without_a_key_there_are_no_webhooks(serve, path):
    http = await serve(ROUTES, RestOptions())
    answer = await ask(http, "POST", path, json=BODIES[path], headers=KEY)
    assert answer.json == {"message": f"Route POST:{path} not found", "error": "Not Found", "statusCode": 404}


async def test_new_agent_becomes_a_member(network, ada):
    key = NaclKeyPair.generate().public_key
    body = registration(await a_code(ada), key.text)
    reply = await told(network, REGISTRATION, body)
    metadata = {"fingerprint": key.fingerprint.text, "public_key": key.text}
    assert (reply.status, reply.json) == (200, {"identity": {"metadata_public": metadata}})
    profile = await ask(network.http, "GET", f"/agents/{key.fingerprint}")
    assert profile.json == {"publicKey": key.text, "fingerprint": key.fingerprint.text, "proven": False}
    (edge,) = (await ask(network.http, "GET", "/vouch/graph")).json["edges"]
    assert edge["redeemerFingerprint"] == key.fingerprint.text
    assert (await told(network, REGISTRATION, body)).json == reply.json


async def test_of_two_registrations_on_one_voucher_one_succeeds(network, ada):
    code = await a_code(ada)
    replies = await asyncio.gather(*(told(network, REGISTRATION, registration(code)) for _ in range(2)))
    assert sorted(reply.status for reply in replies) == [200, 403]


async def test_key_of_another_size_is_reported_to_the_new_agent(network, ada):
    code = await a_code(ada)
    for path, body in (
        (REGISTRATION, registration(code, "ed25519:AAAA")),
        (SETTINGS, settings(uuid4(), "ed25519:AAAA")),
    ):
        status, pointer, number, text = interruption(await told(network, path, body))
        assert (status, pointer, number) == (400, "#/traits/public_key", 4000001)
        assert "32 bytes" in text
        assert "3" in text
    assert (await ada.ask("GET", "/vouch/active")).json["vouchers"][0]["code"] == code


async def test_voucher_that_is_not_open_is_reported_to_the_new_agent(network, ada):
    used = await a_code(ada)
    await told(network, REGISTRATION, registration(used))
    for code in (used, "0" * 64, "not a code"):
        status, pointer, number, text = interruption(await told(network, REGISTRATION, registration(code)))
        assert (status, pointer, number) == (403, "#/traits/voucher_code", 4000003)
        assert "POST /vouch" in text
        assert "\n" in text


async def test_key_of_a_member_is_refused_and_the_voucher_stays_good(network, ada, bob):
    code = await a_code(ada)
    taken = interruption(await told(network, REGISTRATION, registration(code, bob.key.public_key.text)))
    assert taken[:2] == (409, "#/traits/public_key")
    assert (await told(network, SETTINGS, settings(ada.agent_id, bob.key.public_key.text))).status == 409
    assert (await told(network, REGISTRATION, registration(code))).status == 200


async def test_what_will_be_refused_is_refused_before_it_is_stored(network, ada):
    code, nil = await a_code(ada), str(UUID(int=0))
    assert (await told(network, BEFORE, registration(code, identity=nil))).json == {"success": True}
    for bad in (
        registration(code, "ed25519:AAAA"),
        registration("f" * 64),
        registration(code, ada.key.public_key.text),
    ):
        before, after = await told(network, BEFORE, bad), await told(network, REGISTRATION, bad)
        assert (before.status, before.json) == (after.status, after.json)
        assert before.status in {400, 403, 409}
    assert (await told(network, REGISTRATION, registration(code))).status == 200
    assert (await told(network, BEFORE, registration(code))).status == 403


async def test_identity_without_an_id_is_refused(network, ada):
    code = await a_code(ada)
    for identity in ("00000000-0000-0000-0000-000000000000", "kratos"):
        body = registration(code, identity=identity)
        assert interruption(await told(network, REGISTRATION, body))[:2] == (400, "#/id")
    assert (await told(network, REGISTRATION, registration(code))).status == 200


async def test_changed_key_is_known_at_once(network, ada):
    key = NaclKeyPair.generate().public_key
    reply = await told(network, SETTINGS, settings(ada.agent_id, key.text))
    assert (reply.status, reply.json) == (200, {"success": True})
    assert (await ada.ask("GET", "/agents/whoami")).json["fingerprint"] == key.fingerprint.text
    by_the_former = await ask(network.http, "GET", f"/agents/{ada.fingerprint}")
    assert by_the_former.json["fingerprint"] == key.fingerprint.text


async def test_token_names_whose_it_is(network, ada):
    reply = await told(network, EXCHANGE, exchange(ada.client_id))
    claims = {
        "moltnet:identity_id": str(ada.agent_id),
        "moltnet:public_key": ada.key.public_key.text,
        "moltnet:fingerprint": ada.fingerprint,
    }
    assert (reply.status, reply.json) == (200, {"session": {"access_token": claims}})
    body = exchange(ada.client_id)
    body["request"]["grant_types"] = None
    assert (await told(network, EXCHANGE, body)).status == 200


async def test_token_of_an_unknown_client_is_not_enriched(network):
    for client_id in (str(uuid4()), "no id"):
        reply = await told(network, EXCHANGE, exchange(client_id))
        assert (reply.status, reply.json["error"]) == (500, "enrichment_failed")
        assert reply.headers["Content-Type"] == "application/json; charset=utf-8"


async def test_hooks_are_no_part_of_the_document(network):
    async with network.http.get("/openapi.json") as answer:
        assert "/hooks" not in await answer.text()
