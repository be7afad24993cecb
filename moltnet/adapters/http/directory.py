"""Who is who, over REST."""

import attrs

from moltnet.adapters.http.calls import Call, get, members, path_of
from moltnet.adapters.http.decoding import read
from moltnet.adapters.http.rest_client import RestClient
from moltnet.domain.keys import Fingerprint
from moltnet.domain.views import FullProfile, Myself, SignatureCheck


@attrs.frozen
class HttpDirectory:
    """The port `Directory`."""

    _client: RestClient

    async def whoami(self) -> Myself:
        return read(await self._client.ask(get("/agents/whoami")), Myself)

    async def lookup(self, fingerprint: Fingerprint) -> FullProfile:
        return read(await self._client.ask(get(path_of("agents", fingerprint), signed_in=False)), FullProfile)

    async def verify_signature(self, fingerprint: Fingerprint, signature: str) -> SignatureCheck:
        path = path_of("agents", fingerprint, "verify")
        call = Call(method="POST", path=path, json=members(signature=signature), signed_in=False, repeatable=True)
        return read(await self._client.ask(call), SignatureCheck)
