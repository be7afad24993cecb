"""A stand-in for Hydra: clients, tokens that are really signed, the token hook.

Source: docs/reference/ory.md, "Hydra calls" and "Tokens".
"""

import functools
import hashlib
import hmac
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias
from uuid import uuid4

import attrs
from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey, KeyParameters, RSAKey

from tests.support.ory.replies import UNCACHED, error_h, json_body, patched, reply

SigningKey: TypeAlias = RSAKey | ECKey
TokenHook: TypeAlias = Callable[[Mapping[str, Any]], Awaitable[tuple[int, Mapping[str, Any] | None]]]
LIFETIME = timedelta(hours=1)
RECORDING = Path(__file__).parent / "recorded" / "deployed.json"
HOOK_TRIES = 3
TOP_LEVEL_CLAIMS = frozenset({"moltnet:identity_id", "moltnet:public_key", "moltnet:fingerprint"})
_GRANTS = {
    "authorization_code_grant": ("access", "id", "refresh"),
    "client_credentials_grant": ("access",),
    "device_authorization_grant": ("access", "id", "refresh"),
    "implicit_grant": ("access", "id"),
    "jwt_bearer_grant": ("access",),
    "refresh_token_grant": ("access", "id", "refresh"),
}
# What a client has that nobody set: answered as Hydra does, empty or null.
_UNSET: dict[str, Any] = {
    **dict.fromkeys(("client_name", "scope", "owner", "policy_uri", "tos_uri", "client_uri", "logo_uri"), ""),
    **{each: [] for each in ("redirect_uris", "grant_types", "response_types", "audience", "allowed_cors_origins")},
    **{f"{grant}_{kind}_token_lifespan": None for grant, kinds in _GRANTS.items() for kind in kinds},
    "contacts": [],
    "client_secret_expires_at": 0,
    "subject_type": "public",
    "jwks": {},
    "token_endpoint_auth_method": "client_secret_basic",
    "userinfo_signed_response_alg": "none",
    "metadata": {},
    "access_token_strategy": "",
    "skip_consent": False,
    "skip_logout_consent": None,
}
# The headers of the library that answers for tokens.
OF_FOSITE = {"Content-Type": "application/json;charset=UTF-8", "Cache-Control": "no-store"}
_TAKEN = "Unable to insert or update resource because a resource with that value exists already"
_UNKNOWN = "Unable to locate the resource"
_BAD_CLIENT = "Client authentication failed (e.g., unknown client, no client authentication included)"


@functools.cache
def _recorded(call: str) -> dict[str, Any]:
    """The body of a recorded answer (tests/support/ory/recording.py)."""
    return dict(json.loads(RECORDING.read_bytes())["answers"][call]["body"])


@functools.cache
def a_key(kid: str, alg: str = "RS256") -> SigningKey:
    """A key of this id, made once."""
    parameters: KeyParameters = {"kid": kid, "use": "sig", "alg": alg}
    if alg == "ES256":
        return ECKey.generate_key("P-256", parameters, private=True)
    return RSAKey.generate_key(2048, parameters, private=True)


@attrs.define
class _Issued:
    claims: dict[str, Any]
    kid: str | None = None
    active: bool = True


@attrs.define(kw_only=True)
class Hydra:
    """`keys` are those of access tokens, the newest first, which signs; `id_token_key` is listed after them.

    `grants_scopes` is `client_credentials.default_grant_allowed_scope`; `skew` is how far its clock goes ahead.
    """

    clock: Callable[[], datetime]
    issuer: str
    clients: dict[str, dict[str, Any]] = attrs.field(factory=dict)
    keys: list[SigningKey] = attrs.field(factory=lambda: [a_key("access-1")])
    id_token_key: SigningKey = attrs.field(factory=lambda: a_key("id-1"))
    token_hook: TokenHook | None = None
    top_level_claims: frozenset[str] = TOP_LEVEL_CLAIMS
    grants_scopes: bool = True
    strategy: str = "opaque"
    default_scope: str = "offline_access offline openid"
    skew: timedelta = timedelta()
    issued: dict[str, _Issued] = attrs.field(factory=dict)
    _secrets: dict[str, bytes] = attrs.field(factory=dict)

    def public_routes(self) -> list[web.RouteDef]:
        """What Hydra answers on its public port."""
        return [
            web.post("/oauth2/token", self.token, name="H7"),
            web.get("/.well-known/jwks.json", self.published, name="H11"),
            web.get("/.well-known/openid-configuration", self.configuration, name="discovery"),
        ]

    def admin_routes(self) -> list[web.RouteDef]:
        """What Hydra answers on its admin port."""
        return [
            web.post("/admin/clients", self.create, name="H1"),
            web.get("/admin/clients", self.list_clients, name="H6"),
            web.get("/admin/clients/{id}", self.get, name="H2"),
            web.patch("/admin/clients/{id}", self.patch, name="H4"),
            web.delete("/admin/clients/{id}", self.delete, name="H5"),
            web.post("/admin/oauth2/introspect", self.introspect, name="H8"),
            web.delete("/admin/oauth2/tokens", self.end_tokens, name="H9"),
            web.post("/admin/keys/hydra.jwt.access-token", self.create_key, name="H13"),
        ]

    def rotate_keys(self, key: SigningKey) -> None:
        """A newer key: it signs at once, the older stay listed."""
        self.keys.insert(0, key)

    def sign(self, claims: Mapping[str, Any], *, key: SigningKey | None = None, **header: Any) -> str:
        """A token that says anything."""
        key = key or self.keys[0]
        told = {"alg": str(key.alg), "kid": str(key.kid), "typ": "JWT"} | header
        said = {name: value for name, value in told.items() if value is not None}
        return jwt.encode(said, dict(claims), key, algorithms=["RS256", "ES256"])

    def claims(self, client_id: str, at: datetime, **more: Any) -> dict[str, Any]:
        """What a token of a client says, without the hook's part."""
        now = int((at + self.skew).timestamp())
        return {
            "iss": self.issuer,
            "sub": client_id,
            "client_id": client_id,
            "aud": [],
            "scp": [],
            "iat": now,
            "nbf": now,
            "exp": now + int(LIFETIME.total_seconds()),
            "jti": str(uuid4()),
        } | more

    async def create(self, request: web.Request) -> web.Response:
        """H1."""
        body = await json_body(request)
        if not isinstance(body, dict) or len(body.get("client_secret") or "x" * 6) < len("secret"):
            return error_h(400, "invalid_client_metadata", "The client secret must be at least 6 characters long")
        client_id = body.get("client_id") or str(uuid4())
        if client_id in self.clients:
            return error_h(409, _TAKEN)
        secret = body.get("client_secret") or secrets.token_hex(13)
        scope = body.get("scope") or self.default_scope
        self.clients[client_id] = self._form(body | {"client_id": client_id, "scope": scope})
        self._secrets[client_id] = _hash(secret)
        told = self.clients[client_id] | {"client_secret": secret, "redirect_uris": None, "contacts": None}
        told["registration_access_token"] = f"ory_at_{secrets.token_hex(8)}"
        told["registration_client_uri"] = f"{self.issuer}/oauth2/register/{client_id}"
        return reply(told, 201, {"Location": f"/admin/clients/{client_id}"})

    async def list_clients(self, request: web.Request) -> web.Response:
        """H6."""
        found = list(self.clients.values())
        for name in ("client_name", "owner"):
            if name in request.query:
                found = [each for each in found if each[name] == request.query[name]]
        start, size = int(request.query.get("page_token") or 0), int(request.query.get("page_size", 100))
        links = ['</admin/clients?page_token=0>; rel="first"']
        if len(found) > start + size:
            links.append(f'</admin/clients?page_size={size}&page_token={start + size}>; rel="next"')
        return reply(found[start : start + size], headers=UNCACHED | {"Link": ",".join(links)})

    async def get(self, request: web.Request) -> web.Response:
        """H2."""
        client = self.clients.get(request.match_info["id"])
        return reply(client, headers=UNCACHED) if client else error_h(404, _UNKNOWN, headers=UNCACHED)

    async def patch(self, request: web.Request) -> web.Response:
        """H4."""
        client_id, steps = request.match_info["id"], await json_body(request)
        if client_id not in self.clients:
            return error_h(404, _UNKNOWN)
        if any(step["path"] in {"/id", "/client_id"} for step in steps):
            return error_h(400, "invalid_request", "path /id is not allowed")
        changed = patched(self.clients[client_id], steps)
        secret = changed.pop("client_secret", None)
        self.clients[client_id] = self._form(changed)
        return self._answer_changed(client_id, secret)

    async def delete(self, request: web.Request) -> web.Response:
        """H5."""
        client_id = request.match_info["id"]
        if self.clients.pop(client_id, None) is None:
            return error_h(404, _UNKNOWN)
        self._end(client_id)
        return web.Response(status=204)

    async def token(self, request: web.Request) -> web.Response:
        """H7."""
        form = await request.post()
        if form.get("grant_type") != "client_credentials":
            return _refusal(400, "invalid_request", "The request is missing a required parameter")
        client = self.clients.get(str(form.get("client_id")))
        if client is None or not self._is_authentic(client, str(form.get("client_secret", ""))):
            return _refusal(401, "invalid_client", _BAD_CLIENT)
        asked = str(form.get("scope", "")).split()
        allowed = client["scope"].split()
        if not set(asked) <= set(allowed):
            return _refusal(400, "invalid_scope", "The requested scope is invalid, unknown, or malformed")
        audience = str(form.get("audience", "")).split()
        if not set(audience) <= set(client["audience"] or []):
            return _refusal(
                400, "invalid_request", "Requested audience has not been whitelisted by the OAuth 2.0 Client"
            )
        granted = allowed if self.grants_scopes and not asked else list(dict.fromkeys(asked))
        return await self._issue(client, granted, audience)

    async def published(self, _: web.Request) -> web.Response:
        """H11."""
        return reply({"keys": [_described(key) for key in [self.id_token_key, *self.keys]]}, headers=UNCACHED)

    async def configuration(self, _: web.Request) -> web.Response:
        """OpenID Connect Discovery."""
        return reply(_recorded("discovery") | {"issuer": self.issuer}, headers=UNCACHED)

    async def introspect(self, request: web.Request) -> web.Response:
        """H8."""
        form = await request.post()
        if not form:
            return error_h(400, "invalid_request", "The POST body can not be empty")
        issued, now = self.issued.get(str(form.get("token"))), self.clock() + self.skew
        if issued is None or not issued.active or issued.claims["exp"] <= now.timestamp() or self._is_older(issued):
            return reply({"active": False}, headers=OF_FOSITE)
        said = issued.claims
        told = {name: said[name] for name in ("client_id", "sub", "exp", "iat", "nbf", "aud", "iss")}
        told |= {"active": True, "token_type": "Bearer", "token_use": "access_token", "ext": said.get("ext", {})}
        told |= {"scope": " ".join(said["scp"])} if said["scp"] else {}
        return reply(told, headers={"Content-Type": OF_FOSITE["Content-Type"]})

    async def end_tokens(self, request: web.Request) -> web.Response:
        """H9."""
        if not request.query.get("client_id"):
            return error_h(400, "invalid_request", "client_id is required")
        self._end(request.query["client_id"])
        return web.Response(status=204)

    async def create_key(self, _: web.Request) -> web.Response:
        """H13."""
        self.rotate_keys(key := a_key(str(uuid4())))
        location = {"Location": f"{self.issuer}/keys/hydra.jwt.access-token"}
        return reply({"keys": [_described(key, private=True)]}, 201, location)

    def _is_older(self, issued: _Issued) -> bool:
        """Whether a JWT has an older key than the newest, by which alone Hydra introspects, though it lists all."""
        return issued.kid not in (None, self.keys[0].kid)

    def _is_authentic(self, client: dict[str, Any], secret: str) -> bool:
        is_post = client["token_endpoint_auth_method"] == "client_secret_post"
        return is_post and hmac.compare_digest(self._secrets[client["client_id"]], _hash(secret))

    async def _issue(self, client: dict[str, Any], scopes: list[str], audience: list[str]) -> web.Response:
        extra = await self._hooked(client, scopes)
        if isinstance(extra, web.Response):
            return extra
        claims = self.claims(client["client_id"], self.clock(), scp=scopes, aud=audience, ext=extra)
        claims |= {name: value for name, value in extra.items() if name in self.top_level_claims}
        if lifespan := client["client_credentials_grant_access_token_lifespan"]:
            claims["exp"] = claims["iat"] + int(lifespan.removesuffix("s"))
        strategy = client["access_token_strategy"] or self.strategy
        token = self.sign(claims) if strategy == "jwt" else f"ory_at_{secrets.token_urlsafe(32)}"
        self.issued[token] = _Issued(claims, self.keys[0].kid if strategy == "jwt" else None)
        told = {"access_token": token, "expires_in": 3599, "scope": " ".join(scopes), "token_type": "bearer"}
        return reply(told, headers=OF_FOSITE)

    async def _hooked(self, client: dict[str, Any], scopes: list[str]) -> dict[str, Any] | web.Response:
        if self.token_hook is None:
            return {}
        for _ in range(HOOK_TRIES):
            try:
                status, told = await self.token_hook(_hook_request(client["client_id"], scopes))
            except ConnectionError:
                status, told = 500, None
            if status not in {429, 500, 502, 503, 504}:
                break
        if status == 204:
            return {}
        if status == 403:
            return _refusal(403, "access_denied", "The token hook target responded with an error.")
        if status != 200 or told is None:
            return _refusal(500, "server_error", "The token hook target did not respond as expected.")
        return dict(told["session"].get("access_token") or {})

    def _form(self, body: dict[str, Any]) -> dict[str, Any]:
        now = self.clock().isoformat()
        return (
            _UNSET
            | {"created_at": now, "updated_at": now}
            | {name: value for name, value in body.items() if name != "client_secret"}
        )

    def _answer_changed(self, client_id: str, secret: str | None) -> web.Response:
        if secret:
            self._secrets[client_id] = _hash(secret)
        return reply(self.clients[client_id] | ({"client_secret": secret} if secret else {}))

    def _end(self, client_id: str) -> None:
        for issued in self.issued.values():
            if issued.claims["client_id"] == client_id:
                issued.active = False


def _refusal(status: int, error: str, description: str) -> web.Response:
    return error_h(status, error, description, headers=OF_FOSITE)


def _hook_request(client_id: str, scopes: list[str]) -> dict[str, Any]:
    return {
        "session": {"id_token": {}, "extra": {}, "client_id": client_id},
        "request": {
            "client_id": client_id,
            "requested_scopes": scopes,
            "granted_scopes": scopes,
            "granted_audience": [],
            "grant_types": ["client_credentials"],
            "payload": {"grant_type": ["client_credentials"], "scope": [" ".join(scopes)]},
        },
    }


def _described(key: SigningKey, *, private: bool = False) -> dict[str, Any]:
    return {"use": "sig", "alg": key.alg, "kid": key.kid} | key.as_dict(private=private)


def _hash(secret: str) -> bytes:
    # As PBKDF2 does, to which a shorter key and the same key with zeros at its end are one (RFC 2104 §2).
    return hashlib.sha256(secret.rstrip("\0").encode()).digest()
