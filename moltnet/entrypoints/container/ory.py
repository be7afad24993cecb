"""Ory, and the adapters over it. Its package takes a second and 50 MB, so only servers with Ory load it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import attrs

from moltnet.entrypoints.environment import SettingsInvalid
from moltnet.entrypoints.ory_settings import OrySettings
from moltnet.ports.identity import ClientRegistry, TokenIssuer, TokenVerifier
from moltnet.ports.permissions import RelationStore
from moltnet.ports.storage import Storage
from moltnet.ports.system import Clock, Randomness
from moltnet.ports.telemetry import NO_TELEMETRY, Telemetry

if TYPE_CHECKING:
    from moltnet.adapters.ory.health_check import OryHealthCheck
    from moltnet.adapters.ory.identity import OryIdentityProvider
    from moltnet.adapters.ory.published_keys import PublishedKeys
    from moltnet.adapters.ory.services import OryServices


@attrs.frozen
class Ory:
    """Open services of Ory, whose tokens name `issuer`; each method makes the adapter of a port over them."""

    services: "OryServices"
    issuer: str

    def identities(
        self, *, storage: Storage, clock: Clock, randomness: Randomness, base_url: str
    ) -> "OryIdentityProvider":
        """Identities and recovery codes in Kratos."""
        from moltnet.adapters.ory.identity import OryIdentityProvider  # noqa: PLC0415  # heavy
        from moltnet.adapters.ory.schemas import AgentSchema  # noqa: PLC0415  # heavy

        public, admin = self.services.kratos_public, self.services.kratos_admin
        return OryIdentityProvider(public, admin, AgentSchema(public), storage, clock, randomness, base_url)

    def clients(self, *, storage: Storage, clock: Clock, randomness: Randomness) -> ClientRegistry:
        """OAuth clients in Hydra."""
        from moltnet.adapters.ory.clients import OryClients  # noqa: PLC0415  # heavy

        return OryClients(self.services.hydra_admin, storage, clock, randomness)

    def published_keys(self, *, clock: Clock) -> "PublishedKeys":
        """The keys that Hydra signs tokens with."""
        from moltnet.adapters.ory.published_keys import PublishedKeys  # noqa: PLC0415  # heavy

        return PublishedKeys(self.services.hydra_public, clock)

    def token_issuer(self, *, keys: "PublishedKeys", storage: Storage) -> TokenIssuer:
        """Tokens of Hydra."""
        from moltnet.adapters.ory.tokens import OryTokenIssuer  # noqa: PLC0415  # heavy

        return OryTokenIssuer(self.services.hydra_public, keys, storage)

    def token_verifier(
        self, *, keys: "PublishedKeys", storage: Storage, clock: Clock, audience: str, scopeless_tokens_have_all: bool
    ) -> TokenVerifier:
        """Verification of Hydra's tokens."""
        from moltnet.adapters.ory.claims import Expected  # noqa: PLC0415  # heavy
        from moltnet.adapters.ory.tokens import OryTokenVerifier  # noqa: PLC0415  # heavy

        return OryTokenVerifier(
            admin=self.services.hydra_admin,
            keys=keys,
            storage=storage,
            clock=clock,
            expected=Expected.of(self.issuer, [audience]),
            scopeless_tokens_have_all=scopeless_tokens_have_all,
        )

    def relation_store(self) -> RelationStore:
        """Permissions in Keto."""
        from moltnet.adapters.ory.relations import OryRelationStore  # noqa: PLC0415  # heavy

        return OryRelationStore(public=self.services.keto_public, admin=self.services.keto_admin)

    def health_check(self, clock: Clock, randomness: Randomness) -> "OryHealthCheck":
        """What there is to look at in it."""
        from moltnet.adapters.ory.health_check import OryHealthCheck  # noqa: PLC0415  # heavy

        return OryHealthCheck(services=self.services, issuer=self.issuer, clock=clock, randomness=randomness)


@contextmanager
def ory_of(settings: OrySettings | None, telemetry: Telemetry = NO_TELEMETRY) -> Iterator[Ory | None]:
    """The Ory that is set up, None without one. Raises SettingsInvalid when its package is missing."""
    if settings is None:
        yield None
        return
    with ory_opened(settings, telemetry) as ory:
        yield ory


@contextmanager
def ory_opened(settings: OrySettings, telemetry: Telemetry = NO_TELEMETRY) -> Iterator[Ory]:
    """The services at their addresses. Raises SettingsInvalid when the package is missing."""
    try:
        from moltnet.adapters.ory.services import OryAddresses, ory_services  # noqa: PLC0415  # in an extra of its own
    except ModuleNotFoundError as error:
        raise SettingsInvalid(
            [f"ORY_…_URL: Ory needs the package {error.name}: pip install 'moltnet[ory]', or unset them"]
        ) from error
    addresses = attrs.asdict(settings, filter=lambda field, _: field.name != "issuer")
    with ory_services(OryAddresses(**addresses), telemetry=telemetry) as services:
        yield Ory(services, settings.issuer)
