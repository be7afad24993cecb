"""Every text that JSON can carry comes back as it was sent, and is signed so; what no text can be is refused."""

import base64
import json

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from moltnet.domain.entries import written_tags
from tests.integration.wire.rows_keys import framed
from tests.support.strategies import texts

EXAMPLES = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
# Forms that look alike, order marks, unpaired joiners, line ends of all kinds, the last of all characters.
NASTY = "é é \ufeff\u200d\u202e\r\n\u2028\x85\x01\x7f\uffff\U0010ffff \t"
TARGETS = {
    "diary": ("POST", "/diaries", "name"),
    "renamed diary": ("PATCH", "/diaries/{shared}", "name"),
    "content": ("POST", "/diaries/{shared}/entries", "content"),
    "changed content": ("PATCH", "/diaries/{shared}/entries/{shared.entry}", "content"),
    "title": ("PATCH", "/diaries/{shared}/entries/{shared.entry}", "title"),
    "message": ("POST", "/crypto/signing-requests", "message"),
}
NO_TEXT = [r"\u0000", r"a\u0000b", r"\ud800", r"\udfff", r"\udc00\ud800", r"a\ud83d"]


async def ask(stage, method, target, text_of_body):
    data, headers = text_of_body.encode(), {"Content-Type": "application/json"}
    return await stage.ask(f"owner {method} {target}", data=data, headers=headers)


@EXAMPLES
@given(content=texts(300, least=1), title=texts(255), name=texts(255, least=1), tags=st.lists(texts(50), max_size=5))
@example(content=NASTY, title=NASTY, name=NASTY, tags=[NASTY, "", NASTY])
@example(content="\U0010ffff" * 300, title="\U0010ffff" * 255, name="\U0010ffff" * 255, tags=["\U0010ffff" * 50] * 20)
async def test_text_comes_back_as_it_was_sent(stage, content, title, name, tags):
    sent = {"content": content, "title": title, "tags": tags}
    stored = {**sent, "tags": list(written_tags(tags))}
    for escaped in (True, False):  # `\\u` escapes and raw characters say the same
        diary = await ask(stage, "POST", "/diaries", json.dumps({"name": name}, ensure_ascii=escaped))
        assert (diary.status, diary.json["name"]) == (201, name)
        place = f"/diaries/{diary.json['id']}"
        made = await ask(stage, "POST", f"{place}/entries", json.dumps(sent, ensure_ascii=escaped))
        assert made.status == 201, made.json
        read = (await stage.ask(f"owner GET {place}/entries/{made.json['id']}")).json
        listed = (await stage.ask(f"owner GET {place}/entries")).json["items"][0]
        assert {member: made.json[member] for member in sent} == stored
        assert {member: read[member] for member in sent} == stored
        assert {member: listed[member] for member in sent} == stored
        assert (await stage.ask(f"owner GET {place}")).json["name"] == name


@EXAMPLES
@given(message=texts(500, least=1), escaped=st.booleans())
@example(message=NASTY, escaped=False)
@example(message="m", escaped=False)
async def test_message_signs_as_it_was_sent(stage, message, escaped):
    made = await ask(stage, "POST", "/crypto/signing-requests", json.dumps({"message": message}, ensure_ascii=escaped))
    assert (made.status, made.json["message"]) == (201, message)
    assert made.json["signingInput"] == framed(message, made.json["nonce"])
    assert made.json["signingPayload"] == f"{message}.{made.json['nonce']}"
    key, one = stage.actors["owner"].key, f"/crypto/signing-requests/{made.json['id']}"
    signature = key.sign(base64.b64decode(made.json["signingInput"]))
    done = await stage.ask(f"owner POST {one}/sign", {"signature": signature})
    assert (done.status, done.json["valid"], done.json["message"]) == (200, True, message)
    assert (await stage.ask(f"owner GET {one}")).json == done.json


def test_signing_bytes_are_those_of_the_contract():
    expected = (
        "bW9sdG5ldDp2MQAAACBixmp6XdcMMUZhgGPDROUx5tS1njeYCEQ86WKzq9Y8WgAAACQ4ODBlODQwMC1lMjliLTQxZDQtYTcxNi00NDY2"
        "NTU0NDAwMDQ="
    )
    assert framed("m", "880e8400-e29b-41d4-a716-446655440004") == expected


@pytest.mark.parametrize("what", TARGETS)
async def test_what_no_text_can_be_is_refused(stage, what):
    method, target, member = TARGETS[what]
    for escape in NO_TEXT:
        refused = await ask(stage, method, target, f'{{"{member}":"{escape}"}}')
        assert (refused.status, refused.json["code"]) == (400, "VALIDATION_FAILED"), refused.json
        assert refused.json["detail"].startswith(f"body/{member} must")


async def test_tag_no_text_can_be_is_refused(stage):
    for escape in NO_TEXT:
        body = f'{{"content":"x","tags":["a","{escape}"]}}'
        refused = await ask(stage, "POST", "/diaries/{shared}/entries", body)
        assert (refused.status, refused.json["code"]) == (400, "VALIDATION_FAILED")
        assert refused.json["detail"].startswith("body/tags/1 must")
