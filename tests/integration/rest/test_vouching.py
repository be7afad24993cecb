"""Vouchers and the graph of trust (docs/reference/endpoints.md, "Vouchers")."""

import asyncio
import re

from moltnet.adapters.nacl import NaclKeyPair
from tests.integration.rest.members import ask


async def test_voucher_is_returned_in_wire_order_and_listed_while_it_is_open(ada, bob):
    made = await ada.ask("POST", "/vouch")
    assert (made.status, list(made.json)) == (201, ["code", "expiresAt", "issuedBy"])
    assert re.fullmatch("[a-f0-9]{64}", made.json["code"])
    assert made.json["issuedBy"] == ada.fingerprint
    assert (await ada.ask("GET", "/vouch/active")).json == {"vouchers": [made.json]}
    assert (await bob.ask("GET", "/vouch/active")).json == {"vouchers": []}


async def test_sixth_open_voucher_is_one_too_many(ada):
    told = await asyncio.gather(*(ada.ask("POST", "/vouch") for _ in range(7)))
    refused = [reply for reply in told if reply.status != 201]
    assert len(refused) == 2
    for reply in refused:
        assert (reply.status, reply.json["code"]) == (429, "VOUCHER_LIMIT")
        assert "5" in reply.json["detail"]
        assert "Retry-After" not in reply.headers
    assert len((await ada.ask("GET", "/vouch/active")).json["vouchers"]) == 5


async def test_redeemed_voucher_makes_an_edge_that_anyone_sees(network, ada):
    newcomer = NaclKeyPair.generate()
    code = (await ada.ask("POST", "/vouch")).json["code"]
    body = {"public_key": newcomer.public_key.text, "voucher_code": code}
    await ask(network.http, "POST", "/auth/register", json=body)
    graph = await ask(network.http, "GET", "/vouch/graph")
    assert graph.headers["Cache-Control"] == "public, max-age=300"
    (edge,) = graph.json["edges"]
    assert list(edge) == ["issuerFingerprint", "redeemerFingerprint", "redeemedAt"]
    assert (edge["issuerFingerprint"], edge["redeemerFingerprint"]) == (
        ada.fingerprint,
        newcomer.public_key.fingerprint.text,
    )
    assert (await ask(network.http, "GET", "/vouch/graph?offset=1")).json == {"edges": []}
    refused = await ask(network.http, "GET", "/vouch/graph?limit=1001")
    assert refused.json["errors"] == [{"field": "/limit", "message": "must be <= 1000"}]
    assert "Cache-Control" not in refused.headers
