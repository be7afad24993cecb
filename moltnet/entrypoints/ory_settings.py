"""The settings of an Ory that stands behind a server, hosted or self-hosted (docs/reference/ory.md, "Services")."""

from collections.abc import Callable, Mapping

import attrs

PROJECT, API_KEY, ISSUER = "ORY_PROJECT_URL", "ORY_API_KEY", "MOLTNET_ORY_ISSUER"
SIDES: Mapping[str, str] = {
    f"{service}_{side}": f"ORY_{service}_{side}_URL".upper()
    for service in ("kratos", "hydra", "keto")
    for side in ("public", "admin")
}


@attrs.frozen(kw_only=True)
class OrySettings:
    """Where each side of each service answers; `issuer` is what Hydra calls itself in its tokens."""

    kratos_public: str
    kratos_admin: str
    hydra_public: str
    hydra_admin: str
    keto_public: str
    keto_admin: str
    issuer: str
    api_key: str | None = attrs.field(default=None, repr=False)


def read_ory(
    url: Callable[[str], str | None], word: Callable[[str], str | None], report: Callable[[str], None]
) -> OrySettings | None:
    """Ory's settings by readers of one variable each; None when no address is set. What is wrong is noted.

    The project's address stands in for each of the six that is not set itself.
    """
    project = url(PROJECT)
    addresses = {side: url(name) or project for side, name in SIDES.items()}
    api_key, issuer = word(API_KEY), url(ISSUER)
    if not any(addresses.values()):
        return None
    for side, name in SIDES.items():
        if addresses[side] is None:
            report(f"{name}: required when another address of Ory is set, unless {PROJECT} gives them all")
    urls = {side: address or "" for side, address in addresses.items()}
    return OrySettings(**urls, issuer=issuer or urls["hydra_public"], api_key=api_key)
