"""Promises that hold for every route of the table."""

import re
from uuid import uuid4

import pytest

from moltnet.domain.credentials import Scope
from moltnet.entrypoints.operations.operation import Auth
from moltnet.entrypoints.rest.routes import ROUTES
from tests.integration.rest.members import RestMember, ask, token_for

# A stream of events has no end; test_stream.py is about it.
ENDING = [route for route in ROUTES if route.operation_id != "streamPublicFeed"]
REQUIRED = [route for route in ROUTES if route.auth is Auth.REQUIRED]
GETS = [route for route in ENDING if route.method == "GET"]


def target_of(route):
    names = {"fingerprint": "0000-1111-2222-AAAA", "type": "not-found"}
    path = re.sub(r"\{(\w+)\}", lambda match: names.get(match[1], str(uuid4())), route.path)
    return f"{path}?diaryId={uuid4()}" if route.operation_id == "reflectDiary" else path


BODIES = {
    "createDiary": {"name": "x"},
    "shareDiary": {"fingerprint": "0000-1111-2222-AAAA"},
    "createDiaryEntry": {"content": "x"},
    "createSigningRequest": {"message": "x"},
    "submitSignature": {"signature": "x"},
    "prepareRecord": {"content": "x"},
    "prepareRemoval": {"entryId": str(uuid4())},
    "submitRecord": {"signature": "x"},
    "appendRecord": {"payload": "e30=", "signature": "x"},
    "importEntries": {"items": [{"content": "x", "key": "x", "source": "x"}]},
    "reportLostKey": {"payload": "e30=", "signature": "x"},
    "rotateKey": {"payload": "e30=", "formerSignature": "x", "signature": "x"},
    "updateDiary": {},
    "updateDiaryEntry": {},
}


def body_of(route):
    return {"json": BODIES[route.operation_id]} if route.operation_id in BODIES else {}


async def test_route_that_needs_a_token_refuses_to_go_without(network):
    for route in REQUIRED:
        refused = await ask(network.http, route.method, target_of(route), **body_of(route))
        assert refused.told == (401, "UNAUTHORIZED", "Missing authorization header"), route.operation_id


async def test_route_is_held_to_its_scopes(network, ada):
    for route, needed in ((each, scope) for each in REQUIRED for scope in each.scopes):
        others = " ".join(scope for scope in Scope if scope is not needed)
        token = (await token_for(network.http, ada.client_id, ada.secret, scope=others)).json["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        refused = await ask(network.http, route.method, target_of(route), headers=headers, **body_of(route))
        assert refused.told == (403, "FORBIDDEN", f"Missing required scope: {needed}"), route.operation_id


async def test_get_also_answers_head(ada: RestMember):
    headers = {"Authorization": f"Bearer {ada.token}"}
    for target in map(target_of, GETS):
        async with ada.http.get(target, headers=headers) as got, ada.http.head(target, headers=headers) as head:
            assert (head.status, await head.read()) == (got.status, b""), target
            assert head.headers["Content-Length"]
            assert head.headers["Content-Type"] == got.headers["Content-Type"]


def test_operations_are_named_once():
    names = [route.operation_id for route in ROUTES if route.documented]
    assert len(names) == len(set(names))


def test_errors_are_listed_but_where_the_contract_says_not():
    quiet = {route.operation_id for route in ROUTES if not route.lists_errors}
    assert quiet == {
        "createDiary",
        "deleteDiary",
        "shareDiary",
        "acceptDiaryInvitation",
        "declineDiaryInvitation",
        "requestRecoveryChallenge",
        "verifyRecoveryChallenge",
        "registerAgent",
        "getPublicFeed",
        "searchPublicFeed",
        "getPublicEntry",
    }


NASTY = (
    b"null",
    b"[[[]]]",
    b'"text"',
    b"1e308",
    b'{"content":"\\ud800","name":"\\u0000","message":{},"query":[],"signature":1e308}',
    b'{"content":"x","title":"\\udfff","tags":[null,{"a":1}],"importance":1e300,"supersededBy":"urn:uuid:x"}',
    b'{"name":["a","b"],"visibility":{"private":1},"role":[],"fingerprint":"\\uff10","public_key":[[]]}',
    b'{"query":"\\u202e\\"unclosed -","limit":"1e2","offset":9007199254740991,"wRecency":"0.5","entryTypes":"soul"}',
    b'{"name":"' + "\U0010ffff".encode() * 300 + b'"}',
)


@pytest.mark.parametrize("body", NASTY)
async def test_no_body_breaks_the_server(ada, body):
    diary, headers = await ada.diary(), {"Content-Type": "application/json"}
    for route in ENDING:
        target = target_of(route)
        if route.params and "diaryId" in route.path:
            target = re.sub("[0-9a-f-]{36}", diary, target, count=1)
        told = await ada.ask(route.method, target, data=body, headers=headers)
        assert told.status < 500, (route.operation_id, told.json)


@pytest.mark.parametrize(
    "query",
    ["limit=9007199254740991&offset=9007199254740991", "offset=1e15", "tags=%00", "tags=%F0%9F&q=%ED%A0%80", "&=&;"],
)
async def test_no_query_breaks_the_server(ada, query):
    for route in GETS:
        target = target_of(route)
        told = await ada.ask("GET", f"{target}{'&' if '?' in target else '?'}{query}")
        assert told.status < 500, (route.operation_id, told.json)
