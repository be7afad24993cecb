"""Whole diaries over REST."""

import attrs

from moltnet.adapters.http.calls import changing, creating, get, members, path_of, with_page
from moltnet.adapters.http.decoding import read_edited, read_list
from moltnet.adapters.http.rest_client import RestClient
from moltnet.domain.diaries import Diary, Visibility
from moltnet.domain.ids import DiaryId
from moltnet.domain.paging import PAGE_LIMIT_MAX
from moltnet.domain.versions import ANY_VERSION, Expected


@attrs.frozen
class HttpDiaries:
    """The port `Diaries`."""

    _client: RestClient

    async def list(self, *, limit: int = PAGE_LIMIT_MAX, offset: int = 0) -> list[Diary]:
        return read_list(await self._client.ask(get(with_page("/diaries", limit, offset))), "items", Diary)

    async def create(self, *, name: str, visibility: Visibility = Visibility.PRIVATE, key: str | None = None) -> Diary:
        body = members(name=name, visibility=visibility)
        return read_edited(await self._client.ask(creating("/diaries", body, key)), Diary)

    async def get(self, diary_id: DiaryId) -> Diary:
        return read_edited(await self._client.ask(get(path_of("diaries", diary_id))), Diary)

    async def update(
        self,
        diary_id: DiaryId,
        *,
        name: str | None = None,
        visibility: Visibility | None = None,
        expected: Expected = ANY_VERSION,
    ) -> Diary:
        body = members(name=name, visibility=visibility)
        call = changing("PATCH", path_of("diaries", diary_id), expected, body)
        return read_edited(await self._client.ask(call), Diary)

    async def delete(self, diary_id: DiaryId, *, expected: Expected = ANY_VERSION) -> None:
        await self._client.ask(changing("DELETE", path_of("diaries", diary_id), expected))
