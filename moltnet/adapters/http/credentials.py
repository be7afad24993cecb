"""An agent's own credentials over REST, the way back to them, and the way in."""

import asyncio

import attrs

from moltnet.adapters.http.calls import members
from moltnet.adapters.http.decoding import read
from moltnet.adapters.http.problems import refusal
from moltnet.adapters.http.rest_client import RestClient
from moltnet.adapters.http.tokens import Tokens
from moltnet.domain.credentials import ClientSecret
from moltnet.domain.errors import MoltNetError
from moltnet.domain.ids import AgentId, ClientId
from moltnet.domain.keys import Fingerprint, PublicKey
from moltnet.domain.recovery import Challenge, CodeRefused, CodeSpent, FlowNotFound, FlowOver, Recovery
from moltnet.ports.keyring import Keyring
from moltnet.ports.remote import Call, NetworkError, RegistrationError

_ROTATE = "/auth/rotate-secret"


@attrs.frozen
class HttpCredentials:
    """The port `Credentials`. The agent goes on with the fresh secret even where it cannot be kept."""

    _client: RestClient
    _tokens: Tokens | None
    _keyring: Keyring | None

    async def rotate_secret(self) -> ClientSecret:
        fresh = read(await self._client.ask(Call(method="POST", path=_ROTATE)), ClientSecret)
        if self._tokens is not None:
            self._tokens.adopt(fresh)
        if self._keyring is not None:
            await asyncio.to_thread(self._keyring.renew, fresh)
        return fresh


@attrs.frozen
class HttpRecovery:
    """The port `RecoveryWay`."""

    _client: RestClient

    async def request_challenge(self, public_key: str) -> Challenge:
        body = members(public_key=public_key)
        call = Call(method="POST", path="/recovery/challenge", json=body, signed_in=False, repeatable=True)
        return read(await self._client.ask(call), Challenge)

    async def verify_challenge(self, challenge: Challenge, signature: str, public_key: str) -> Recovery:
        body = members(challenge=challenge.text, hmac=challenge.mac, signature=signature, public_key=public_key)
        return read(await self._client.ask(_unsigned("/recovery/verify", body)), Recovery)

    async def finish(self, recovery: Recovery) -> ClientSecret:
        reply = await self._client.answer(_unsigned(recovery.flow_url, {"method": "code", "code": recovery.code}))
        parsed = reply.value()
        session = parsed.get("session_token") if reply.is_good and isinstance(parsed, dict) else None
        if not isinstance(session, str):
            raise _flow_refusal(reply.status)
        call = attrs.evolve(_unsigned(_ROTATE, None), headers={"X-Session-Token": session})
        return read(await self._client.ask(call), ClientSecret)


@attrs.frozen(kw_only=True)
class Admission:
    """What a network tells a newcomer, once."""

    identity_id: AgentId
    fingerprint: Fingerprint
    public_key: PublicKey
    client_id: ClientId
    client_secret: str = attrs.field(repr=False)


async def register(client: RestClient, public_key: PublicKey, voucher_code: str, proof: str) -> Admission:
    """Becomes a member, in one try. Raises a RegistrationError of its kind, and NetworkError."""
    body = {"public_key": public_key.text, "voucher_code": voucher_code, "proof": proof}
    reply = await client.answer(attrs.evolve(_unsigned("/auth/register", body), once_only=True))
    if not reply.is_good:
        raise refusal(reply, form=RegistrationError)
    admission = read(reply, Admission)
    if admission.fingerprint != public_key.fingerprint:
        raise NetworkError("The network answered for another key than the one that was registered")
    return admission


def _unsigned(path: str, body: object) -> Call:
    return Call(method="POST", path=path, json=body, signed_in=False)


def _flow_refusal(status: int) -> MoltNetError:
    # In the words of Kratos (docs/reference/signatures.md, "Recovery flow"): the statuses alone tell them apart.
    by_status: dict[int, MoltNetError] = {200: CodeRefused(), 400: CodeSpent(), 404: FlowNotFound(), 410: FlowOver()}
    return by_status.get(status) or NetworkError(f"The recovery flow cannot be finished (HTTP {status})")
