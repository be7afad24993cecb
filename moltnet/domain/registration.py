"""Registration: the steps that make an agent, in their order, and what undoes them.

Source: docs/reference/endpoints.md, "Registration".

And what a caller may show beside key and voucher: that it holds the private key, and that it is the first caller again.
"""

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

import attrs

from moltnet.domain.credentials import ClientSecret
from moltnet.domain.errors import Invalid, Unavailable
from moltnet.domain.idempotency import KEY_MAX, MalformedIdempotencyKey, check_key
from moltnet.domain.ids import AgentId, parse_uuid
from moltnet.domain.keys import Fingerprint, PublicKey

SECRET_KEY_MIN = 16
_PROOF_DOMAIN = "moltnet:register:v1"


class RegistrationStep(StrEnum):
    """The steps of a registration, in the order they are taken."""

    VALIDATE_VOUCHER = "validate-voucher"
    CREATE_IDENTITY = "create-identity"
    STORE_AGENT = "store-agent"
    RELATE_SELF = "relate-self"
    CREATE_CLIENT = "create-client"


class Undo(StrEnum):
    """What takes back the effect of a step."""

    DELETE_IDENTITY = "delete-identity"
    FORGET_AGENT = "forget-agent"
    DELETE_CLIENT = "delete-client"


UNDOES: Mapping[RegistrationStep, Undo] = MappingProxyType(
    {
        RegistrationStep.CREATE_IDENTITY: Undo.DELETE_IDENTITY,
        RegistrationStep.STORE_AGENT: Undo.FORGET_AGENT,
        RegistrationStep.CREATE_CLIENT: Undo.DELETE_CLIENT,
    }
)


class RegistrationFailed(Unavailable):
    """A step failed for no fault of the new agent; everything was undone and the voucher is good again."""

    code = "REGISTRATION_FAILED"
    sentence = "Registration could not be completed; nothing was stored and the voucher can be used again"


class RegistrationProofRefused(Invalid):
    """A proof was sent that is not the key's signature over this registration; the voucher stays as it was."""

    code = "REGISTRATION_PROOF_REFUSED"
    sentence = (
        "proof is not a signature by this key over moltnet:register:v1:<public_key>:<voucher_code>; sign that text, "
        "with the key as ed25519:<base64 of its 32 bytes>, or leave proof out. The voucher can still be used"
    )


class GuessableIdempotencyKey(MalformedIdempotencyKey):
    """Too short a key for a registration, where it is what the first caller is recognised by."""

    code = "GUESSABLE_IDEMPOTENCY_KEY"
    sentence = (
        f"The Idempotency-Key of a registration has {SECRET_KEY_MIN} to {KEY_MAX} visible ASCII characters and is "
        "known only to its caller: a repeated request with it returns the credentials again"
    )


class UnusableIdentity(Invalid):
    """An identity without an id of its own: nothing could be told of it, and the next would take its place."""

    code = "UNUSABLE_IDENTITY"
    sentence = (
        "The identity has no id of its own yet. An identity service that asks before it stores the identity sends the "
        "nil UUID: let it ask afterwards (in Kratos: response.parse and can_interrupt false)"
    )


def identity_of(text: str) -> AgentId:
    """The agent that an identity's id names; raises UnusableIdentity for what is not a UUID, and for the nil one."""
    parsed = parse_uuid(text)
    if parsed is None or not parsed.int:
        raise UnusableIdentity
    return AgentId(parsed)


_IMPORT = "import-"


def import_of(agent_id: AgentId) -> str:
    """The registration under which an identity service takes in an agent that was registered before."""
    return f"{_IMPORT}{agent_id}"


def imported_by(registration: str) -> AgentId | None:
    """The agent that a registration took in; None for that of a new agent, whose identity's id is its own."""
    text = registration.removeprefix(_IMPORT)
    parsed = parse_uuid(text) if text != registration else None
    return AgentId(parsed) if parsed is not None else None


@attrs.frozen(kw_only=True)
class Registered:
    """A new agent, and the credentials that are returned this once."""

    agent_id: AgentId
    public_key: PublicKey
    credentials: ClientSecret

    @property
    def fingerprint(self) -> Fingerprint:
        """The key in short."""
        return self.public_key.fingerprint


@attrs.frozen(kw_only=True)
class Evidence:
    """What a caller shows beside key and voucher, both of which others know too (ADR-14).

    `proof` is a signature in base64 by which the key proves itself. `idempotency_key` recognises the caller when it
    repeats the request. Raises MalformedIdempotencyKey and GuessableIdempotencyKey.
    """

    proof: str | None = attrs.field(default=None, repr=False)
    idempotency_key: str | None = attrs.field(default=None, repr=False)

    @idempotency_key.validator
    def _hard_to_guess(self, _: object, key: str | None) -> None:
        if key is None:
            return
        check_key(key)
        if len(key) < SECRET_KEY_MIN:
            raise GuessableIdempotencyKey

    def mark(self, key: PublicKey, voucher_code: str) -> bytes | None:
        """What is stored of the idempotency key, for this registration alone; None without one."""
        if self.idempotency_key is None:
            return None
        return hashlib.sha256(f"{key.text}:{voucher_code}:{self.idempotency_key}".encode("ascii")).digest()


NO_EVIDENCE = Evidence()


def proof_message(key: PublicKey, voucher_code: str | None) -> bytes:
    """The bytes whose signature by a key is the `proof` of its registration; without a voucher, for a first agent.

    Its beginning and its end are those of no other text that agents sign: recovery challenges begin otherwise, signing
    requests are framed, or end in a nonce.
    """
    return f"{_PROOF_DOMAIN}:{key.text}:{voucher_code or 'genesis'}".encode("ascii")


def registration_of(key: PublicKey, voucher_code: str | None, attempt: int) -> str:
    """The name of an attempt to register a key by a voucher, the same for every repetition; tells neither."""
    asked = hashlib.sha256(key.raw + (voucher_code or "").encode("ascii")).hexdigest()
    return f"registration-{asked}-{attempt}"


def undoing(failed: RegistrationStep) -> tuple[Undo, ...]:
    """What to undo when `failed` fails, newest effect first.

    The failed step is undone too: it may have had its effect before the answer was lost.
    """
    steps = list(RegistrationStep)
    done = steps[: steps.index(failed) + 1]
    return tuple(UNDOES[step] for step in reversed(done) if step in UNDOES)
