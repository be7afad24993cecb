"""Hydra's public keys: kept by id, read again when an unknown one is named, and kept when it does not answer."""

import asyncio
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import attrs
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from ory_client import WellknownApi

from moltnet.adapters.ory.service import OryService, OryUnavailable, malformed
from moltnet.ports.system import Clock

# Asymmetric alone: a public key must never serve as a shared secret (RFC 8725 §3.1).
ALGORITHMS: Mapping[str, type[RSAKey] | type[ECKey]] = {"RS256": RSAKey, "ES256": ECKey}
_KTY_ALGORITHMS = {"RSA": "RS256", "EC": "ES256"}
# Made-up ids cost no more than a call in this time.
REREAD_FLOOR = timedelta(seconds=5)
REREAD_AFTER = timedelta(minutes=10)
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
PublicKey: TypeAlias = RSAKey | ECKey

_log = logging.getLogger(__name__)


@attrs.frozen
class PublishedKey:
    """A key that verifies, with the one algorithm it is for."""

    kid: str
    algorithm: str
    key: PublicKey = attrs.field(repr=False)
    jwk: Mapping[str, str] = attrs.field(repr=False)


class PublishedKeys:
    """One process's view of the JWKS (RFC 7517 §5)."""

    def __init__(self, public: OryService, clock: Clock) -> None:
        self._public, self._clock = public, clock
        self._keys: dict[str, PublishedKey] = {}
        self._tried_at: datetime | None = None
        self._reading = asyncio.Lock()

    async def find(self, kid: str) -> PublishedKey | None:
        """The key of an id; None when none has it, or when Hydra did not answer and it was not known before."""
        if self._is_stale(kid):
            try:
                await self._refresh(kid)
            except OryUnavailable as error:
                _log.warning("token keys could not be read again: %s", error.detail)
        return self._keys.get(kid)

    async def published(self) -> list[Mapping[str, str]]:
        """The keys as JSON Web Keys, in Hydra's order. Raises OryUnavailable when none was ever read."""
        if self._is_stale(None):
            try:
                await self._refresh(None)
            except OryUnavailable:
                if not self._keys:
                    raise
        return [each.jwk for each in self._keys.values()]

    async def _refresh(self, kid: str | None) -> None:
        async with self._reading:
            if self._is_stale(kid):  # nobody read them while this call waited
                self._tried_at = self._clock.now()
                self._keys = await self._read()

    def _is_stale(self, kid: str | None) -> bool:
        if self._tried_at is None or (kid is None and not self._keys):
            return True
        age = self._clock.now() - self._tried_at
        missing = kid is not None and kid not in self._keys
        return age >= (REREAD_FLOOR if missing else REREAD_AFTER)

    async def _read(self) -> dict[str, PublishedKey]:
        call = "publish its keys"
        reply = await self._public.call(
            call,
            lambda client, timeout: WellknownApi(client).discover_json_web_keys_without_preload_content(
                _request_timeout=timeout
            ),
            {200},
        )
        elements = reply.member("keys")
        if not isinstance(elements, list):
            raise malformed(self._public, call)
        usable = [key for key in map(_usable, elements) if key is not None]
        return {key.kid: key for key in usable}


def _usable(jwk: Any) -> PublishedKey | None:
    """A key of the set that can verify tokens here; None for any other, which is not an error."""
    if not isinstance(jwk, dict) or jwk.get("use", "sig") != "sig" or not isinstance(jwk.get("kid"), str):
        return None
    algorithm = jwk.get("alg") or _KTY_ALGORITHMS.get(str(jwk.get("kty")))
    kind = ALGORITHMS.get(str(algorithm))
    public: dict[str, Any] = {
        name: value for name, value in jwk.items() if isinstance(value, str) and name not in _PRIVATE
    }
    if kind is None or kind.key_type != public.get("kty"):
        return None
    try:
        return PublishedKey(public["kid"], str(algorithm), kind.import_key(public), public)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
