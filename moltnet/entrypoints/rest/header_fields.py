"""The header fields that routes read and answer with, as the OpenAPI document declares them."""

from collections.abc import Mapping
from types import MappingProxyType

from moltnet.domain.idempotency import IDEMPOTENCY_RECORD_LIFETIME, KEY_MAX
from moltnet.domain.registration import SECRET_KEY_MIN
from moltnet.entrypoints.rest.conditions import ETAG, IF_MATCH
from moltnet.entrypoints.rest.idempotency import IDEMPOTENCY_KEY, REPLAYED
from moltnet.entrypoints.rest.routing import AnyRoute
from moltnet.entrypoints.schema.document import JsonSchema

_VERSION = '"0192f0c1a2b37c4d8e5f60718293a4b5.648e5a1f3c2d0"'
_HOURS = int(IDEMPOTENCY_RECORD_LIFETIME.total_seconds()) // 3600

_IF_MATCH: Mapping[str, object] = MappingProxyType(
    {
        "name": IF_MATCH,
        "in": "header",
        "required": False,
        "description": f"Make the change only if the thing still has this {ETAG}; otherwise the answer is 412",
        "schema": {"type": "string"},
        "example": _VERSION,
    }
)
_KEY: Mapping[str, object] = MappingProxyType(
    {
        "name": IDEMPOTENCY_KEY,
        "in": "header",
        "required": False,
        "description": (
            f"A new text for every request; sent again within {_HOURS} hours, the same request is not carried out "
            "again but gets its first answer, and another request under the same key gets 422"
        ),
        "schema": {"type": "string", "minLength": 1, "maxLength": KEY_MAX, "pattern": "^[!-~]+$"},
        "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
    }
)
_CALLERS_KEY: Mapping[str, object] = MappingProxyType(
    {
        "name": IDEMPOTENCY_KEY,
        "in": "header",
        "required": False,
        "description": (
            "A secret text of the caller's: while nobody has used the credentials, the same request with the same key "
            "is answered fresh ones"
        ),
        "schema": {"type": "string", "minLength": SECRET_KEY_MIN, "maxLength": KEY_MAX, "pattern": "^[!-~]+$"},
        "example": "5f1b2c1e-0c55-4f0e-9d63-1b8b1d1c7a52",
    }
)
_ETAG: Mapping[str, object] = MappingProxyType(
    {"description": f"The version of the thing, for {IF_MATCH}", "schema": {"type": "string"}, "example": _VERSION}
)
_REPLAYED: Mapping[str, object] = MappingProxyType(
    {
        "description": f"There when the {IDEMPOTENCY_KEY} was known, and this is the first answer again",
        "schema": {"type": "string", "const": "true"},
    }
)


def read_fields(route: AnyRoute) -> list[JsonSchema]:
    """The header parameters of a route."""
    fields = ((route.takes_condition, _IF_MATCH), (route.idempotent, _KEY), (route.recognises_caller, _CALLERS_KEY))
    return [dict(field) for is_included, field in fields if is_included]


def answered_fields(route: AnyRoute) -> JsonSchema:
    """The headers of a route's good answers, by name."""
    fields = ((route.versioned and route.method != "DELETE", ETAG, _ETAG), (route.idempotent, REPLAYED, _REPLAYED))
    return {name: dict(field) for there, name, field in fields if there}
