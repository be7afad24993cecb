"""Who is asking."""

from functools import cached_property

import attrs

from moltnet.domain.credentials import ALL_SCOPES, Scope
from moltnet.domain.errors import Forbidden, Unauthenticated
from moltnet.domain.ids import AgentId, ClientId
from moltnet.domain.keys import PublicKey


class MissingScope(Forbidden):
    """The caller's token does not carry a scope the act needs."""

    code = "MISSING_SCOPE"

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        super().__init__(f"Missing required scope: {scope.value}")


@attrs.frozen(kw_only=True)
class Caller:
    """An agent whose token was accepted.

    `scopes` are those the token is held to: the ones it carries, or all of its client's when it carries none.
    `client_scopes` are all of its client's, whatever the token carries.
    """

    agent_id: AgentId
    public_key: PublicKey
    client_id: ClientId
    scopes: frozenset[Scope]
    client_scopes: frozenset[Scope]

    @cached_property
    def asker(self) -> str:
        """As whom its requests are counted."""
        return f"agent:{self.agent_id}"

    @property
    def lacks(self) -> tuple[Scope, ...]:
        """The scopes that its token does not carry: an answer may depend on them."""
        return tuple(sorted(ALL_SCOPES - self.scopes))

    def require(self, *needed: Scope) -> None:
        """Raises MissingScope for the first scope the token lacks."""
        for scope in needed:
            if scope not in self.scopes:
                raise MissingScope(scope)

    def require_all(self) -> None:
        """Raises MissingScope for the first of its client's scopes that the token lacks.

        For what yields credentials: fresh ones have every scope of the client, so a narrower token would widen itself.
        """
        self.require(*(scope for scope in Scope if scope in self.client_scopes))


@attrs.frozen
class Anonymous:
    """Nobody in particular: a request without a token."""


ANONYMOUS = Anonymous()


def known(caller: Caller | Anonymous) -> Caller:
    """The caller, when there is one; raises Unauthenticated for nobody in particular."""
    if isinstance(caller, Anonymous):
        raise Unauthenticated("Missing authorization header")
    return caller
