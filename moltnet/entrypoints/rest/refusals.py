"""What this endpoint refuses itself, before any use case is asked."""

from collections.abc import Sequence
from typing import ClassVar

from moltnet.entrypoints.schema.validate import Fault


class Refusal(Exception):
    """A request that this endpoint does not let in; `detail`, else its `sentence`, is for the client."""

    status: ClassVar[int] = 400
    sentence: ClassVar[str] = ""

    def __init__(self, detail: str | None = None) -> None:
        self.detail = self.sentence if detail is None else detail
        super().__init__(self.detail)


class MalformedBody(Refusal):
    """A body that is not what its content type says."""


class MalformedMessage(Refusal):
    """A malformed HTTP request (RFC 9112)."""

    sentence = "The request is not well-formed HTTP"


class HeaderTooLarge(Refusal):
    """A request line or header field longer than this server reads (RFC 6585 §5)."""

    status = 431
    sentence = "The request line or a header field is too long"


class MalformedHeader(Refusal):
    """A header field that is not written as its standard says."""


class InvalidRequest(Refusal):
    """Path, body or query do not have the shape the route declares."""

    def __init__(self, part: str, faults: Sequence[Fault], *, lists_faults: bool) -> None:
        """`part` is `params`, `body` or `querystring`; `lists_faults` says whether the answer lists each fault."""
        super().__init__(", ".join(f"{part}{fault.pointer} {fault.message}" for fault in faults))
        self.reported_faults = tuple(faults) if lists_faults else ()


class BodyTooLarge(Refusal):
    """A body of more bytes than any route takes."""

    status = 413
    sentence = "Request body is too large"


class UnsupportedMediaType(Refusal):
    """A body in a form no route reads."""

    status = 415

    def __init__(self, content_type: str | None) -> None:
        super().__init__(f"Unsupported Media Type: {content_type or 'undefined'}")


class EncodedBody(Refusal):
    """A body that is compressed, or otherwise encoded: nothing is unpacked here (RFC 9110 §15.5.16)."""

    status = 415
    sentence = "Request bodies must not have a Content-Encoding"


class BodyTooSlow(Refusal):
    """A body that does not arrive in its time (RFC 9110 §15.5.9)."""

    status = 408
    sentence = "The request body did not arrive in time"


class BodyInterrupted(Refusal):
    """A client that went away before its body was complete."""

    sentence = "The connection ended before the request body was complete"


class MisdirectedRequest(Refusal):
    """A Host that this server is not known by (RFC 9110 §15.5.20)."""

    status = 421
    sentence = "This server is not known by that host name; its operator can add the name to MOLTNET_ALLOWED_HOSTS"


class ForeignOrigin(Refusal):
    """A browser speaks for a site that is not on the list (the original answered 500 here)."""

    status = 403
    sentence = "Requests from this origin are not allowed"


class TooManyRequests(Refusal):
    """More requests within a window than the operation allows (docs/reference/http.md, "Rate limits")."""

    status = 429

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"Too many requests. Please retry after {retry_after_s} seconds.")
        self.retry_after_s = retry_after_s


class UnreadableTarget(Refusal):
    """A path with malformed escapes, or escapes that do not decode to text."""

    sentence = "The path is not a valid url component"


class UnknownRoute(Refusal):
    """No route has this method and path."""

    status = 404
    sentence = "Not Found"
