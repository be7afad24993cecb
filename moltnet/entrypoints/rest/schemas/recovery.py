"""Recovery on the wire: the two steps of our own, and the flow in the words of Kratos.

Source: docs/reference/signatures.md, "Recovery flow".
"""

from datetime import datetime
from typing import Annotated

import attrs

from moltnet.domain.constraints import Alias, Description, Text
from moltnet.domain.recovery import FlowAnswer, FlowState


@attrs.frozen(kw_only=True)
class RecoveryFlowQuery:
    """The flow a code belongs to."""

    flow: str


@attrs.frozen(kw_only=True)
class AnswerRecoveryFlow:
    """A code for a flow."""

    method: Annotated[str, Text(pattern="^code$")]
    code: str


@attrs.frozen(kw_only=True)
class FlowMessage:
    """What a flow has to say."""

    id: int
    text: str
    type: str


@attrs.frozen(kw_only=True)
class FlowInterface:
    """What a page for people would show."""

    action: str
    method: str
    nodes: tuple[object, ...]
    messages: tuple[FlowMessage, ...]


@attrs.frozen(kw_only=True)
class NextStep:
    """What to do next."""

    action: str
    ory_session_token: Annotated[str, Alias("ory_session_token")] | None = None


@attrs.frozen(kw_only=True)
class RecoveryFlow:
    """Where a recovery flow stands; with the right code it carries a session token."""

    id: str
    type: str
    expires_at: Annotated[datetime, Alias("expires_at")]
    issued_at: Annotated[datetime, Alias("issued_at")]
    request_url: Annotated[str, Alias("request_url")]
    state: FlowState
    ui: FlowInterface
    session_token: Annotated[str, Alias("session_token"), Description("Good for one rotation of the secret")] | None = (
        None
    )
    continue_with: Annotated[tuple[NextStep, ...], Alias("continue_with")] | None = None


def flow_form(answer: FlowAnswer) -> RecoveryFlow:
    """A flow as Kratos tells it."""
    token, message = answer.session_token, answer.message_id
    text = "The recovery code is invalid or has expired. Please try again."
    messages = () if message is None else (FlowMessage(id=message, text=text, type="error"),)
    steps = (NextStep(action="set_ory_session_token", ory_session_token=token),) if token else None
    return RecoveryFlow(
        id=answer.flow,
        type="api",
        expires_at=answer.expires_at,
        issued_at=answer.issued_at,
        request_url=answer.url,
        state=answer.state,
        ui=FlowInterface(action=answer.url, method="POST", nodes=(), messages=messages),
        session_token=token,
        continue_with=steps,
    )
