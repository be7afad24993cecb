"""A stand-in for Kratos: identities, recovery flows and their sessions (docs/reference/ory.md, "Kratos calls")."""

import json
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import attrs
from aiohttp import web

from tests.support.ory.replies import error_k, json_body, patched, reply

SCHEMA_ID = "preset://moltnet-agent"
SCHEMA_FILE = Path(__file__).parents[3] / "deploy" / "ory" / "kratos" / "agent.schema.json"
OTHER_SCHEMA = {"$id": "https://schemas.ory.sh/presets/kratos/quickstart/email-password/identity.schema.json"}
FLOW_LIFETIME, CODE_LIFETIME, SESSION_LIFETIME = timedelta(hours=1), timedelta(minutes=15), timedelta(hours=1)
MAX_SUBMISSIONS = 5
WRONG_CODE = 4060006
UI_URL = "https://ui.example/recovery"
_KNOWN = {"schema_id", "traits", "credentials", "metadata_public", "metadata_admin", "state"}
_CONFLICT = "This identity conflicts with another identity that already exists."


@attrs.define(kw_only=True)
class _Flow:
    id: str
    identity: str
    code: str
    code_ends: datetime
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
            web.get("/admin/identities/by/external/{id}", self.find_external, name="K3"),
            web.get("/admin/identities", self.find, name="K4"),
            web.get("/admin/identities/{id}", self.get, name="K5"),
            web.patch("/admin/identities/{id}", self.patch, name="K6"),
            web.delete("/admin/identities/{id}", self.delete, name="K7"),
            web.post("/admin/recovery/code", self.begin_recovery, name="K8"),
            web.delete("/admin/identities/{id}/sessions", self.end_sessions, name="K11"),
        ]

    async def list_schemas(self, _: web.Request) -> web.Response:
        """K1."""
        return reply(self.schemas)

    async def create(self, request: web.Request) -> web.Response:
        """K2."""
        body = await json_body(request)
        known = _KNOWN | ({"external_id"} if self.has_external_ids else set())
        if not isinstance(body, dict) or set(body) - known:
            return error_k(400, f"json: unknown field {sorted(set(body or {}) - known)}")
        traits = body.get("traits")
        if body.get("schema_id") not in {each["id"] for each in self.schemas} or not _are_traits(traits):
            return error_k(400, "The traits do not fit the schema")
        if self._conflicts(body):
            return error_k(409, _CONFLICT)
        now, key = self.clock().isoformat(), uuid4()
        password = body.get("credentials", {}).get("password", {}).get("config", {}).get("password")
        if password is not None:
            self.passwords[str(key)] = password
        self.identities[str(key)] = {
            "id": str(key),
            "schema_id": body["schema_id"],
            "schema_url": f"https://kratos.example/schemas/{body['schema_id']}",
            "state": body.get("state", "active"),
            "traits": traits,
            "metadata_public": body.get("metadata_public"),
            "metadata_admin": body.get("metadata_admin"),
            "created_at": now,
            "updated_at": now,
        } | ({"external_id": body["external_id"]} if "external_id" in body else {})
        return reply(self.identities[str(key)], 201, {"Location": f"/admin/identities/{key}"})

    async def find_external(self, request: web.Request) -> web.Response:
        """K3."""
        wanted = request.match_info["id"]
        found = [each for each in self.identities.values() if each.get("external_id") == wanted]
        return reply(found[0]) if found else error_k(404, "Unable to locate the resource")

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
        link = f'</admin/identities?page_token={start + size}>; rel="next"' if len(found) > start + size else ""
        return reply(found[start : start + size], headers={"Link": link} if link else None)

    async def get(self, request: web.Request) -> web.Response:
        """K5."""
        found = self.identities.get(request.match_info["id"])
        return reply(found) if found else error_k(404, "Unable to locate the resource")

    async def patch(self, request: web.Request) -> web.Response:
        """K6."""
        key = request.match_info["id"]
        if key not in self.identities:
            return error_k(404, "Unable to locate the resource")
        self.identities[key] = patched(self.identities[key], await json_body(request))
        return reply(self.identities[key])

    async def delete(self, request: web.Request) -> web.Response:
        """K7."""
        if self.identities.pop(request.match_info["id"], None) is None:
            return error_k(404, "Unable to locate the resource")
        return web.Response(status=204)

    async def begin_recovery(self, request: web.Request) -> web.Response:
        """K8."""
        if not self.codes_enabled:
            return error_k(404, "This endpoint was disabled by system administrator.")
        body = await json_body(request)
        identity = body.get("identity_id")
        if identity not in self.identities:
            return error_k(404, "Unable to locate the resource")
        now, code = self.clock(), f"{secrets.randbelow(10**6):06}"
        flow = _Flow(
            id=str(uuid4()), identity=identity, code=code, code_ends=now + CODE_LIFETIME, ends=now + FLOW_LIFETIME
        )
        self._flows[flow.id] = flow
        link = f"{UI_URL}?flow={flow.id}"
        told = {"recovery_link": link, "recovery_code": code, "expires_at": flow.ends.isoformat()}
        return reply(told, 201)

    async def submit_code(self, request: web.Request) -> web.Response:
        """K9."""
        body, now = await json_body(request), self.clock()
        flow = self._flows.get(_canonical(request.query.get("flow", "")))
        if flow is None:
            return error_k(404, "Unable to locate the resource")
        if now >= flow.ends:
            return self._over(flow)
        if flow.used or flow.submissions >= MAX_SUBMISSIONS:
            return self._spent()
        if now >= flow.code_ends or body.get("code") != flow.code:
            flow.submissions += 1
            return reply(self._flow_form(flow, "sent_email"))
        flow.used = True
        return self._passed(flow)

    async def whoami(self, request: web.Request) -> web.Response:
        """K10."""
        token = request.headers.get("X-Session-Token", "")
        identity, ends = self._sessions.get(token, ("", self.clock()))
        if ends <= self.clock() or identity not in self.identities:
            return error_k(401, "No valid session credentials found in the request.")
        told = {"id": str(uuid4()), "active": True, "expires_at": ends.isoformat()}
        return reply(told | {"identity": self.identities[identity]})

    async def end_sessions(self, request: web.Request) -> web.Response:
        """K11."""
        ending = [token for token, (who, _) in self._sessions.items() if who == request.match_info["id"]]
        for token in ending:
            del self._sessions[token]
        return web.Response(status=204) if ending else error_k(404, "Unable to locate the resource")

    def _conflicts(self, body: dict[str, Any]) -> bool:
        wanted, external = body["traits"]["public_key"].lower(), body.get("external_id")
        return any(
            each["traits"]["public_key"].lower() == wanted or (external and each.get("external_id") == external)
            for each in self.identities.values()
        )

    def _passed(self, flow: _Flow) -> web.Response:
        token = f"ory_st_{secrets.token_urlsafe(24)}"
        if not self.continues:
            redirect = "https://ui.example/settings?flow=" + str(uuid4())
            error = {"id": "browser_location_change_required", "code": 422, "status": "Unprocessable Entity"}
            return reply({"error": error, "redirect_browser_to": redirect}, 422)
        self._sessions[token] = (flow.identity, self.clock() + SESSION_LIFETIME)
        steps = [
            {"action": "set_ory_session_token", "ory_session_token": token},
            {"action": "show_settings_ui", "flow": {"id": str(uuid4()), "url": "https://ui.example/settings"}},
        ]
        return reply(self._flow_form(flow, "passed_challenge") | {"continue_with": steps})

    def _spent(self) -> web.Response:
        if not self.continues:
            return web.Response(status=303, headers={"Location": UI_URL})
        return error_k(400, "The request was already completed", details={"continue_with": [SHOW_RECOVERY]})

    def _over(self, flow: _Flow) -> web.Response:
        if not self.continues:
            return web.Response(status=303, headers={"Location": UI_URL})
        return error_k(410, "The recovery flow expired", id="self_service_flow_expired", use_flow_id=flow.id)

    def _flow_form(self, flow: _Flow, state: str) -> dict[str, Any]:
        messages = [] if state == "passed_challenge" else [{"id": WRONG_CODE, "text": "Invalid code", "type": "error"}]
        return {
            "id": flow.id,
            "type": "api",
            "expires_at": flow.ends.isoformat(),
            "issued_at": (flow.ends - FLOW_LIFETIME).isoformat(),
            "request_url": UI_URL,
            "active": "code",
            "ui": {"action": UI_URL, "method": "POST", "nodes": [], "messages": messages},
            "state": state,
        }


SHOW_RECOVERY = {"action": "show_recovery_ui", "flow": {"id": "00000000-0000-4000-8000-000000000000"}}


def _are_traits(traits: Any) -> bool:
    return isinstance(traits, dict) and set(traits) == {"public_key", "voucher_code"} and all(traits.values())


def _canonical(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return ""
