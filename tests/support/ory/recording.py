"""Every kind of call that the adapters make, as plain HTTP, and what the services answer to it.

Recorded from real services, an answer is a fixture in `recorded/`; the stand-in is held to it
(tests/integration/ory/test_recorded.py). To record, with the addresses as docs/ory.md says:

    python -m tests.support.ory.recording SETTING > tests/support/ory/recorded/SETTING.json

Each setting of the services has calls of its own: `deployed` is deploy/ory as it is, the others leave one thing out.
"""

import asyncio
import json
import re
import secrets
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any, TypeAlias
from uuid import uuid4

import attrs
from aiohttp import ClientSession, FormData

from tests.support.ory import named
from tests.support.ory.hydra import TokenHook
from tests.support.ory.proxy import a_hook_server

Answers: TypeAlias = dict[str, dict[str, Any]]
Wait: TypeAlias = Callable[[float], Awaitable[None]]
NOBODY = "00000000-0000-4000-8000-000000000000"
HASHED = "$pbkdf2-sha256$i=1,l=32$b2Ygbm9ib2R5J3MgdXNlLg$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
# Members whose texts an adapter acts on, or a reader of the flow's answer; of all others only the kind is compared.
TOLD = frozenset({"state", "status", "action", "active", "allowed", "error", "type", "token_type", "token_use", "alg"})
HEADERS = ("Content-Type", "Location", "Link", "Cache-Control", "Retry-After")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[0-9.]*(Z|[+-]\d\d:\d\d)")
_SECRET = re.compile(
    r"(?<![\w-])(ory_[a-z]+_[\w.-]+|ed25519(:|%3A)[\w+/=%-]+|[0-9a-f]{32,}|[\w-]{60,}|eyJ[\w.=-]+|page_token=[^&>\"]+)"
)


def kind(value: Any, name: str = "") -> Any:
    """A value with its texts replaced by what they are: what two answers of the same shape have in common."""
    if isinstance(value, dict):
        return {each: kind(member, each) for each, member in sorted(value.items())}
    if isinstance(value, list):
        kinds = [kind(each, name) for each in value]
        return [each for place, each in enumerate(kinds) if each not in kinds[:place]]
    if isinstance(value, str) and name not in TOLD:
        return "time" if _TIME.fullmatch(value) else "id" if _UUID.fullmatch(value) and name != "kid" else "text"
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) and name != "id" else value


def clean(value: Any) -> Any:
    """A value without secrets, and without what differs from run to run."""
    if isinstance(value, dict):
        return {name: clean(member) for name, member in value.items()}
    if isinstance(value, list):
        return [clean(each) for each in value]
    if not isinstance(value, str):
        return value
    if value.isdigit():
        return "0" * len(value)
    text = _TIME.sub("2026-03-20T00:00:00Z", _UUID.sub(NOBODY, value))
    return _SECRET.sub("removed", text)


@attrs.define
class Recorder:
    """Calls by name; `answers` are what came."""

    http: ClientSession
    addresses: Mapping[tuple[str, str], str]
    api_key: str | None
    answers: Answers = attrs.field(factory=dict)

    async def ask(self, name: str, service: str, line: str, body: Any = None, **more: Any) -> Any:
        """Makes a call, `admin GET /clients`, and records what is answered; the answer's JSON comes back."""
        side, method, path = line.split(" ", 2)
        headers = {"Accept": "application/json"} | more.get("headers", {})
        if self.api_key and (service, side) not in {("kratos", "public"), ("hydra", "public")}:
            headers["Authorization"] = f"Bearer {self.api_key}"
        sent = {"data": FormData(body)} if more.get("is_form") else {} if body is None else {"json": body}
        url = self.addresses[service, side] + path
        async with self.http.request(method, url, headers=headers, allow_redirects=False, **sent) as answer:
            text = await answer.text()
            found = json.loads(text) if "json" in answer.content_type and text else text
            told = {each: answer.headers[each] for each in HEADERS if each in answer.headers}
            request = clean(f"{method} {path}")
            self.answers[name] = clean({"request": request, "status": answer.status, "headers": told, "body": found})
            return found


async def an_identity(ask: Recorder, name: str = "K2", key: str | None = None, **members: Any) -> Any:
    """Makes an identity as the adapter does."""
    body = {
        "schema_id": "moltnet_agent",
        "traits": {"public_key": key or a_key(), "voucher_code": "genesis"},
        "credentials": {"password": {"config": {"hashed_password": HASHED}}},
        "metadata_admin": {"moltnet_registration": str(uuid4())},
    }
    schemas = await ask.ask("K1", "kratos", "public GET /schemas?page_size=250")
    found = [each["id"] for each in schemas if "agent" in each["schema"].get("$id", "")]
    return await ask.ask(name, "kratos", "admin POST /admin/identities", body | {"schema_id": found[0]} | members)


def a_key() -> str:
    """The text of a key nobody has."""
    return f"ed25519:{secrets.token_urlsafe(32)}="


async def a_flow(ask: Recorder, identity: str, name: str = "K8", **members: Any) -> tuple[str, str]:
    """A recovery flow's id and code."""
    body = {"identity_id": identity, "flow_type": "api"} | members
    told = await ask.ask(name, "kratos", "admin POST /admin/recovery/code", body)
    return told["recovery_link"].partition("flow=")[2], told["recovery_code"]


async def answer(ask: Recorder, name: str, flow: str, code: str) -> Any:
    """Sends a code to a flow."""
    path = f"public POST /self-service/recovery?flow={flow}"
    return await ask.ask(name, "kratos", path, {"method": "code", "code": code})


async def kratos(ask: Recorder, wait: Wait) -> None:
    """Kratos as deployed."""
    key = a_key()
    made = await an_identity(ask, key=key)
    await an_identity(ask, "K2, the key is taken", key)
    await an_identity(ask, "K2, the key is taken in another case", key.swapcase().replace("ED25519", "ed25519"))
    await an_identity(ask, "K2, no such schema", schema_id="none")
    await an_identity(ask, "K2, a trait is missing", traits={"public_key": a_key()})
    await an_identity(ask, "K2, a trait is too long", traits={"public_key": "x" * 61, "voucher_code": "genesis"})
    await an_identity(ask, "K2, an unknown member", nonsense=True)
    found = "admin GET /admin/identities?consistency=strong&credentials_identifier="
    await ask.ask("K4", "kratos", found + key.replace("+", "%2B"))
    await ask.ask("K4, nobody", "kratos", found + "nobody")
    await ask.ask("K5", "kratos", f"admin GET /admin/identities/{made['id']}")
    await ask.ask("K5, nobody", "kratos", f"admin GET /admin/identities/{NOBODY}")
    await ask.ask(
        "K8, nobody", "kratos", "admin POST /admin/recovery/code", {"identity_id": NOBODY, "flow_type": "api"}
    )
    await ask.ask("K11, none", "kratos", f"admin DELETE /admin/identities/{made['id']}/sessions")
    flow, code = await a_flow(ask, made["id"])
    await answer(ask, "K9, wrong", flow, f"{(int(code) + 1) % 10**6:06}")
    passed = await answer(ask, "K9", flow, code)
    await answer(ask, "K9, used", flow, code)
    token = next(each["ory_session_token"] for each in passed["continue_with"] if "ory_session_token" in each)
    await ask.ask("K10", "kratos", "public GET /sessions/whoami", headers={"X-Session-Token": token})
    await ask.ask("K11", "kratos", f"admin DELETE /admin/identities/{made['id']}/sessions")
    await ask.ask("K10, ended", "kratos", "public GET /sessions/whoami", headers={"X-Session-Token": token})
    flow, code = await a_flow(ask, made["id"])
    for _ in range(5):
        await answer(ask, "K9, wrong", flow, f"{(int(code) + 1) % 10**6:06}")
    await answer(ask, "K9, wrong too often", flow, code)
    flow, code = await a_flow(ask, made["id"], "K8, for a second", expires_in="1s")
    await wait(1.1)
    await answer(ask, "K9, too late", flow, code)
    await answer(ask, "K9, no such flow", NOBODY, "123456")
    await ask.ask("K7", "kratos", f"admin DELETE /admin/identities/{made['id']}")
    await ask.ask("K7, nobody", "kratos", f"admin DELETE /admin/identities/{made['id']}")


async def kratos_without_codes(ask: Recorder, _: Wait) -> None:
    """Kratos with `selfservice.methods.code.enabled` false."""
    made, body = await an_identity(ask), {"flow_type": "api"}
    for name, identity in (("K8", made["id"]), ("K8, nobody", NOBODY)):
        await ask.ask(name, "kratos", "admin POST /admin/recovery/code", body | {"identity_id": identity})
    await ask.ask("K7", "kratos", f"admin DELETE /admin/identities/{made['id']}")


async def kratos_without_transitions(ask: Recorder, wait: Wait) -> None:
    """Kratos with `feature_flags.use_continue_with_transitions` false."""
    made = await an_identity(ask)
    flow, code = await a_flow(ask, made["id"])
    await answer(ask, "K9, wrong", flow, f"{(int(code) + 1) % 10**6:06}")
    await answer(ask, "K9", flow, code)
    await answer(ask, "K9, used", flow, code)
    flow, code = await a_flow(ask, made["id"], expires_in="1s")
    await wait(1.1)
    await answer(ask, "K9, too late", flow, code)
    await ask.ask("K7", "kratos", f"admin DELETE /admin/identities/{made['id']}")


async def a_client(ask: Recorder, name: str = "H1", **members: Any) -> dict[str, Any]:
    """Makes a client as the adapter does; the body that was sent."""
    body: dict[str, Any] = {
        "client_id": str(uuid4()),
        "client_name": "Agent: 0000-1111-2222-AAAA",
        "client_secret": secrets.token_hex(16),
        "grant_types": ["client_credentials"],
        "response_types": [],
        "token_endpoint_auth_method": "client_secret_post",
        "scope": "diary:read diary:write",
        "access_token_strategy": "jwt",
        "metadata": {"type": "moltnet_agent", "identity_id": str(uuid4()), "public_key": a_key(), "fingerprint": "F"},
    } | members
    await ask.ask(name, "hydra", "admin POST /admin/clients", body)
    return body


async def a_token(ask: Recorder, name: str, client: Mapping[str, Any], **members: str) -> Any:
    """Asks for a token by a client's secret."""
    form = {"grant_type": "client_credentials"} | {each: client[each] for each in ("client_id", "client_secret")}
    return await ask.ask(name, "hydra", "public POST /oauth2/token", form | members, is_form=True)


async def hydra(ask: Recorder, _: Wait) -> None:
    """Hydra as deployed, with a hook that answers 200 with claims."""
    client = await a_client(ask)
    admin, token_url = f"/admin/clients/{client['client_id']}", "admin POST /admin/oauth2/introspect"
    await a_client(ask, "H1, the id is taken", client_id=client["client_id"])
    await a_client(ask, "H1, a short secret", client_secret="short")
    await ask.ask("H2", "hydra", f"admin GET {admin}")
    await ask.ask("H2, none", "hydra", f"admin GET /admin/clients/{NOBODY}")
    await ask.ask("H6", "hydra", "admin GET /admin/clients?page_size=1")
    await ask.ask("H6, none", "hydra", "admin GET /admin/clients?client_name=nobody")
    await a_token(ask, "H7, a wrong secret", client, client_secret="wrong")
    await a_token(ask, "H7, no such client", client, client_id=NOBODY)
    await a_token(ask, "H7, a scope it has not", client, scope="crypto:sign")
    await a_token(ask, "H7, an audience it has not", client, audience="https://elsewhere.example")
    await a_token(ask, "H7, no grant type", client, grant_type="")
    await a_token(ask, "H7, with a scope", client, scope="diary:read")
    told = await a_token(ask, "H7", client)
    await ask.ask("H8", "hydra", token_url, {"token": told["access_token"]}, is_form=True)
    await ask.ask("H8, unknown", "hydra", token_url, {"token": "ory_at_unknown"}, is_form=True)
    await ask.ask("H13", "hydra", "admin POST /admin/keys/hydra.jwt.access-token", {"alg": "RS256", "use": "sig"})
    await ask.ask("H8, by an older key", "hydra", token_url, {"token": told["access_token"]}, is_form=True)
    told = await a_token(ask, "H7, by the newer key", client)
    await ask.ask("H9", "hydra", f"admin DELETE /admin/oauth2/tokens?client_id={client['client_id']}")
    await ask.ask("H8, ended", "hydra", token_url, {"token": told["access_token"]}, is_form=True)
    await ask.ask("H9, of nobody", "hydra", f"admin DELETE /admin/oauth2/tokens?client_id={NOBODY}")
    await ask.ask("H9, of no client", "hydra", "admin DELETE /admin/oauth2/tokens")
    steps = [{"op": "replace", "path": "/client_secret", "value": secrets.token_hex(16)}]
    await ask.ask("H4", "hydra", f"admin PATCH {admin}", steps)
    await a_token(ask, "H7, the secret was replaced", client)
    await ask.ask("H4, none", "hydra", f"admin PATCH /admin/clients/{NOBODY}", steps)
    await ask.ask("H11", "hydra", "public GET /.well-known/jwks.json")
    await ask.ask("discovery", "hydra", "public GET /.well-known/openid-configuration")
    await ask.ask("H5", "hydra", f"admin DELETE {admin}")
    await ask.ask("H5, none", "hydra", f"admin DELETE {admin}")


async def a_refused_token(ask: Recorder, _: Wait) -> None:
    """A client and its token, with another hook than that of `hydra`."""
    client = await a_client(ask)
    await a_token(ask, "H7", client)
    await ask.ask("H5", "hydra", f"admin DELETE /admin/clients/{client['client_id']}")


def a_tuple(**members: Any) -> dict[str, Any]:
    """A relation of nobody's to nothing."""
    return {"namespace": "Diary", "object": str(uuid4()), "relation": "readers", "subject_id": str(uuid4())} | members


async def keto(ask: Recorder, _: Wait) -> None:
    """Keto as deployed."""
    put, check = "admin PUT /admin/relation-tuples", "public POST /relation-tuples/batch/check"
    held = a_tuple()
    of_diary = f"namespace=Diary&object={held['object']}"
    parent = {"namespace": "Diary", "object": held["object"], "relation": ""}
    entry = {"namespace": "DiaryEntry", "object": str(uuid4()), "relation": "parent", "subject_set": parent}
    await ask.ask("T1", "keto", put, held)
    await ask.ask("T1, again", "keto", put, held)
    await ask.ask("T1, of an entry", "keto", put, entry)
    await ask.ask("T1, no such namespace", "keto", put, held | {"namespace": "None"})
    await ask.ask("T1, no such relation", "keto", put, held | {"relation": "none"})
    await ask.ask("T1, no subject", "keto", put, {name: held[name] for name in ("namespace", "object", "relation")})
    await ask.ask("T4", "keto", f"public GET /relation-tuples?{of_diary}")
    await ask.ask("T4, a page", "keto", f"public GET /relation-tuples?{of_diary}&page_size=1")
    subject = "subject_set.namespace=Diary&subject_set.relation=&subject_set.object="
    await ask.ask(
        "T4, by parent", "keto", f"public GET /relation-tuples?namespace=DiaryEntry&{subject}{held['object']}"
    )
    await ask.ask("T4, none", "keto", f"public GET /relation-tuples?namespace=Diary&object={NOBODY}")
    await ask.ask("T4, no such namespace", "keto", "public GET /relation-tuples?namespace=None")
    told = {name: held[name] for name in ("namespace", "object", "subject_id")}
    of_entry = {"namespace": "DiaryEntry", "object": entry["object"], "subject_id": held["subject_id"]}
    asked = [told | {"relation": each} for each in ("read", "write", "readers")] + [of_entry | {"relation": "view"}]
    await ask.ask("T7", "keto", check, {"tuples": asked})
    await ask.ask("T7, no such permit", "keto", check, {"tuples": [told | {"relation": "none"}]})
    await ask.ask(
        "T7, no such namespace", "keto", check, {"tuples": [told | {"namespace": "None", "relation": "read"}]}
    )
    await ask.ask("T7, none", "keto", check, {"tuples": []})
    await ask.ask("T7, too many", "keto", check, {"tuples": asked[:1] * 11})
    await ask.ask("T9", "keto", "public GET /namespaces")
    await ask.ask("T3", "keto", f"admin DELETE /admin/relation-tuples?{of_diary}")
    await ask.ask("T3, none", "keto", f"admin DELETE /admin/relation-tuples?{of_diary}")
    await ask.ask(
        "T3, by parent", "keto", f"admin DELETE /admin/relation-tuples?namespace=DiaryEntry&{subject}{held['object']}"
    )
    await ask.ask("T3, no such namespace", "keto", "admin DELETE /admin/relation-tuples?namespace=None")


async def claims(_: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """A hook that answers as the network does."""
    return 200, {"session": {"access_token": {"moltnet:identity_id": NOBODY, "moltnet:public_key": "K", "other": 1}}}


async def refusal(_: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """A hook that refuses."""
    return 403, {"error": "agent_not_found"}


async def wrong_key(_: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """A hook that does not take the key."""
    return 401, {"detail": "Invalid webhook API key"}


async def failure(_: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """A hook that fails."""
    return 500, {"error": "enrichment_failed"}


async def absence(_: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """No hook listens."""
    raise ConnectionRefusedError


Calls: TypeAlias = Callable[[Recorder, Wait], Awaitable[None]]
# What is called in each setting, and what the token hook answers meanwhile.
SETTINGS: Mapping[str, tuple[tuple[Calls, ...], TokenHook | None]] = {
    "deployed": ((kratos, hydra, keto), claims),
    "kratos_without_codes": ((kratos_without_codes,), claims),
    "kratos_without_transitions": ((kratos_without_transitions,), claims),
    "hook_refuses": ((a_refused_token,), refusal),
    "hook_takes_no_key": ((a_refused_token,), wrong_key),
    "hook_fails": ((a_refused_token,), failure),
    "hook_is_away": ((a_refused_token,), absence),
    "hook_says_nothing": ((a_refused_token,), None),
}


async def recorded(
    setting: str, addresses: Mapping[tuple[str, str], str], api_key: str | None = None, wait: Wait = asyncio.sleep
) -> Answers:
    """The answers to all calls of a setting."""
    async with ClientSession() as http:
        recorder = Recorder(http, addresses, api_key)
        for calls in SETTINGS[setting][0]:
            await calls(recorder, wait)
        return recorder.answers


async def _fixture(setting: str) -> dict[str, Any]:
    hook = SETTINGS[setting][1]
    async with AsyncExitStack() as stack:
        if hook is not absence:
            hooks = await stack.enter_async_context(a_hook_server(named.hooks()))
            hooks.answer = hook
        answers = await recorded(setting, named.addresses(), named.api_key())
    return {"versions": await named.versions(), "answers": answers}


def main() -> None:
    """Prints a fixture, an answer in a line."""
    fixture = asyncio.run(_fixture(sys.argv[1]))
    answers = ",\n".join(f"  {json.dumps(name)}: {json.dumps(answer)}" for name, answer in fixture["answers"].items())
    sys.stdout.write(f'{{\n "versions": {json.dumps(fixture["versions"])},\n "answers": {{\n{answers}\n }}\n}}\n')


if __name__ == "__main__":
    main()
