"""What version 1 of the official package sends, replayed: it cannot be installed beside version 2.

Recorded by `other_clients/mcp_1.py` with version 1.30.0. Statuses are held to what that client was answered; what it
reads of answers is checked here.
"""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

import attrs
import pytest

from tests.integration.mcp.conftest import McpNetwork
from tests.integration.rest.members import Reply, RestMember, ask
from tests.support.assertions import assertion_claims, signed_assertion
from tests.support.commands import text_of

RECORDED = json.loads(text_of(Path(__file__).parent / "other_clients" / "mcp_1.json"))


@attrs.define
class Replay:
    """A client that says what was recorded, with what differs filled in."""

    network: McpNetwork
    member: RestMember
    token: str
    session: str = ""

    async def send(self, exchange: dict) -> Reply:
        headers = {name: self.filled(value) for name, value in exchange["headers"].items()}
        body = self.filled(exchange["body"])
        answer = await ask(self.network.http, exchange["method"], exchange["path"], headers=headers, data=body or None)
        self.session = answer.headers.get("Mcp-Session-Id", self.session)
        if exchange["path"] == "/oauth2/token" and answer.status == 200:
            self.token = answer.json["access_token"]
        return answer

    def filled(self, text: str) -> str:
        pair = f"{self.member.client_id}:{self.member.secret}"
        for name, value in (
            ("Basic <credentials>", "Basic " + base64.b64encode(pair.encode()).decode()),
            ("Bearer <credentials>", f"Bearer {self.token}"),
            ("<assertion>", self.assertion),
            ("<client_id>", self.member.client_id),
            ("<secret>", self.member.secret),
            ("<session>", self.session),
            ("<url>", self.network.url),
        ):
            text = text.replace(name, value)
        return text

    @property
    def assertion(self) -> str:
        claims = assertion_claims(self.member.client_id, self.network.url, datetime.now(UTC))
        return signed_assertion(self.member.key, claims)


@pytest.mark.parametrize("way", RECORDED["exchanges"])
async def test_it_is_answered_as_it_was(serve, way):
    network = await serve(at_its_own_address=True)
    ada = await network.member()
    replay, answers = Replay(network, ada, ada.token), {}
    for exchange in RECORDED["exchanges"][way]:
        answer = await replay.send(exchange)
        assert answer.status == exchange["status"], (exchange, answer)
        if exchange["path"] == "/mcp" and answer.json is not None and answer.status == 200:
            answers[exchange["body"]] = answer.json["result"]
    results = [json.loads(result["content"][0]["text"]) for result in answers.values() if "content" in result]
    if way == "post":
        assert results == []  # that version leaves the client's id out of the form
        return
    identity, _, found, failed = results
    assert identity["identity"]["fingerprint"] == ada.fingerprint
    assert found["results"][0]["content"] == "The deploy failed"
    assert "error" in failed


def test_the_recording_holds_no_secret():
    text = json.dumps(RECORDED)
    assert RECORDED["version"].startswith("1.")
    assert "eyJ" not in text
    assert "Basic <credentials>" in text
