"""Client assertions as an agent signs them, and as nobody should."""

import base64
import json
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from moltnet.ports.keys import KeyPair


def assertion_claims(client_id: UUID | str, audience: object, at: datetime) -> dict[str, Any]:
    """What the official package's clients say."""
    now = int(at.timestamp())
    told = {"iss": str(client_id), "sub": str(client_id), "aud": audience}
    return {**told, "exp": now + 300, "iat": now, "jti": str(uuid4())}


def signed_assertion(key: KeyPair, claims: object, **header: object) -> str:
    """A JSON Web Token of these claims, signed by a key whatever the header says."""
    parts = [encoded(json.dumps(each).encode()) for each in ({"alg": "EdDSA", "typ": "JWT"} | header, claims)]
    signature = base64.b64decode(key.sign(".".join(parts).encode()))
    return ".".join([*parts, encoded(signature)])


def encoded(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
