"""Recovery over REST, and the flow that ends it where no identity service does.

Source: docs/reference/signatures.md, "Recovery flow".
"""

from http import HTTPStatus

from moltnet.domain.limits import Tier
from moltnet.domain.recovery import Challenge, CodeSpent, FlowNotFound, FlowOver
from moltnet.entrypoints.operations.operation import Auth
from moltnet.entrypoints.rest.refusals import Refusal
from moltnet.entrypoints.rest.routing import Answer, AnyRoute, Call, Route
from moltnet.entrypoints.rest.schemas.recovery import (
    AnswerRecoveryFlow,
    RecoveryChallengeResponse,
    RecoveryFlow,
    RecoveryFlowQuery,
    RecoveryVerifyResponse,
    RequestRecoveryChallenge,
    VerifyRecoveryChallenge,
    challenge_form,
    flow_form,
    recovery_form,
)

NO_STORE = {"Cache-Control": "no-store"}


async def challenge(call: Call[None, RequestRecoveryChallenge, None]) -> Answer:
    """Ask for a challenge to prove a key with."""
    return Answer(challenge_form(await call.services.recovery.challenge(call.body.public_key)))


async def verify(call: Call[None, VerifyRecoveryChallenge, None]) -> Answer:
    """Prove a key by the challenge's signature."""
    body = call.body
    issued = Challenge(text=body.challenge, mac=body.hmac)
    return Answer(recovery_form(await call.services.recovery.verify(issued, body.signature, body.public_key)))


async def answer_flow(call: Call[None, AnswerRecoveryFlow, RecoveryFlowQuery]) -> Answer:
    """Exchange a recovery code for a session token."""
    answer = await call.services.recovery.answer_flow(call.query.flow, call.body.code)
    return Answer(flow_form(answer), headers=NO_STORE)


def flow_refusal(error: Exception) -> Answer | None:
    """A refusal in the words of Kratos; what is this server's own fault stays a problem.

    Source: docs/reference/ory.md, "Calls", shape K.
    """
    if isinstance(error, FlowOver):
        return _kratos_error(410, error.detail, {"id": "self_service_flow_expired"})
    if isinstance(error, CodeSpent):
        return _kratos_error(400, error.detail, {"details": {"continue_with": [{"action": "show_recovery_ui"}]}})
    if isinstance(error, FlowNotFound):
        return _kratos_error(404, error.detail)
    if isinstance(error, Refusal):
        return _kratos_error(error.status, error.detail)
    return None


def _kratos_error(status: int, reason: str, members: dict[str, object] | None = None) -> Answer:
    phrase = HTTPStatus(status).phrase
    error = {"code": status, "status": phrase, "reason": reason, "message": phrase} | (members or {})
    return Answer({"error": error}, status=status, headers=NO_STORE)


ROUTES: tuple[AnyRoute, ...] = (
    Route(
        "POST",
        "/recovery/challenge",
        "requestRecoveryChallenge",
        "recovery",
        challenge,
        auth=Auth.NONE,
        body=RequestRecoveryChallenge,
        answers={200: RecoveryChallengeResponse},
        tier=Tier.RECOVERY,
        lists_errors=False,
    ),
    Route(
        "POST",
        "/recovery/verify",
        "verifyRecoveryChallenge",
        "recovery",
        verify,
        auth=Auth.NONE,
        body=VerifyRecoveryChallenge,
        answers={200: RecoveryVerifyResponse},
        tier=Tier.RECOVERY,
        lists_errors=False,
    ),
    Route(
        "POST",
        "/self-service/recovery",
        "answerRecoveryFlow",
        "recovery",
        answer_flow,
        auth=Auth.NONE,
        body=AnswerRecoveryFlow,
        query=RecoveryFlowQuery,
        answers={200: RecoveryFlow},
        refusal_form=flow_refusal,
        documented=False,
    ),
)
