"""How a client without credentials is asked to sign in (ADR-35).

The protocol's way is HTTP 401 with a challenge in `WWW-Authenticate`: there the official packages and Claude begin
their login. Some clients look for the same challenge in a result instead. They are known by their name, which they say
in the first message of a session, or with every request.
"""

from collections.abc import Mapping

# The protocol's extension by which a client signs in with credentials of its own; told to clients of its later era.
CLIENT_CREDENTIALS = "io.modelcontextprotocol/oauth-client-credentials"
RESULT_CHALLENGE = "mcp/www_authenticate"
_CLIENT_INFO = "io.modelcontextprotocol/clientInfo"
# How OpenAI's clients begin their names, in `clientInfo` and in `User-Agent`.
_READ_RESULTS = ("openai-mcp", "chatgpt")


def reads_challenges_in_results(headers: Mapping[str, str], message: object) -> bool:
    """Whether the sender of a message looks for a challenge in the result; of one that says no name, no."""
    params = _member(message, "params")
    info = _member(_member(params, "_meta"), _CLIENT_INFO) or _member(params, "clientInfo")
    names = (headers.get("User-Agent", ""), _member(info, "name"))
    return any(isinstance(name, str) and name.lower().startswith(_READ_RESULTS) for name in names)


def _member(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None
