"""Identities, beside the agent's own key: where the network keeps that an agent exists, and how one comes back."""

from typing import Protocol

from moltnet.domain.ids import AgentId
from moltnet.domain.keys import PublicKey
from moltnet.domain.recovery import FlowAnswer, Recovery


class IdentityProvider(Protocol):
    """Kratos, or our own records. Raises Unavailable when it does not answer."""

    async def create(self, registration: str, key: PublicKey, voucher_code: str | None) -> AgentId:
        """The identity of a registration; the same registration again gets the same identity (a repeated step)."""
        ...

    async def delete(self, registration: str, key: PublicKey) -> None:
        """Removes the identity that a registration made for a key; a missing one is not an error.

        Named by these, since an identity whose creation was never answered has no known id.
        """
        ...

    async def begin_recovery(self, identity: AgentId) -> Recovery:
        """A one-time code, and the address where it is exchanged for a session token."""
        ...

    async def finish_recovery(self, session_token: str) -> AgentId:
        """Whose session a token proves; raises InvalidSession."""
        ...


class RecoveryFlows(Protocol):
    """The address that `Recovery.flow_url` names, where no other service answers it.

    Source: docs/reference/signatures.md, "Recovery flow".
    """

    async def answer_flow(self, flow: str, code: str) -> FlowAnswer:
        """Tries a code in a flow; the right one gives a session token, once, and each try counts.

        Of right tries at once Kratos may let several pass; their sessions are good for one `finish_recovery` together.
        Raises FlowNotFound, FlowOver and CodeSpent.
        """
        ...
