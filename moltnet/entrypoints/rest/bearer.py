"""The Authorization header: whose token it carries (rest.md §2)."""

from collections.abc import Mapping

from moltnet.domain.errors import Unauthenticated

_SCHEME = "Bearer"


def token_of(headers: Mapping[str, str]) -> str | None:
    """The bearer token of a request, None when the header is absent or empty.

    Raises Unauthenticated for another scheme (`bearer` is one: the original compares by case) and for anything but one
    word after it.
    """
    header = headers.get("Authorization", "")
    if not header:
        return None
    # Servers strip a header's end, so `Bearer ` with nothing behind it arrives as the bare word.
    scheme, *words = header.split(" ")
    if scheme != _SCHEME:
        raise Unauthenticated("Invalid authorization scheme")
    if len(words) != 1 or not words[0]:
        raise Unauthenticated("Missing authorization header")
    return words[0]
