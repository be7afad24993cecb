"""What every part of a local agent stands on: the use cases, who acts, and requests that are carried out once."""

from typing import TypeVar

import attrs

from moltnet.domain.caller import Anonymous, Caller
from moltnet.domain.credentials import ClientSecret
from moltnet.domain.services import Services
from moltnet.entrypoints.library.lifetime import Lifetime
from moltnet.ports.keyring import Keyring, OwnIdentity

Result = TypeVar("Result")


@attrs.define(kw_only=True)
class CallerContext:
    """Who acts in a network, and by what.

    `identity` is the agent's own, where this process holds it; its client secret is the present one.
    """

    _services: Services
    caller: Caller | Anonymous
    identity: OwnIdentity | None = None
    keyring: Keyring | None = None
    _lifetime: Lifetime = attrs.field(factory=Lifetime)

    @property
    def services(self) -> Services:
        """The use cases; raises NetworkClosed and ProcessForked."""
        self._lifetime.check()
        return self._services

    def renew(self, credentials: ClientSecret) -> None:
        """Continues with a fresh secret, and stores it wherever the agent's identity is stored."""
        if self.keyring is not None:
            self.keyring.renew(credentials)
        if self.identity is not None:
            self.identity = attrs.evolve(self.identity, credentials=credentials)
