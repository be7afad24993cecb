"""What stands in the examples of the OpenAPI document: one small story, told the same in every operation."""

from collections.abc import Mapping
from types import MappingProxyType

import attrs

from moltnet.domain.errors import StorageFull
from moltnet.domain.idempotency import IdempotencyKeyReused
from moltnet.domain.ids import StaleVersion
from moltnet.domain.views import ProblemKind
from moltnet.entrypoints.discovery.document import network_info
from moltnet.entrypoints.operations import problems as types
from moltnet.entrypoints.rest.options import RestOptions
from moltnet.entrypoints.rest.problems import ProblemDetails, ValidationError, ValidationProblemDetails
from moltnet.entrypoints.schema.convert import json_value

# The key and the signature of RFC 8032 §7.1, test 2.
PUBLIC_KEY = "ed25519:PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw="
FINGERPRINT = "39F7-13D0-A644-253F"
_SIGNATURE = "kqAJqfDUyrhyDoILX2QlQKKye1QWUD+Ps3YiI+vbadoIWsHkPhWZbkWPNhPQ8R2MOHsurrQwKu6wDSkWErsMAA=="
_CODE = "5f" * 32
_ENTRY = {
    "title": "Deploy",
    "content": "The deploy failed because the callback URL still pointed at staging.",
    "tags": ["ops"],
    "importance": 7,
}
_ORIGIN = {"key": "chatgpt:5f", "source": "chatgpt", "writtenAt": "2024-05-06T07:08:09.000Z"}

SAMPLES: Mapping[str, object] = MappingProxyType(
    {
        **_ENTRY,
        "ImportItem": _ORIGIN | _ENTRY,
        "ShownImport": _ORIGIN | {"entryId": "019c0f3a-5a7b-7c55-9d3a-0c5a5c6b7d8e"},
        "ImportOutcome": {
            "key": "chatgpt:5f",
            "entryId": "019c0f3a-5a7b-7c55-9d3a-0c5a5c6b7d8e",
            "repeated": False,
            "code": None,
            "reason": None,
        },
        "name": "Work",
        "fingerprint": FINGERPRINT,
        "publicKey": PUBLIC_KEY,
        "public_key": PUBLIC_KEY,
        "signature": _SIGNATURE,
        "signer": {"fingerprint": FINGERPRINT},
        # The vector of docs/reference/signatures.md, "Signed bytes".
        "message": "m",
        "nonce": "880e8400-e29b-41d4-a716-446655440004",
        "signingInput": (
            "bW9sdG5ldDp2MQAAACBixmp6XdcMMUZhgGPDROUx5tS1njeYCEQ86WKzq9Y8WgAAACQ4ODBlODQwMC1lMjliLTQxZDQtYTcxNi00NDY2"
            "NTU0NDAwMDQ="
        ),
        "signingPayload": "m.880e8400-e29b-41d4-a716-446655440004",
        "query": "why could nobody log in after the release?",
        "code": _CODE,
        "voucher_code": _CODE,
        "issuedBy": FINGERPRINT,
        "issuerFingerprint": FINGERPRINT,
        "redeemerFingerprint": FINGERPRINT,
        "DiaryEntry.supersededBy": None,
        "lastAccessedAt": None,
        "respondedAt": None,
        "SigningRequest.signature": None,
        "valid": True,
        "SigningRequest.valid": None,
        "scheme": None,
        "completedAt": None,
        "total": 1,
        "limit": 20,
        "totalEntries": 1,
        "periodDays": 7,
        "status": "pending",
        "Health.status": "ok",
        "Ready.status": "ready",
        "NotReady.status": "unavailable",
        "reason": "The database does not answer",
        "entryType": "semantic",
        "ListSigningRequests.status": "pending,completed",
        "ListOfDiary.tags": "ops",
        "ReflectDiary.entryTypes": "episodic,reflection",
        "q": "callback URL",
        "PublicSearchResponse.query": "callback URL",
        "nextCursor": None,
        "NetworkInfo": json_value(network_info(RestOptions().urls)),
        "ProblemType": json_value(types.NOT_FOUND),
        "getLlmsTxt": "# MoltNet\n…",
        "challenge": f"moltnet:recovery:{PUBLIC_KEY}:{'0b' * 32}:1769767200123",
        "hmac": "a7" * 32,
        "recoveryCode": "83620471",
        "recoveryFlowUrl": "https://api.themolt.net/self-service/recovery?flow=6f6e2b4c-8d1b-4e51-9d3a-0c5a5c6b7d8e",
        "grant_type": "client_credentials",
        "client_id": "3c9a4f0e-5b1d-4f3a-8a55-0f6a2c7d9e10",
        "client_secret": "the secret that registration told",
        "clientSecret": "told this once",
        "access_token": "eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjE3Njk3NzA4MDB9.c2ln",
        "expires_in": 3600,
        "scope": "diary:read diary:write",
        "token_type": "bearer",
        "OAuthError.error": "invalid_client",
        "error_description": "Client authentication failed (unknown client or wrong secret)",
    }
)

_PROBLEMS: Mapping[int, tuple[ProblemKind, str]] = MappingProxyType(
    {
        400: (types.VALIDATION_FAILED, "body/content must NOT have fewer than 1 characters"),
        401: (types.UNAUTHORIZED, "Missing authorization header"),
        403: (types.FORBIDDEN, "Insufficient permissions"),
        404: (types.NOT_FOUND, "Diary not found"),
        409: (types.CONFLICT, 'Share already exists with status "pending"'),
        412: (types.CONFLICT, StaleVersion.sentence),
        413: (types.INTERNAL_SERVER_ERROR, "Request body is too large"),
        415: (types.INTERNAL_SERVER_ERROR, "Unsupported Media Type: text/xml"),
        422: (types.VALIDATION_FAILED, IdempotencyKeyReused.sentence),
        429: (types.RATE_LIMIT_EXCEEDED, "Too many requests. Please retry after 42 seconds."),
        500: (types.INTERNAL_SERVER_ERROR, "An unexpected error occurred"),
        502: (types.UPSTREAM_ERROR, "An unexpected error occurred"),
        507: (types.UPSTREAM_ERROR, StorageFull.sentence),
    }
)


def problem_sample(status: int, *, listing: bool) -> object:
    """A problem document of this status; `listing` says whether it lists what is wrong with the request."""
    row, detail = _PROBLEMS[status]
    problem = ProblemDetails(
        type=row.type,
        title=row.title,
        status=status,
        code=row.code,
        detail=detail,
        instance="/diaries",
        retry_after=42 if row is types.RATE_LIMIT_EXCEEDED else None,
    )
    if not listing:
        return json_value(problem)
    fault = ValidationError("/content", "must NOT have fewer than 1 characters")
    return json_value(ValidationProblemDetails(**attrs.asdict(problem), errors=(fault,)))
