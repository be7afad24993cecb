"""The operations of the OpenAPI document, as it is served, and a good request for each of them."""

import re
from typing import Any

import attrs
from aiohttp.test_utils import TestClient

# What the ids of a path mean, by the operation's tag or the path's own words; first match counts.
_IDS = (
    (r"^/diaries/invitations/\{id\}", "{invitation}"),
    (r"^/diaries/", "{shared}"),
    (r"^/crypto/signing-requests/", "{request}"),
    (r"^/records/", "{unknown}"),
    (r"^/public/entry/", "{public.entry}"),
    (r"^/log/leaves/", "0"),
)
# Where the document's own example would name somebody who is not there.
_BODIES: dict[str, Any] = {
    "shareDiary": {"fingerprint": "{guest.fingerprint}"},
    "updateDiaryEntry": {"title": "another title"},
    "searchDiary": {"diaryId": "{shared}", "query": "harbour"},
    "registerAgent": {"public_key": "{newcomer.key}", "voucher_code": "{voucher}"},
    "submitSignature": {"signature": "{signature}"},
    "reportLostKey": {"payload": "e30=", "signature": "x"},
    "rotateKey": {"payload": "e30=", "formerSignature": "x", "signature": "x"},
    "prepareRecord": {"content": "What is signed"},
    "prepareRemoval": {"entryId": "{shared.entry}"},
    "getOAuth2Token": {
        "grant_type": "client_credentials",
        "client_id": "{owner.client}",
        "client_secret": "{owner.secret}",
    },
}
_ONCE = {
    "acceptDiaryInvitation",
    "declineDiaryInvitation",
    "submitSignature",
    "registerAgent",
    "rotateClientSecret",
}
_REQUIRED_QUERIES = {"diaryId": "{shared}", "q": "harbour"}


@attrs.frozen(kw_only=True)
class Operation:
    """One operation; `scopes` is None where no token is read."""

    operation_id: str
    method: str
    path: str
    parameters: tuple[dict[str, Any], ...]
    body: Any
    scopes: tuple[str, ...] | None
    responses: dict[str, Any]

    @property
    def target(self) -> str:
        """A target that names what a stage has: its braces are names of the stage's."""
        ids = next((name for pattern, name in _IDS if re.match(pattern, self.path)), "")
        places = {"entryId": "{shared.entry}", "type": "not-found", "fingerprint": self._fingerprint}
        path = re.sub(r"\{(\w+)\}", lambda found: places.get(found[1], ids), self.path)
        needed = [each["name"] for each in self.parameters if each["in"] == "query" and each["required"]]
        query = "&".join(f"{name}={_REQUIRED_QUERIES[name]}" for name in needed)
        return f"{path}?{query}" if query else path

    @property
    def happens_once(self) -> bool:
        """Whether a request that succeeds changes what later requests are answered."""
        return self.method == "DELETE" or self.operation_id in _ONCE

    @property
    def _fingerprint(self) -> str:
        return "{reader.fingerprint}" if "/share/" in self.path else "{owner.fingerprint}"


async def document_of(http: TestClient[Any, Any]) -> dict[str, Any]:
    """The document that a server serves."""
    async with http.get("/openapi.json") as answer:
        return dict(await answer.json())


def operations(document: dict[str, Any]) -> list[Operation]:
    """Every operation, in the document's order."""
    return [
        _operation(method.upper(), path, told)
        for path, methods in document["paths"].items()
        for method, told in methods.items()
    ]


def _operation(method: str, path: str, told: dict[str, Any]) -> Operation:
    content = told.get("requestBody", {}).get("content", {})
    example = content.get("application/json", {}).get("example")
    bearer = next((each["bearerAuth"] for each in told["security"] if each), None)
    return Operation(
        operation_id=told["operationId"],
        method=method,
        path=path,
        parameters=tuple(told.get("parameters", ())),
        body=_BODIES.get(told["operationId"], example),
        scopes=None if bearer is None else tuple(bearer),
        responses=told["responses"],
    )
