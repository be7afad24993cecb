"""What an archive carries of the open log: leaves about its authors' keys and its diaries, all under one checkpoint."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import TYPE_CHECKING

import attrs

from moltnet.domain.archive_lines import parse_shown_record, proof_line
from moltnet.domain.archives import ArchivedDiary, Part
from moltnet.domain.checkpoints import KnownLog
from moltnet.domain.errors import NotFound
from moltnet.domain.keys import Fingerprint
from moltnet.domain.log_views import ProvenLeaf
from moltnet.domain.logged_facts import Chosen, is_of_key
from moltnet.domain.records import EMPTY
from moltnet.domain.transparency import Leaf, LogNotStarted
from moltnet.entrypoints.container import archives

if TYPE_CHECKING:
    from moltnet.entrypoints.library.agent import Agent

ATTEMPTS, WAIT_S = 15, 0.2


@attrs.frozen
class LogParts:
    """The diaries with what the log has about each, and about the exporting agent's key; None without a log."""

    diaries: tuple[ArchivedDiary, ...]
    of_agent: Part | None


async def log_parts(
    agent: "Agent", draft: archives.Draft, diaries: Sequence[ArchivedDiary], own: Fingerprint
) -> LogParts:
    """Writes what the log has about diaries that were written; raises as `Log.follow`.

    The log is read after the records. What was committed within the last second may not be in it yet: it is waited for
    until it has every author's key.
    """
    authors = [await asyncio.to_thread(_authors, draft, diary) for diary in diaries]
    try:
        reading = _Reading(agent, draft, await agent.log.follow())
        for _ in range(ATTEMPTS):
            if all([await reading.of_keys([each]) for each in {own}.union(*authors)]):
                break
            await asyncio.sleep(WAIT_S)
            reading = _Reading(agent, draft, await agent.log.follow())
    except (NotFound, LogNotStarted):
        return LogParts(tuple(diaries), None)
    of_agent = await reading.write("log/agent.jsonl", await reading.of_keys([own]))
    done = [await reading.with_log(diary, names) for diary, names in zip(diaries, authors, strict=True)]
    return LogParts(tuple(done), of_agent)


@attrs.frozen
class _Reading:
    _agent: "Agent"
    _draft: archives.Draft
    _head: KnownLog

    async def with_log(self, diary: ArchivedDiary, authors: Iterable[Fingerprint]) -> ArchivedDiary:
        if not diary.signed:
            return diary
        chosen = Chosen()
        async for index, leaf in self._leaves(str(diary.id)):
            chosen = chosen.after(index, leaf, diary.head or EMPTY)
        indexes = [*await self.of_keys(authors), *chosen.indexes]
        return attrs.evolve(diary, log=await self.write(f"log/{diary.id}.jsonl", indexes))

    async def of_keys(self, fingerprints: Iterable[Fingerprint]) -> list[int]:
        """The leaves that say who came by these keys, and when they were given up."""
        found = [
            index
            for fingerprint in fingerprints
            async for index, leaf in self._leaves(str(fingerprint))
            if is_of_key(leaf)
        ]
        return sorted(set(found))

    async def write(self, name: str, indexes: Iterable[int]) -> Part | None:
        lines = []
        for index in indexes:
            leaf, proof = await self._agent.log.prove(index, known=self._head)
            lines.append(proof_line(ProvenLeaf(key=self._head.key, data=leaf.data, proof=proof)))
        await asyncio.to_thread(self._draft.replace, name, lines)
        return await asyncio.to_thread(self._draft.part, name) if lines else None

    async def _leaves(self, subject: str) -> AsyncIterator[tuple[int, Leaf]]:
        first = 0
        while page := await self._agent.log.leaves(subject, first=first):
            for shown in page:
                if shown.index < self._head.checkpoint.size:
                    yield shown.index, Leaf.parse(shown.data)
            first = page[-1].index + 1


def _authors(draft: archives.Draft, diary: ArchivedDiary) -> list[Fingerprint]:
    """Who signed the records of a diary, each once."""
    lines = draft.lines(diary.entries.name) if diary.signed else ()
    payloads = (parse_shown_record(line).payload for line in lines)
    return list(dict.fromkeys(Fingerprint(json.loads(each)["author"]) for each in payloads if each is not None))
