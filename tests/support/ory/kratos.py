"""A stand-in for Kratos: identities, recovery flows and their sessions (docs/reference/ory.md, "Kratos calls")."""

import asyncio
import json
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import attrs
from aiohttp import web

from tests.support.ory.replies import UNCACHED, error_form, error_k, json_body, reply

SCHEMA_ID = "preset://moltnet-agent"
SCHEMA_FILE = Path(__file__).parents[3] / "deploy" / "ory" / "kratos" / "agent.schema.json"
OTHER_SCHEMA = {"$id": "https://schemas.ory.sh/presets/kratos/quickstart/email-password/identity.schema.json"}
CODE_LIFETIME, SESSION_LIFETIME = timedelta(minutes=15), timedelta(hours=1)
MAX_SUBMISSIONS = 5
WRONG_CODE = 4060006
ADMIN_URL, PUBLIC_URL = "http://kratos:4434", "https://auth.example"
INVALID = "The request was malformed or contained invalid parameters"
MISSING = "Unable to locate the resource"
_KNOWN = {"schema_id", "traits", "credentials", "metadata_public", "metadata_admin", "state"}
_CONFLICT = "This identity conflicts with another identity that already exists."


@attrs.define(kw_only=True)
class _Flow:
    id: str
    identity: str
    code: str
    issued_at: datetime
    ends: datetime
    submissions: int = 0
    used: bool = False


@attrs.define(kw_only=True)
class Kratos:
    """`has_external_ids` is false before 25.4; `continues` is `feature_flags.use_continue_with_transitions`."""

    clock: Callable[[], datetime]
    identities: dict[str, dict[str, Any]] = attrs.field(factory=dict)
    has_external_ids: bool = True
    continues: bool = True
    codes_enabled: bool = True
    schemas: list[dict[str, Any]] = attrs.field(
        factory=lambda: [
            {"id": "preset://email", "schema": OTHER_SCHEMA},
            {"id": SCHEMA_ID, "schema": json.loads(SCHEMA_FILE.read_bytes())},
        ]
    )
    passwords: dict[str, str] = attrs.field(factory=dict)
    _flows: dict[str, _Flow] = attrs.field(factory=dict)
    _sessions: dict[str, tuple[str, datetime]] = attrs.field(factory=dict)

    def public_routes(self) -> list[web.RouteDef]:
        """What Kratos answers on its public port."""
        return [
            web.get("/schemas", self.list_schemas, name="K1"),
            web.post("/self-service/recovery", self.submit_code, name="K9"),
            web.get("/sessions/whoami", self.whoami, name="K10"),
        ]

    def admin_routes(self) -> list[web.RouteDef]:
        """What Kratos answers on its admin port."""
        return [
            web.post("/admin/identities", self.create, name="K2"),
            web.get("/admin/identities", self.find, name="K4"),
            web.get("/admin/identities/{id}", self.get, name="K5"),
            web.delete("/admin/identities/{id}", self.delete, name="K7"),
            web.patch("/admin/identities/{id}", self.patch, name="K6"),
            web.post("/admin/recovery/code", self.begin_recovery, name="K8"),
            web.delete("/admin/identities/{id}/sessions", self.end_sessions, name="K11"),
        ]

    async def list_schemas(self, _: web.Request) -> web.Response:
        """K1."""
        link = f'</schemas?page=0&page_size={len(self.schemas)}>; rel="first"'
        return reply(self.schemas, headers=UNCACHED | {"Link": link})

    async def create(self, request: web.Request) -> web.Response:
        """K2."""
        body = await json_body(request)
        known = _KNOWN | ({"external_id"} if self.has_external_ids else set())
        if not isinstance(body, dict) or set(body) - known:
            return error_k(400, message=f"json: unknown field {sorted(set(body or {}) - known)}")
        traits: Any = body.get("traits")
        if body.get("schema_id") not in {each["id"] for each in self.schemas} or not _are_traits(traits):
            return error_k(400, "The traits do not fit the schema", message=INVALID)
        if self._conflicts(body):
            return error_k(409, _CONFLICT)
        now, key = _time(self.clock()), uuid4()
        password = body.get("credentials", {}).get("password", {}).get("config", {}).get("hashed_password")
        if password is not None:
            self.passwords[str(key)] = password
        self.identities[str(key)] = {
            "id": str(key),
            "credentials": {"password": _credential(traits["public_key"].lower(), now)},
            "schema_id": body["schema_id"],
            "schema_url": f"{PUBLIC_URL}/schemas/{body['schema_id']}",
            "state": body.get("state", "active"),
            "state_changed_at": now,
            "traits": traits,
            "metadata_public": body.get("metadata_public"),
            "metadata_admin": body.get("metadata_admin"),
            "created_at": now,
            "updated_at": now,
            "organization_id": None,
        } | ({"external_id": body["external_id"]} if "external_id" in body else {})
        return reply(self.identities[str(key)], 201, {"Location": f"{ADMIN_URL}/identities/{key}"})

    async def find(self, request: web.Request) -> web.Response:
        """K4; what was made lately is not seen without `consistency=strong`."""
        filters = [name for name in ("credentials_identifier", "ids", "organization_id") if name in request.query]
        if len(filters) > 1:
            return error_k(400, "Only one filter can be used")
        if request.query.get("consistency") != "strong":
            return reply([])
        found = list(self.identities.values())
        if "credentials_identifier" in request.query:
            wanted = request.query["credentials_identifier"].lower()
            found = [each for each in found if each["traits"]["public_key"].lower() == wanted]
        if "ids" in request.query:
            found = [each for each in found if each["id"] in request.query.getall("ids")]
        start, size = int(request.query.get("page_token") or 0), int(request.query.get("page_size", 250))
        link = f'</admin/identities?page_size={size}&page_token=first>; rel="first"'
        if len(found) > start + size:
            link += f',</admin/identities?page_token={start + size}>; rel="next"'
        return reply(found[start : start + size], headers=UNCACHED | {"Link": link})

    async def get(self, request: web.Request) -> web.Response:
        """K5."""
        found = self.identities.get(request.match_info["id"])
        return reply(found, headers=UNCACHED) if found else error_k(404, message=MISSING, headers=UNCACHED)

    async def delete(self, request: web.Request) -> web.Response:
        """K7."""
        if self.identities.pop(request.match_info["id"], None) is None:
            return error_k(404, message=MISSING)
        return web.Response(status=204)

    async def patch(self, request: web.Request) -> web.Response:
        """K6: the key alone is replaced here; the identifier of the password follows the trait."""
        found, steps = self.identities.get(request.match_info["id"]), await json_body(request)
        if found is None:
            return error_k(404, message=MISSING)
        for step in steps:
            if step.get("op") != "replace" or step.get("path") != "/traits/public_key":
                return error_k(400, "invalid JSON patch", message=INVALID)
            traits = {**found["traits"], "public_key": step["value"]}
            others = [each for each in self.identities.values() if each is not found]
            if any(each["traits"]["public_key"].lower() == step["value"].lower() for each in others):
                return error_k(409, _CONFLICT)
            now = _time(self.clock())
            found |= {"traits": traits, "updated_at": now}
            found["credentials"] = {"password": _credential(step["value"].lower(), now)}
        return reply(found)

    async def begin_recovery(self, request: web.Request) -> web.Response:
        """K8."""
        if not self.codes_enabled:
            return error_k(404, "This endpoint was disabled by system administrator.")
        body = await json_body(request)
        identity = body.get("identity_id")
        if identity not in self.identities:
            return error_k(404, "could not find identity", message=MISSING)
        now, code = self.clock(), f"{secrets.randbelow(10**6):06}"
        ends = now + (timedelta(seconds=float(body["expires_in"][:-1])) if "expires_in" in body else CODE_LIFETIME)
        flow = _Flow(id=str(uuid4()), identity=identity, code=code, issued_at=now, ends=ends)
        self._flows[flow.id] = flow
        link = f"{PUBLIC_URL}/recovery?flow={flow.id}"
        told = {"recovery_link": link, "recovery_code": code, "expires_at": _time(flow.ends)}
        return reply(told, 201)

    async def submit_code(self, request: web.Request) -> web.Response:
        """K9."""
        body, now = await json_body(request), self.clock()
        flow = self._flows.get(_canonical(request.query.get("flow", "")))
        if flow is None:
            return error_k(404, "The recovery request could not be found. Please restart the flow.")
        if now >= flow.ends:
            return self._over(flow)
        flow.submissions += 1
        if flow.submissions > MAX_SUBMISSIONS:
            return self._refused("The request was submitted too often. Please request another code.")
        if body.get("code") != flow.code:
            return reply(self._flow_form(flow, "sent_email"))
        if flow.used:
            return self._refused("The code was already used. Please request another code.")
        await asyncio.sleep(0)  # of codes that come at once, Kratos may let several pass
        flow.used = True
        return self._passed(flow)

    async def whoami(self, request: web.Request) -> web.Response:
        """K10."""
        token = request.headers.get("X-Session-Token", "")
        identity, ends = self._sessions.get(token, ("", self.clock()))
        if ends <= self.clock() or identity not in self.identities:
            return error_k(401, "No valid session credentials found in the request.", headers=UNCACHED)
        now = _time(self.clock())
        told = {
            "id": str(uuid4()),
            "active": True,
            "expires_at": _time(ends),
            "authenticated_at": now,
            "issued_at": now,
            "authenticator_assurance_level": "aal1",
            "authentication_methods": [{"method": "code_recovery", "aal": "aal1", "completed_at": now}],
            "devices": [{"id": str(uuid4()), "ip_address": "127.0.0.1:1", "user_agent": "a test", "location": ""}],
        }
        shown = {name: value for name, value in self.identities[identity].items() if name not in _HIDDEN}
        return reply(told | {"identity": shown}, headers=UNCACHED)

    async def end_sessions(self, request: web.Request) -> web.Response:
        """K11."""
        ending = [token for token, (who, _) in self._sessions.items() if who == request.match_info["id"]]
        for token in ending:
            del self._sessions[token]
        return web.Response(status=204) if ending else error_k(404, message=MISSING)

    def _conflicts(self, body: dict[str, Any]) -> bool:
        wanted, external = body["traits"]["public_key"].lower(), body.get("external_id")
        return any(
            each["traits"]["public_key"].lower() == wanted or (external and each.get("external_id") == external)
            for each in self.identities.values()
        )

    def _passed(self, flow: _Flow) -> web.Response:
        token, settings = f"ory_st_{secrets.token_urlsafe(24)}", str(uuid4())
        url = f"{PUBLIC_URL}/settings?flow={settings}"
        if not self.continues:
            told = error_form(422, f"please redirect the browser to: {url}", id="browser_location_change_required")
            return reply(told | {"redirect_browser_to": url}, 422, {"Content-Type": "application/json"})
        self._sessions[token] = (flow.identity, self.clock() + SESSION_LIFETIME)
        steps = [
            {"action": "set_ory_session_token", "ory_session_token": token},
            {"action": "show_settings_ui", "flow": {"id": settings, "url": url}},
        ]
        return reply(self._flow_form(flow, "passed_challenge") | {"continue_with": steps})

    def _refused(self, reason: str) -> web.Response:
        if not self.continues:
            return _another_flow()
        return error_k(400, reason, details={"continue_with": [SHOW_RECOVERY]})

    def _over(self, flow: _Flow) -> web.Response:
        if not self.continues:
            return _another_flow()
        details = {"continue_with": [SHOW_RECOVERY]}
        told = error_form(410, "The self-service flow expired", id="self_service_flow_expired", details=details)
        told |= {"expired_at": _time(flow.ends), "since": 1, "use_flow_id": str(uuid4())}
        return reply(told, 410, {"Content-Type": "application/json"})

    def _flow_form(self, flow: _Flow, state: str) -> dict[str, Any]:
        messages = [
            {"id": WRONG_CODE, "text": "The recovery code is invalid or has already been used", "type": "error"}
        ]
        ui = {"action": f"{PUBLIC_URL}/self-service/recovery?flow={flow.id}", "method": "POST", "nodes": NODES}
        return {
            "id": flow.id,
            "type": "api",
            "expires_at": _time(flow.ends),
            "issued_at": _time(flow.issued_at),
            "request_url": f"{ADMIN_URL}/admin/recovery/code",
            "active": "code",
            "ui": ui | ({} if state == "passed_challenge" else {"messages": messages}),
            "state": state,
            "transient_payload": {},
        }


SHOW_RECOVERY = {"action": "show_recovery_ui", "flow": {"id": "00000000-0000-4000-8000-000000000000"}}
_HIDDEN = frozenset({"credentials", "metadata_admin"})


def _node(name: str, number: int, **attributes: Any) -> dict[str, Any]:
    return {
        "type": "input",
        "group": "code",
        "attributes": {"name": name, "disabled": False, "node_type": "input"} | attributes,
        "messages": [],
        "meta": {"label": {"id": number, "text": "a label", "type": "info"}},
    }


NODES = [
    _node("code", 1070010, type="text", required=True, pattern="[0-9]+", maxlength=6),
    _node("method", 1070009, type="submit", value="code"),
]


def _another_flow() -> web.Response:
    return web.Response(status=303, headers={"Location": f"{PUBLIC_URL}/self-service/recovery/flows?id={uuid4()}"})


def _credential(identifier: str, now: str) -> dict[str, Any]:
    return {"type": "password", "identifiers": [identifier], "version": 0, "created_at": now, "updated_at": now}


def _time(at: datetime) -> str:
    """RFC 3339 in Go's way."""
    return at.isoformat().replace("+00:00", "Z")


def _are_traits(traits: Any) -> bool:
    limits = {"public_key": 60, "voucher_code": 64}
    is_whole = isinstance(traits, dict) and set(traits) == set(limits)
    return is_whole and all(0 < len(traits[name]) <= limit for name, limit in limits.items())


def _canonical(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return ""
