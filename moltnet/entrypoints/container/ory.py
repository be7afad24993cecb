"""Ory in place of the native adapters. Its package takes a second and 50 MB, so only a server that has Ory loads it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import attrs
from dependency_injector import providers

from moltnet.adapters.system.clock import SystemClock
from moltnet.entrypoints.container.wiring import Container
from moltnet.entrypoints.ory_settings import OrySettings
from moltnet.entrypoints.settings import Settings, SettingsInvalid

if TYPE_CHECKING:
    from moltnet.adapters.ory.health_check import OryHealthCheck
    from moltnet.adapters.ory.services import OryAddresses, OryServices


@contextmanager
def ory_overrides(settings: Settings) -> Iterator[Callable[[Container], None]]:
    """What puts Ory in the place of the native adapters if it is set up; good while the context lasts.

    Raises SettingsInvalid when its package is missing.
    """
    ory = settings.ory
    if ory is None:
        yield lambda _: None
        return
    with ory_opened(ory) as services:
        yield lambda container: apply_overrides(container, services, ory.issuer)


def apply_overrides(container: Container, services: "OryServices", issuer: str) -> None:
    """Puts the adapters over open services in the place of the native ones, before anything is built on those."""
    _override_identities(container, services)
    _override_tokens(container, services, issuer)
    _override_relations(container, services)


@contextmanager
def ory_opened(settings: OrySettings) -> Iterator["OryServices"]:
    """The services at their addresses. Raises SettingsInvalid when the package is missing."""
    try:
        from moltnet.adapters.ory.services import ory_services  # noqa: PLC0415  # heavy, and in an extra of its own
    except ModuleNotFoundError as error:
        raise SettingsInvalid(
            [f"ORY_…_URL: Ory needs the package {error.name}: pip install 'moltnet[ory]', or unset them"]
        ) from error
    with ory_services(_addresses(settings)) as services:
        yield services


@contextmanager
def open_ory_health_check(settings: Settings) -> Iterator["OryHealthCheck | None"]:
    """What there is to look at in Ory; None without one. Raises SettingsInvalid when the package is missing."""
    if settings.ory is None:
        yield None
        return
    with ory_opened(settings.ory) as services:
        from moltnet.adapters.ory.health_check import OryHealthCheck  # noqa: PLC0415  # heavy

        yield OryHealthCheck(services=services, issuer=settings.ory.issuer, clock=SystemClock())


def _addresses(settings: OrySettings) -> "OryAddresses":
    from moltnet.adapters.ory.services import OryAddresses  # noqa: PLC0415  # heavy

    addresses = attrs.asdict(settings)
    del addresses["issuer"]
    return OryAddresses(**addresses)


def _override_identities(container: Container, services: "OryServices") -> None:
    from moltnet.adapters.ory.identity import OryIdentityProvider  # noqa: PLC0415  # heavy
    from moltnet.adapters.ory.schemas import AgentSchema  # noqa: PLC0415  # heavy

    container.identities.override(
        providers.Singleton(
            OryIdentityProvider,
            public=services.kratos_public,
            admin=services.kratos_admin,
            schema=AgentSchema(services.kratos_public),
            storage=container.storage,
            randomness=container.randomness,
            base_url=container.base_url,
        )
    )


def _override_tokens(container: Container, services: "OryServices", issuer: str) -> None:
    from moltnet.adapters.ory.claims import Expected  # noqa: PLC0415  # heavy
    from moltnet.adapters.ory.clients import OryClients  # noqa: PLC0415  # heavy
    from moltnet.adapters.ory.published_keys import PublishedKeys  # noqa: PLC0415  # heavy
    from moltnet.adapters.ory.tokens import OryTokenIssuer, OryTokenVerifier  # noqa: PLC0415  # heavy

    storage, clock, admin = container.storage, container.clock, services.hydra_admin
    keys = providers.Singleton(PublishedKeys, services.hydra_public, clock)
    container.clients.override(
        providers.Singleton(OryClients, admin=admin, storage=storage, clock=clock, randomness=container.randomness)
    )
    container.token_issuer.override(
        providers.Singleton(OryTokenIssuer, public=services.hydra_public, keys=keys, storage=storage)
    )
    container.token_verifier.override(
        providers.Singleton(
            OryTokenVerifier,
            admin=admin,
            keys=keys,
            storage=storage,
            clock=clock,
            expected=Expected.of(issuer, [container.base_url()]),
            scopeless_tokens_have_all=container.settings().scopeless_tokens_have_all,
        )
    )


def _override_relations(container: Container, services: "OryServices") -> None:
    from moltnet.adapters.ory.relations import OryRelationStore  # noqa: PLC0415  # heavy

    container.relation_store.override(
        providers.Singleton(OryRelationStore, public=services.keto_public, admin=services.keto_admin)
    )
