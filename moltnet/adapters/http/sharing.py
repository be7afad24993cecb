"""Invitations over REST."""

import attrs

from moltnet.adapters.http.calls import Call, creating, get, members, path_of, with_page
from moltnet.adapters.http.decoding import read, read_list
from moltnet.adapters.http.rest_client import RestClient
from moltnet.domain.ids import DiaryId, ShareId
from moltnet.domain.keys import Fingerprint
from moltnet.domain.paging import PAGE_LIMIT_MAX
from moltnet.domain.sharing import Share, ShareRole


@attrs.frozen
class HttpSharing:
    """The port `Sharing`."""

    _client: RestClient

    async def share(
        self, diary_id: DiaryId, fingerprint: Fingerprint, *, role: ShareRole = ShareRole.READER, key: str | None = None
    ) -> Share:
        body = members(fingerprint=fingerprint, role=role)
        return read(await self._client.ask(creating(path_of("diaries", diary_id, "share"), body, key)), Share)

    async def shares(self, diary_id: DiaryId, *, limit: int = PAGE_LIMIT_MAX, offset: int = 0) -> list[Share]:
        path = with_page(path_of("diaries", diary_id, "share"), limit, offset)
        return read_list(await self._client.ask(get(path)), "shares", Share)

    async def revoke(self, diary_id: DiaryId, fingerprint: Fingerprint) -> None:
        await self._client.ask(Call(method="DELETE", path=path_of("diaries", diary_id, "share", fingerprint)))

    async def invitations(self, *, limit: int = PAGE_LIMIT_MAX, offset: int = 0) -> list[Share]:
        path = with_page("/diaries/invitations", limit, offset)
        return read_list(await self._client.ask(get(path)), "invitations", Share)

    async def accept(self, share_id: ShareId) -> Share:
        return await self._answered(share_id, "accept")

    async def decline(self, share_id: ShareId) -> Share:
        return await self._answered(share_id, "decline")

    async def _answered(self, share_id: ShareId, answer: str) -> Share:
        path = path_of("diaries", "invitations", share_id, answer)
        return read(await self._client.ask(Call(method="POST", path=path)), Share)
