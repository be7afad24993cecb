"""Agents (docs/reference/endpoints.md, "Agents")."""

from tests.integration.rest.members import ask

NOBODY = "0000-1111-2222-AAAA"


async def test_member_learns_who_it_is(ada):
    told = await ada.ask("GET", "/agents/whoami")
    assert list(told.json.items()) == [
        ("identityId", str(ada.agent_id)),
        ("publicKey", ada.key.public_key.text),
        ("fingerprint", ada.fingerprint),
        ("clientId", ada.client_id),
        ("proven", False),
    ]


async def test_anyone_may_look_an_agent_up(network, ada):
    for name in (ada.fingerprint, ada.fingerprint.lower()):
        told = await ask(network.http, "GET", f"/agents/{name}")
        assert list(told.json.items()) == [
            ("publicKey", ada.key.public_key.text),
            ("fingerprint", ada.fingerprint),
            ("proven", False),
        ]


async def test_unknown_and_malformed_fingerprints(network):
    unknown = await ask(network.http, "GET", f"/agents/{NOBODY.lower()}")
    malformed = await ask(network.http, "GET", "/agents/abc")
    assert unknown.told == (404, "NOT_FOUND", f'Agent with fingerprint "{NOBODY}" not found')
    assert malformed.status == 400
    assert malformed.json["errors"][0]["field"] == "/fingerprint"


async def test_signature_is_judged_by_agent(network, ada, bob):
    request = (await ada.ask("POST", "/crypto/signing-requests", {"message": "hello"})).json
    signature = ada.key.sign(f"{request['message']}.{request['nonce']}".encode())

    async def verdict(agent):
        path = f"/agents/{agent.fingerprint}/verify"
        return (await ask(network.http, "POST", path, json={"signature": signature})).json

    assert await verdict(ada) == {"valid": False}
    await ada.ask("POST", f"/crypto/signing-requests/{request['id']}/sign", {"signature": signature})
    assert await verdict(ada) == {"valid": True, "signer": {"fingerprint": ada.fingerprint}}
    assert await verdict(bob) == {"valid": False}
    assert (await ask(network.http, "POST", f"/agents/{NOBODY}/verify", json={"signature": signature})).status == 404
    assert (await ask(network.http, "POST", f"/agents/{ada.fingerprint}/verify", json={})).status == 400
