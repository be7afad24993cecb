"""What is read of Kratos' answers; None for what is absent or malformed."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from moltnet.domain.ids import AgentId, parse_uuid


def identity_id(identity: Any) -> AgentId | None:
    """The id of an identity."""
    text = identity.get("id") if isinstance(identity, dict) else None
    found = parse_uuid(text) if isinstance(text, str) else None
    return AgentId(found) if found is not None else None


def flow_in(link: Any) -> str | None:
    """The flow that a link leads to."""
    flows = parse_qs(urlsplit(link).query).get("flow", []) if isinstance(link, str) else []
    found = parse_uuid(flows[0]) if flows else None
    return str(found) if found is not None else None


def session_in(steps: Any) -> str | None:
    """The token of the session that a passed flow continues with."""
    for step in steps if isinstance(steps, list) else []:
        token = step.get("ory_session_token") if isinstance(step, dict) else None
        if isinstance(token, str):
            return token
    return None


def time_of(text: Any) -> datetime | None:
    """A time, in UTC where it says nothing else."""
    try:
        read = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)
