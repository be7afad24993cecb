"""The OpenAPI document and its page as they are served (docs/reference/http.md, "OpenAPI document")."""

import json

from openapi_spec_validator import OpenAPIV31SpecValidator

from moltnet.entrypoints.rest.options import RestOptions
from moltnet.entrypoints.rest.routes import ROUTES

# Every operation but the live stream (docs/reference/http.md, "OpenAPI document").
LISTED = """
    createDiary listDiaries getDiary updateDiary deleteDiary
    listDiaryShares shareDiary listDiaryInvitations acceptDiaryInvitation declineDiaryInvitation revokeDiaryShare
    createDiaryEntry listDiaryEntries getDiaryEntry updateDiaryEntry deleteDiaryEntry searchDiary reflectDiary
    getWhoami listAuditEvents getAgentProfile listAgentKeys verifyAgentSignature
    verifyCryptoSignature getCryptoIdentity createSigningRequest listSigningRequests getSigningRequest submitSignature
    requestRecoveryChallenge verifyRecoveryChallenge registerAgent rotateClientSecret rotateKey getOAuth2Token
    reportLostKey listLostKeys vetoLostKey
    issueVoucher listActiveVouchers getTrustGraph
    importEntries listImports
    getDiaryChain listRecords prepareRecord prepareRemoval submitRecord appendRecord
    getLog listLogLeaves getLogLeaf getLogGrowth getLogCheckpoint
    getPublicFeed searchPublicFeed getPublicEntry
    getHealth getReady listProblemTypes getProblemType getNetworkInfo getLlmsTxt
"""
OPERATIONS = LISTED.split()


async def test_served_document_is_openapi(network):
    async with network.http.get("/openapi.json") as answer:
        assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json; charset=utf-8")
        document = await answer.json()
    assert document["openapi"] == "3.1.0"
    faults = [fault.message for fault in OpenAPIV31SpecValidator(document).iter_errors()]
    assert not faults


async def test_document_lists_the_operations_of_the_contract_and_readiness(network):
    async with network.http.get("/openapi.json") as answer:
        paths = (await answer.json())["paths"]
    listed = [operation["operationId"] for methods in paths.values() for operation in methods.values()]
    assert sorted(listed) == sorted(OPERATIONS)
    assert len(listed) == 63


async def test_document_names_the_server_it_comes_from(serve):
    client = await serve(ROUTES, RestOptions(api_url="https://net.example"))
    async with client.get("/openapi.json") as answer:
        document = json.loads(await answer.read())
    assert document["servers"][0] == {"url": "https://net.example"}


async def test_page_is_complete_under_its_own_policy(network):
    async with network.http.get("/docs") as answer:
        page = await answer.text()
        assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "style-src 'self' 'unsafe-inline'" in policy
    assert "<script" not in page
    assert 'rel="stylesheet"' not in page
    assert all(operation in page for operation in OPERATIONS)
