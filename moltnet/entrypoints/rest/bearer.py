"""The Authorization header: whose token it carries (docs/reference/http.md, "Authentication")."""

from collections.abc import Mapping

from moltnet.domain.errors import Unauthenticated

_SCHEME = "bearer"


def token_of(headers: Mapping[str, str]) -> str | None:
    """The bearer token of a request, None when the header is absent or empty.

    The scheme is taken in any case, with any number of spaces behind it (RFC 9110 §11.1 and §11.4). Raises
    Unauthenticated for another scheme and for anything but one word after it.
    """
    header = headers.get("Authorization", "")
    if not header:
        return None
    # Servers strip a header's end, so `Bearer ` with nothing behind it arrives as the bare word.
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != _SCHEME:
        raise Unauthenticated("Invalid authorization scheme")
    token = rest.strip(" ")
    if not token or " " in token:
        raise Unauthenticated("Missing authorization header")
    return token
