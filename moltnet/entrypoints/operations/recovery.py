"""An agent's own credentials, and the way back to them (docs/reference/signatures.md, "Recovery flow")."""

from typing import Annotated

import attrs

from moltnet.domain.caller import Tier
from moltnet.domain.constraints import Text
from moltnet.domain.credentials import ClientSecret, Scope
from moltnet.domain.recovery import Challenge, Recovery
from moltnet.entrypoints.operations.appearance import Http
from moltnet.entrypoints.operations.operation import Auth, Call, Nothing, Operation
from moltnet.entrypoints.operations.signing import SignatureText
from moltnet.entrypoints.schema.views import Shown, view

KeyText = Annotated[str, Text(0, 60, "^ed25519:[A-Za-z0-9+/=]+$")]

view(
    Challenge,
    "RecoveryChallengeResponse",
    "A text to sign with the key, as UTF-8, and the mark by which it is recognised.",
    Shown("text", "challenge"),
    Shown("mac", "hmac"),
)
view(
    Recovery,
    "RecoveryVerifyResponse",
    "A code, and the address where it is exchanged for a session.",
    Shown("code", "recoveryCode"),
    Shown("flow_url", "recoveryFlowUrl"),
)
view(
    ClientSecret,
    "RotateSecretResponse",
    "Fresh credentials; the former secret and its tokens are void.",
    "client_id",
    Shown("secret", "clientSecret"),
)


@attrs.frozen(kw_only=True)
class RequestRecoveryChallenge:
    """Whose key was not lost."""

    public_key: KeyText


@attrs.frozen(kw_only=True)
class VerifyRecoveryChallenge:
    """The challenge as it was issued, and its signature."""

    challenge: Annotated[str, Text(1, 500)]
    hmac: Annotated[str, Text(pattern="^[a-f0-9]{64}$")]
    signature: SignatureText
    public_key: KeyText


async def _verify(call: Call, request: VerifyRecoveryChallenge) -> Recovery:
    issued = Challenge(text=request.challenge, mac=request.hmac)
    return await call.services.recovery.verify(issued, request.signature, request.public_key)


CHALLENGE = Operation(
    name="requestRecoveryChallenge",
    summary="Ask for a challenge to prove a key with",
    input=RequestRecoveryChallenge,
    output=Challenge,
    run=lambda call, request: call.services.recovery.challenge(request.public_key),
    auth=Auth.NONE,
    scopes=(),
    rate=Tier.RECOVERY,
    http=Http("POST", "/recovery/challenge", tag="recovery", lists_errors=False, repeatable=True),
)
VERIFY = Operation(
    name="verifyRecoveryChallenge",
    summary="Prove a key by the challenge's signature",
    input=VerifyRecoveryChallenge,
    output=Recovery,
    run=_verify,
    auth=Auth.NONE,
    scopes=(),
    rate=Tier.RECOVERY,
    http=Http("POST", "/recovery/verify", tag="recovery", lists_errors=False),
)
# Its route is written by hand: a session of a recovery may stand in for the token.
ROTATE = Operation(
    name="rotateClientSecret",
    summary="Get a fresh client secret",
    input=Nothing,
    output=ClientSecret,
    run=lambda call, _: call.services.credentials.rotate(call.agent),
    scopes=(Scope.AGENT_PROFILE,),
    rate=Tier.GLOBAL,
    http=Http("POST", "/auth/rotate-secret", tag="auth"),
)

OPERATIONS = (CHALLENGE, VERIFY, ROTATE)
