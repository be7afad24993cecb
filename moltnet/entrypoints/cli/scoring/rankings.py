"""How well the right memory is found: sets of memories and questions, rankings of them, and figures."""

import asyncio
import json
import resource
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import attrs

from moltnet.domain.caller import Caller
from moltnet.domain.entries import CONTENT_MAX, NewEntry
from moltnet.domain.errors import Invalid
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.indexing import EmbedderUnavailable
from moltnet.domain.ranking import Candidate
from moltnet.domain.search import Filters, Search
from moltnet.domain.services import Services

_ENTRY = frozenset({"entry", "content", "title", "tags"})
_QUESTION = frozenset({"query", "relevant", "kind"})
_NOWHERE, _NEVER = UUID(int=0), datetime(2000, 1, 1, tzinfo=UTC)


class MemorySetInvalid(Invalid):
    """A file that is not a set of memories and questions; the detail names the line."""

    code = "MEMORY_SET_INVALID"


@attrs.frozen
class Memory:
    """An entry to be found, by its id in the file."""

    id: str
    new: NewEntry


@attrs.frozen
class MemoryQuestion:
    """A question and the ids of relevant entries, each with a grade above 0."""

    query: str
    relevant: Mapping[str, float]
    kind: str | None = None


@attrs.frozen
class MemorySet:
    """Entries and questions about them, at least one of each."""

    entries: tuple[Memory, ...]
    questions: tuple[MemoryQuestion, ...]


def read_memory_set(path: Path) -> MemorySet:
    """The set in a file; raises MemorySetInvalid with the file's name and the line."""
    try:
        return parse(path.read_text(encoding="utf-8").split("\n"))
    except OSError as error:
        raise MemorySetInvalid(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise MemorySetInvalid(f"{path} is not UTF-8") from error
    except MemorySetInvalid as error:
        raise MemorySetInvalid(f"{path}: {error.detail}") from error


def parse(lines: Iterable[str]) -> MemorySet:
    """The set that lines describe; raises MemorySetInvalid with the number of the line."""
    entries: dict[str, Memory] = {}
    questions: dict[int, MemoryQuestion] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            read = _read(line)
            if isinstance(read, MemoryQuestion):
                questions[number] = read
                continue
            if read.id in entries:
                raise ValueError(f"there is an entry {read.id!r} already")  # noqa: TRY301  # reported with its line below
            entries[read.id] = read
        except (ValueError, Invalid) as error:
            raise MemorySetInvalid(f"line {number}: {error}") from error
    _check_complete(entries, questions)
    return MemorySet(tuple(entries.values()), tuple(questions.values()))


def _check_complete(entries: Mapping[str, Memory], questions: Mapping[int, MemoryQuestion]) -> None:
    for number, question in questions.items():
        if unknown := sorted(question.relevant.keys() - entries.keys()):
            raise MemorySetInvalid(f"line {number}: there is no entry {unknown[0]!r}")
    if not entries:
        raise MemorySetInvalid("it contains no entries")
    if not any(question.relevant for question in questions.values()):
        raise MemorySetInvalid("it contains no question with a relevant entry")


def _read(line: str) -> Memory | MemoryQuestion:
    try:
        members = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is not JSON: {error}") from error
    if not isinstance(members, dict):
        raise ValueError("it is not a JSON object")  # noqa: TRY004  # an error in a file, not in a call
    is_entry = "entry" in members
    if unknown := sorted(members.keys() - (_ENTRY if is_entry else _QUESTION)):
        raise ValueError(f"{'an entry' if is_entry else 'a question'} has no member {unknown[0]!r}")
    return _memory(members) if is_entry else _question(members)


def _memory(members: Mapping[str, Any]) -> Memory:
    tags = members.get("tags")
    if tags is not None and not isinstance(tags, list):
        raise ValueError("tags must be a list of texts")
    new = NewEntry(
        content=_text(members, "content"),
        title=_text(members, "title") if "title" in members else None,
        tags=None if tags is None else tuple(_storable(tag, "a tag") for tag in tags),
    )
    new.written(EntryId(_NOWHERE), DiaryId(_NOWHERE), _NEVER, CONTENT_MAX)  # checks the limits of entries
    return Memory(_text(members, "entry"), new)


def _question(members: Mapping[str, Any]) -> MemoryQuestion:
    query = Search(query=_text(members, "query")).query or ""
    kind = _text(members, "kind") if "kind" in members else None
    return MemoryQuestion(query, _grades(members.get("relevant")), kind)


def _grades(relevant: object) -> dict[str, float]:
    if isinstance(relevant, list):
        return {_storable(each, "an id in relevant"): 1.0 for each in relevant}
    if not isinstance(relevant, dict):
        raise ValueError("relevant must be a list of entries' ids, or map ids to grades")  # noqa: TRY004  # as above
    for grade in relevant.values():
        if isinstance(grade, bool) or not isinstance(grade, int | float) or not 0 < grade < float("inf"):
            raise ValueError("a grade in relevant must be a number above 0")
    return {_storable(each, "an id in relevant"): float(grade) for each, grade in relevant.items()}


def _text(members: Mapping[str, Any], name: str) -> str:
    if name not in members:
        raise ValueError(f"{name} is missing")
    return _storable(members[name], name)


def _storable(value: object, name: str) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} must be a text that is not empty")
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError(f"{name} holds a character that cannot be stored")
    return value


DEPTH = 10
FUSED_DEPTH, FUSED_K = 100, 60
WRITERS = 4


@attrs.frozen
class Ranked:
    """The ids of the file in each ranking of a question, and the seconds that the network's own took."""

    question: MemoryQuestion
    answers: Mapping[str, Sequence[str]]
    seconds: float


@attrs.frozen(kw_only=True)
class Asker:
    """An agent with a diary of memories, who asks."""

    services: Services
    caller: Caller
    diary: DiaryId
    ids: Mapping[EntryId, str]

    @classmethod
    async def prepared(
        cls, services: Services, caller: Caller, memories: MemorySet, on_step: Callable[[], object]
    ) -> "Asker":
        """Writes the entries into a new diary, and calls `on_step` after each; raises EmbedderUnavailable."""
        if services.models.serving is None:
            raise EmbedderUnavailable("Nothing can be measured without the embedding model: see `moltnet doctor`")
        diary = await services.diaries.create(caller, name="AgentEntries")
        ids: dict[EntryId, str] = {}
        waiting = iter(memories.entries)

        async def write() -> None:
            for memory in waiting:
                ids[await _stored(services, caller, diary.id, memory)] = memory.id
                on_step()

        await asyncio.gather(*(write() for _ in range(WRITERS)))
        return cls(services=services, caller=caller, diary=diary.id, ids=ids)

    async def ask(self, question: MemoryQuestion) -> Ranked:
        """The rankings of a question; the network's own is a search with default options."""
        started = time.perf_counter()
        search = Search(diary_id=self.diary, query=question.query, limit=DEPTH)
        answer = await self.services.search.search(self.caller, search)
        seconds = time.perf_counter() - started
        vectors, words, expansions = await self._sides(question.query)
        answers = {
            "moltnet": [self.ids[hit.entry.id] for hit in answer.hits],
            "vectors": vectors[:DEPTH],
            "words": words[:DEPTH],
            **({"expansion": expansions[:DEPTH]} if expansions is not None else {}),
            "rrf": fused([vectors[:FUSED_DEPTH], words[:FUSED_DEPTH]], FUSED_K)[:DEPTH],
        }
        return Ranked(question, answers, seconds)

    async def _sides(self, query: str) -> tuple[list[str], list[str], list[str] | None]:
        """All entries by each side alone: vectors, words, and, of a model that expands, what they call up.

        Of words and what is called up, those that have any of the query's.
        """
        retrieval = self.services.search.retrieval
        question = await retrieval.question(query, Filters())
        async with self.services.search.storage.autocommit() as work:
            found = (await work.candidates.best(question, [self.diary], len(self.ids))).found
        by_vector = [(each.cosine, each) for each in found if each.cosine is not None]
        by_terms = [(each.words, each) for each in found if each.words]
        by_expansion = [(each.expansion, each) for each in found if each.expansion]
        expands = bool(question.expansion_weight)
        expansions = self._in_order(by_expansion) if expands else None
        return self._in_order(by_vector), self._in_order(by_terms), expansions

    def _in_order(self, scored: Sequence[tuple[float, Candidate]]) -> list[str]:
        def sort_key(each: tuple[float, Candidate]) -> tuple[float, UUID]:
            return each[0], each[1].entry_id

        return [self.ids[candidate.entry_id] for _, candidate in sorted(scored, key=sort_key, reverse=True)]


def fused(rankings: Sequence[Sequence[str]], k: int) -> list[str]:
    """Reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009): by the sum of 1 / (k + rank), then input order."""
    scores: dict[str, float] = {}
    for ranking in rankings:
        for rank, ranked in enumerate(ranking, start=1):
            scores[ranked] = scores.get(ranked, 0.0) + 1 / (k + rank)
    return sorted(scores, key=lambda ranked: -scores[ranked])


def peak_memory_mb() -> float:
    """The peak memory of this process, in MB (10^6 bytes): with the model, without the database."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


async def _stored(services: Services, caller: Caller, diary: DiaryId, memory: Memory) -> EntryId:
    return (await services.entries.create(caller, diary, memory.new)).id
