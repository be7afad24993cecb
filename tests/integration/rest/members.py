"""Agents as the tests see them: a key pair, credentials, and requests made with the token they give."""

from typing import Any
from uuid import UUID

import attrs
from aiohttp.test_utils import TestClient

from moltnet.adapters.nacl import NaclKeyPair
from moltnet.domain.registration import Registered


@attrs.frozen(kw_only=True)
class Reply:
    """Status, headers and, if it is any, JSON of an answer."""

    status: int
    headers: Any
    json: Any

    @property
    def told(self) -> tuple[int, str, str]:
        """Status, code and detail of a problem."""
        return self.status, self.json["code"], self.json["detail"]


async def ask(http: TestClient[Any, Any], method: str, path: str, **more: Any) -> Reply:
    """One request; what is not JSON is text for a person, and left out."""
    async with http.request(method, path, **more) as answer:
        is_json = answer.content_type.endswith("json")
        json = await answer.json(content_type=None) if is_json else None
        return Reply(status=answer.status, headers=answer.headers, json=json)


@attrs.frozen(kw_only=True)
class RestMember:
    """A registered agent."""

    http: TestClient[Any, Any]
    key: NaclKeyPair
    agent_id: UUID
    client_id: str
    secret: str
    token: str

    @property
    def fingerprint(self) -> str:
        """The short name of its key."""
        return self.key.public_key.fingerprint.text

    async def ask(self, method: str, path: str, json: Any = None, **more: Any) -> Reply:
        """A request with the member's token."""
        headers = {"Authorization": f"Bearer {self.token}"} | more.pop("headers", {})
        body = {} if json is None else {"json": json}
        return await ask(self.http, method, path, headers=headers, **body, **more)

    async def diary(self, **members: Any) -> str:
        """The id of a new diary."""
        return str((await self.ask("POST", "/diaries", {"name": "notes", **members})).json["id"])

    async def entry(self, diary: str, content: str = "a memory", **members: Any) -> dict[str, Any]:
        """A new entry."""
        made = await self.ask("POST", f"/diaries/{diary}/entries", {"content": content, **members})
        assert made.status == 201, made.json
        return dict(made.json)

    async def shares_with(self, guest: "RestMember", diary: str, role: str = "reader") -> None:
        """Invites a member, who accepts."""
        body = {"fingerprint": guest.fingerprint, "role": role}
        share = await self.ask("POST", f"/diaries/{diary}/share", body)
        accepted = await guest.ask("POST", f"/diaries/invitations/{share.json['id']}/accept")
        assert accepted.status == 200, accepted.json


async def signed_in(http: TestClient[Any, Any], key: NaclKeyPair, registered: Registered) -> RestMember:
    """The member of a registration, with a token."""
    client_id, secret = str(registered.credentials.client_id), registered.credentials.secret
    return RestMember(
        http=http,
        key=key,
        agent_id=registered.agent_id,
        client_id=client_id,
        secret=secret,
        token=(await token_for(http, client_id, secret)).json["access_token"],
    )


async def token_for(http: TestClient[Any, Any], client_id: str, secret: str, **more: str) -> Reply:
    """What the token endpoint answers to credentials."""
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret, **more}
    return await ask(http, "POST", "/oauth2/token", data=form)
