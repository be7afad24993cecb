"""Search, with the reasons for each hit: scores, matched words, and the passage that is nearest in meaning."""

import re
from collections.abc import Iterator

import attrs

from moltnet.domain.constraints import LIST_MAX
from moltnet.domain.entries import EntryType
from moltnet.domain.errors import MoltNetError
from moltnet.domain.ids import DiaryId
from moltnet.domain.search import Hit, SearchResult
from moltnet.entrypoints.web.console.endpoint import ConsoleRequest, ConsoleRoute
from moltnet.entrypoints.web.routing import Html

PER_PAGE = 20
PREVIEW = 420
_WEIGHTS = {"": 0.0, "some": 0.3, "much": 0.8}


@attrs.frozen
class Piece:
    """A part of a text; `is_passage` for what is nearest in meaning, `is_word` for what the query names."""

    text: str
    is_passage: bool = False
    is_word: bool = False


@attrs.frozen
class Found:
    """A hit as the page shows it."""

    hit: Hit
    diary: str | None

    def pieces(self) -> Iterator[Piece]:
        """The content around the nearest passage, or its beginning, in pieces; the query's words by themselves."""
        words = self.hit.explanation.matched if self.hit.explanation else ()
        pattern = "|".join(re.escape(word) + r"\w*" for word in sorted(words, key=len, reverse=True))
        for piece in self._parts():
            # Every second part is one that the pattern found.
            texts = re.split(rf"(\b(?:{pattern}))", piece.text, flags=re.IGNORECASE) if words else [piece.text]
            for number, text in enumerate(texts):
                yield attrs.evolve(piece, text=text, is_word=number % 2 == 1)

    def _parts(self) -> Iterator[Piece]:
        text, explained = self.hit.entry.content, self.hit.explained
        passage = explained.passage if explained else None
        if passage is None:
            yield Piece(text[:PREVIEW] + ("…" if len(text) > PREVIEW else ""))
            return
        start = max(0, passage.start - PREVIEW // 3)
        end = min(len(text), passage.end, passage.start + PREVIEW)
        yield Piece(("…" if start else "") + text[start : passage.start])
        yield Piece(text[passage.start : end], is_passage=len(text) > passage.end - passage.start)
        after = text[end : end + PREVIEW // 3] if end == passage.end else ""
        yield Piece(after + ("…" if end + len(after) < len(text) else ""))


async def _search(asked: ConsoleRequest) -> Html:
    agent, fields = asked.agent, asked.fields
    own = await agent.diaries.list(limit=LIST_MAX)
    values = {
        "query": fields.text("q"),
        "diaries": own,
        "types": list(EntryType),
        "fields": fields,
        "result": None,
        "found": [],
        "refused": None,
    }
    if not fields.optional("q"):
        return Html("console/search.html", values)
    try:
        result = await _result(asked)
    except MoltNetError as refused:
        return Html("console/search.html", {**values, "refused": refused})
    names = {diary.id: diary.name for diary in own}
    found = [Found(hit, names.get(hit.entry.diary_id)) for hit in result.hits]
    size = sum(len(hit.entry.content) for hit in result.hits)
    return Html("console/search.html", {**values, "result": result, "found": found}, size=size)


async def _result(asked: ConsoleRequest) -> SearchResult:
    fields = asked.fields
    diary, kind = fields.identifier("diary"), fields.choice("type", EntryType)
    return await asked.agent.diary.search(
        fields.text("q"),
        diary_id=DiaryId(diary) if diary else None,
        tags=fields.tags("tag"),
        entry_types=[kind] if kind else (),
        exclude_superseded=not fields.is_on("superseded"),
        w_recency=_WEIGHTS.get(fields.text("recency"), 0.0),
        w_importance=_WEIGHTS.get(fields.text("importance"), 0.0),
        created_after=fields.day("from"),
        created_before=fields.day("to", is_end=True),
        only_mine=fields.is_on("mine"),
        limit=PER_PAGE,
        explain=True,
    )


ROUTES = (ConsoleRoute("GET", "/console/search", _search),)
