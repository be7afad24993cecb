"""The settings of a server that has Ory behind it (docs/ory.md)."""

from collections.abc import Mapping
from typing import Self

import attrs

from moltnet.entrypoints.environment import Variables, read_http_url, word

ORY_PROJECT, ORY_API_KEY, ORY_ISSUER = "ORY_PROJECT_URL", "ORY_API_KEY", "MOLTNET_ORY_ISSUER"
ORY_SIDES: Mapping[str, str] = {
    f"{service}_{side}": f"ORY_{service}_{side}_URL".upper()
    for service in ("kratos", "hydra", "keto")
    for side in ("public", "admin")
}


@attrs.frozen(kw_only=True)
class OrySettings:
    """An Ory that stands behind a server (docs/reference/ory.md, "Services").

    Each side of each service has an address; `issuer` is what Hydra calls itself in its tokens.
    """

    kratos_public: str
    kratos_admin: str
    hydra_public: str
    hydra_admin: str
    keto_public: str
    keto_admin: str
    issuer: str
    api_key: str | None = attrs.field(default=None, repr=False)

    @classmethod
    def read(cls, variables: Variables) -> Self | None:
        """None when no address is set; the project's address stands in for each of the six that is not set itself."""
        project = variables.read(ORY_PROJECT, read_http_url)
        addresses = {side: variables.read(name, read_http_url) or project for side, name in ORY_SIDES.items()}
        api_key, issuer = variables.read(ORY_API_KEY, word), variables.read(ORY_ISSUER, read_http_url)
        if not any(addresses.values()):
            return None
        variables.problems += [
            f"{name}: required when another address of Ory is set, unless {ORY_PROJECT} gives them all"
            for side, name in ORY_SIDES.items()
            if addresses[side] is None
        ]
        urls = {side: address or "" for side, address in addresses.items()}
        return cls(**urls, issuer=issuer or urls["hydra_public"], api_key=api_key)
