"""Headers of every page. The content security policy allows nothing that is not a file of this server's own."""

from types import MappingProxyType

PAGE_HEADERS = MappingProxyType(
    {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": (
            "default-src 'none';script-src 'self';style-src 'self';img-src 'self';connect-src 'self';"
            "manifest-src 'self';form-action 'self';frame-ancestors 'none';base-uri 'none';"
            "require-trusted-types-for 'script';trusted-types 'none'"
        ),
        "Cache-Control": "no-cache",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
        "Referrer-Policy": "same-origin",
    }
)

_POLICY = "Content-Security-Policy"
# Of a page that has a script work beside it: it may name that script, and no other address.
WITH_WORKER = MappingProxyType(
    {_POLICY: PAGE_HEADERS[_POLICY].replace("trusted-types 'none'", "trusted-types moltnet-worker")}
)


def prefers_html(accept: str) -> bool:
    """Whether an Accept field (RFC 9110 §12.5.1) names HTML, and JSON not before it."""
    return _weight(accept, "text/html") > 0 and _weight(accept, "text/html") >= _weight(accept, "application/json")


def _weight(accept: str, media_type: str) -> float:
    for part in accept.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        if name == media_type:
            weights = [each[2:] for each in parameters if each.startswith("q=")]
            try:
                return float(weights[0]) if weights else 1.0
            except ValueError:
                return 0.0
    return 0.0
