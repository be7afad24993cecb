"""The addresses of a whole Ory: three services with two sides each (docs/reference/ory.md, "Services")."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import attrs

from moltnet.adapters.ory.service import CallLimits, OryService
from moltnet.ports.telemetry import NO_TELEMETRY, Telemetry

# Anyone who carries a change of relations out gives up after a few seconds, and then another may carry out the next
# one. A write must be over by then, since one that arrived later would undo that; so it is short, and not tried again
# here.
KETO_CONNECT_S, KETO_READ_S = 0.5, 1.0


@attrs.frozen(kw_only=True)
class OryAddresses:
    """Where each side answers; on Ory Network all are the project's URL. `api_key` None is for self-hosted services."""

    kratos_public: str
    kratos_admin: str
    hydra_public: str
    hydra_admin: str
    keto_public: str
    keto_admin: str
    api_key: str | None = attrs.field(default=None, repr=False)


@attrs.frozen(kw_only=True)
class OryServices:
    """A service for each side: each has threads of its own, so that one that hangs holds up none of the others.

    Hydra needs that most: while its public side issues a token, its hook asks us, and we its admin side.
    """

    kratos_public: OryService
    kratos_admin: OryService
    hydra_public: OryService
    hydra_admin: OryService
    keto_public: OryService
    keto_admin: OryService


@contextmanager
def ory_services(
    addresses: OryAddresses, limits: CallLimits | None = None, telemetry: Telemetry = NO_TELEMETRY
) -> Iterator[OryServices]:
    """The services until the context is left. What needs no key is not sent one."""
    limits, key = limits or CallLimits(), addresses.api_key
    brief = attrs.evolve(
        limits, connect_s=min(limits.connect_s, KETO_CONNECT_S), read_s=min(limits.read_s, KETO_READ_S)
    )
    with ExitStack() as stack:

        def opened(name: str, url: str, api_key: str | None, limits: CallLimits = limits) -> OryService:
            service = OryService(name, url, api_key, limits, telemetry)
            stack.callback(service.close)
            return service

        yield OryServices(
            kratos_public=opened("Kratos", addresses.kratos_public, None),
            kratos_admin=opened("Kratos admin", addresses.kratos_admin, key),
            hydra_public=opened("Hydra", addresses.hydra_public, None),
            hydra_admin=opened("Hydra admin", addresses.hydra_admin, key),
            keto_public=opened("Keto", addresses.keto_public, key, brief),
            keto_admin=opened("Keto admin", addresses.keto_admin, key, attrs.evolve(brief, attempts=1)),
        )
