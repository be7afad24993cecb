"""The shapes of answers: K is that of Kratos and Keto, H that of Hydra (docs/reference/ory.md, "Calls")."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from aiohttp import web

UNCACHED = {"Cache-Control": "private, no-cache, no-store, must-revalidate"}


def reply(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """JSON as Kratos, Keto and Hydra's admin side answer it."""
    return web.Response(
        status=status,
        body=json.dumps(body).encode(),
        headers={"Content-Type": "application/json; charset=utf-8", **(headers or {})},
    )


def error_form(status: int, reason: str | None = None, **members: Any) -> dict[str, Any]:
    """What a refusal of Kratos or Keto says."""
    phrase = HTTPStatus(status).phrase
    told = {"code": status, "status": phrase, "message": phrase} | ({"reason": reason} if reason else {})
    return {"error": told | members}


def error_k(
    status: int, reason: str | None = None, *, headers: Mapping[str, str] | None = None, **members: Any
) -> web.Response:
    """A refusal of Kratos or Keto."""
    told = {"Content-Type": "application/json", **(headers or {})}
    return reply(error_form(status, reason, **members), status, told)


def error_h(
    status: int, error: str, description: str = "", *, headers: Mapping[str, str] | None = None
) -> web.Response:
    """A refusal of Hydra."""
    told = {"Content-Type": "application/json", **(headers or {})}
    return reply({"error": error, "error_description": description}, status, told)


async def json_body(request: web.Request) -> Any:
    """The JSON of a request; None when it is none."""
    try:
        return json.loads(await request.text())
    except ValueError:
        return None


def patched(document: dict[str, Any], patch: Any) -> dict[str, Any]:
    """A document after a JSON Patch of `replace`, `add` and `remove` (RFC 6902)."""
    changed: dict[str, Any] = json.loads(json.dumps(document))
    for step in patch:
        *way, last = [part.replace("~1", "/").replace("~0", "~") for part in str(step["path"]).split("/")[1:]]
        place = changed
        for part in way:
            place = place.setdefault(part, {})
        if step["op"] == "remove":
            place.pop(last, None)
        else:
            place[last] = step["value"]
    return changed
