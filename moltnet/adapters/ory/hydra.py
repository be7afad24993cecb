"""Questions to Hydra that clients and tokens share."""

import re
from typing import Any

from ory_client import OAuth2Api

from moltnet.adapters.ory.service import OryService, malformed

GRANT_TYPE = "client_credentials"
# What stays one segment of a path, whatever joins it: neither empty nor made of dots alone.
_CLIENT_ID = re.compile(r"(?=[^.])[A-Za-z0-9._~-]{1,255}")


def is_client_id(text: str) -> bool:
    """Whether a text can be the id of a client."""
    return _CLIENT_ID.fullmatch(text) is not None


async def a_client(admin: OryService, client_id: str) -> dict[str, Any] | None:
    """A client as Hydra has it, never its secret; None when there is none."""
    call = "look up a client"
    reply = await admin.call(
        call,
        lambda client, timeout: OAuth2Api(client).get_o_auth2_client_without_preload_content(
            client_id, _request_timeout=timeout
        ),
        {200, 404},
    )
    if reply.status == 404:  # noqa: PLR2004  # HTTP's own number
        return None
    found = reply.json()
    if not isinstance(found, dict):
        raise malformed(admin, call)
    return found
