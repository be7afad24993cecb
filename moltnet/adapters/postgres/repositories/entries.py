"""The table `diary_entries`: looking, and the changes of `entry_changes`."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from operator import itemgetter

from moltnet.adapters.postgres.filtering import filter_values
from moltnet.adapters.postgres.repositories.entry_changes import (
    ADD,
    FORGET_PASSAGES,
    FORGET_TERMS,
    REINDEX,
    REMOVE,
    REPLACE,
    REPLACE_WITH_INDEX,
    entry_values,
    index_values,
)
from moltnet.adapters.postgres.repositories.listing import RARE_TAG, browse, latest, newest, page_values
from moltnet.adapters.postgres.rows import (
    LAST_RECORD,
    beside,
    diary_from_row,
    entry_from_row,
    parted,
    public_entry_from_row,
)
from moltnet.adapters.postgres.session import Repository, Row
from moltnet.adapters.postgres.terms import stored_terms
from moltnet.domain.caller import Usage
from moltnet.domain.constraints import Page
from moltnet.domain.diaries import Diary, DiaryNotFound
from moltnet.domain.digest import Listing
from moltnet.domain.entries import Entry
from moltnet.domain.feed import Cursor, PublicEntry
from moltnet.domain.ids import AgentId, DiaryId, EntryId
from moltnet.domain.indexing import EntryIndex, Term
from moltnet.domain.permissions import Relation
from moltnet.domain.search import ANY_TERMS, Filters, LexicalQuery

# The entry of an id in a diary; diary_entries_pkey.
FIND_ENTRY = "select * from entries where id = %(id)s and diary_id = %(diary_id)s"
# The diary of an entry; diaries_pkey. Anyone who changes or removes an entry holds its diary first.
HOLD = "select from diaries where id = %(diary_id)s for no key update"
# The entries of some ids in their order; diary_entries_pkey.
FIND_MANY_ENTRIES = """
    select entries.* from unnest(%(ids)s::uuid[]) with ordinality as wanted (id, place)
    join entries on entries.id = wanted.id order by wanted.place
"""
# The entry of an id in a diary, the diary, and an agent's relations to it: one row, nulls for what there is not;
# diary_entries_pkey, diaries_pkey, relation_tuples_key alone.
FIND_WITH_RELATIONS = f"""
    select entries.*, d.id as of_id, d.owner_id as of_owner_id, d.name as of_name, d.visibility as of_visibility,
        d.signed as of_signed, d.injection_risk as of_injection_risk, d.created_at as of_created_at,
        d.updated_at as of_updated_at, {LAST_RECORD} as of_chain,
        array(select relation from relation_tuples t where t.object = d.id and t.subject = %(agent_id)s) as relations
    from (select) as one left join diaries d on d.id = %(diary_id)s
    left join entries on entries.id = %(id)s and entries.diary_id = d.id
"""  # noqa: S608 - constants
# One row, once nobody else is asking the same: until its transaction ends, anyone who asks for the same fold of the
# same diary waits here. A statement of its own, since the next one must see what the other has written.
WAIT_FOR_FOLD = "select pg_advisory_xact_lock(hashtextextended(%(diary_id)s::text || encode(%(fold)s, 'hex'), 0))"
# The first entry of a diary with a fold; diary_entries_fold.
FIRST_LIKE = """
    select * from entries where id = (
        select id from diary_entries where diary_id = %(diary_id)s and fold = %(fold)s
        order by created_at, id limit 1
    )
"""
# Some entries whose terms are of an earlier analysis; diary_entries_analysis.
OUTDATED = """
    select entries.* from (
        select id from diary_entries where analysis < 2 and analysis < %(analysis)s order by id limit %(limit)s
    ) as wanted
    join entries on entries.id = wanted.id
"""
# One row for every entry there is; diary_entries_pkey. One that is being removed just now is passed over, not waited
# for, and the others are taken in the order of their ids: no two callers wait for each other.
RECORD_VIEWS = """
    insert into entry_accesses (entry_id, accesses, last_at)
    select e.id, noted.times, %(at)s
    from unnest(%(ids)s::uuid[], %(times)s::int[]) as noted (id, times) join diary_entries e on e.id = noted.id
    order by e.id for key share of e skip locked
    on conflict (entry_id) do update
    set accesses = entry_accesses.accesses + excluded.accesses,
        last_at = greatest(entry_accesses.last_at, excluded.last_at)
"""
_AFTER_CURSOR = """
    (created_at, id) < (
        coalesce(%(created_at)s::timestamptz, 'infinity'),
        coalesce(%(entry_id)s::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
    ) and (%(flagged)s or not injection_risk)
"""
# The newest entries of public diaries after a place, with their authors; diary_entries_feed gives the order.
PUBLIC_PAGE = f"""
    select public_entries.* from (
        select id, created_at from diary_entries where diary_visibility = 'public' and {_AFTER_CURSOR}
        order by created_at desc, id desc limit %(limit)s
    ) as newest
    join public_entries on public_entries.id = newest.id
    order by newest.created_at desc, newest.id desc
"""  # noqa: S608 - constants
# The same of those with a tag. Of a rare one, all are found by diary_entries_public_tags and sorted; of a common one,
# the next are met soon in the feed's order. Only one of the two is carried out.
PUBLIC_PAGE_OF_TAG = f"""
    with tagged as materialized (
        select id, created_at, injection_risk from diary_entries
        where diary_visibility = 'public' and tags @> array[%(tag)s::text] limit %(rare)s + 1
    ), rare as materialized (
        select count(*) <= %(rare)s as is_rare from tagged
    )
    select public_entries.* from (
        (
            select id, created_at from tagged where (select is_rare from rare) and {_AFTER_CURSOR}
            order by created_at desc, id desc limit %(limit)s
        ) union all (
            select id, created_at from diary_entries
            where not (select is_rare from rare)
                and diary_visibility = 'public' and %(tag)s = any(tags) and {_AFTER_CURSOR}
            order by created_at desc, id desc limit %(limit)s
        )
    ) as newest
    join public_entries on public_entries.id = newest.id
    order by newest.created_at desc, newest.id desc
"""  # noqa: S608 - constants
# The entry of an id, if its diary is public, with its author; diary_entries_pkey.
PUBLIC_ENTRY = "select * from public_entries where id = %(id)s"

# Until the end of the transaction, nobody else asks how much an agent has stored. The first half of the key: the first
# bytes of the SHA-256 of "moltnet usage".
LOCK_USAGE = "select pg_advisory_xact_lock(-1060818709, hashtext(%(author)s::text))"
# At most 16 rows; agent_usage_pkey. Triggers count.
USAGE_OF_AUTHOR = """
    select coalesce(sum(entries), 0)::bigint as entries, coalesce(sum(bytes), 0)::bigint as bytes
    from agent_usage where agent_id = %(author)s
"""


class PostgresEntries(Repository):
    """Entries and what they are found by."""

    async def add(self, entry: Entry, index: EntryIndex) -> None:
        if not await self._session.run(ADD, **entry_values(entry), **index_values(index)):
            raise DiaryNotFound

    async def find(self, diary_id: DiaryId, entry_id: EntryId) -> Entry | None:
        return await self._session.first(entry_from_row, FIND_ENTRY, id=entry_id, diary_id=diary_id)

    async def find_with_relations(
        self, diary_id: DiaryId, entry_id: EntryId, agent_id: AgentId | None
    ) -> tuple[Entry | None, Diary | None, frozenset[Relation]]:
        """The same, the diary, and what an agent is to it, in one statement."""
        values = {"id": entry_id, "diary_id": diary_id, "agent_id": agent_id}
        (found,) = await self._session.all(_with_relations, FIND_WITH_RELATIONS, **values)
        return found

    async def usage_of(self, author: AgentId) -> Usage:
        await self._session.run(LOCK_USAGE, author=author)
        (usage,) = await self._session.all(lambda row: Usage(**row), USAGE_OF_AUTHOR, author=author)
        return usage

    async def hold(self, diary_id: DiaryId, entry_id: EntryId) -> Entry | None:
        """The same; no other transaction changes it. Two statements: the second sees what the first waited for."""
        await self._session.run(HOLD, diary_id=diary_id)
        return await self.find(diary_id, entry_id)

    async def find_many(self, entry_ids: Sequence[EntryId]) -> list[Entry]:
        return await self._session.all(entry_from_row, FIND_MANY_ENTRIES, ids=list(entry_ids))

    async def first_like(self, entry: Entry) -> Entry | None:
        values = {"diary_id": entry.diary_id, "fold": entry.fold}
        await self._session.run(WAIT_FOR_FOLD, **values)
        return await self._session.first(entry_from_row, FIRST_LIKE, **values)

    async def newest(
        self, within: Collection[DiaryId], filters: Filters, page: Page, words: LexicalQuery = ANY_TERMS
    ) -> tuple[list[Entry], int]:
        statement, values = newest(within, filters, words), page_values(within, filters, page, words)
        rows = await self._session.all(beside("total", entry_from_row), statement, **values)
        return [entry for entry, _ in rows if entry], rows[0][1]

    async def latest(
        self, within: Collection[DiaryId], filters: Filters, page: Page, words: LexicalQuery = ANY_TERMS
    ) -> list[Entry]:
        """The same page, not counted."""
        statement, values = latest(within, filters, words), page_values(within, filters, page, words)
        return await self._session.all(entry_from_row, statement, **values)

    async def browse(self, diary_id: DiaryId, listing: Listing, page: Page) -> tuple[list[Entry], int]:
        rows = await self._session.all(
            beside("total", entry_from_row),
            browse(listing.filters, ANY_TERMS),
            diary_id=diary_id,
            **filter_values(listing.filters),
            min_importance=listing.min_importance,
            only_flagged=listing.only_flagged,
            only_superseded=listing.only_superseded,
            successor=listing.successor,
            writer=listing.writer and str(listing.writer),
            order=listing.order,
            limit=page.limit,
            offset=page.offset,
        )
        return [entry for entry, _ in rows if entry], rows[0][1]

    async def replace(self, entry: Entry, index: EntryIndex | None, unless_changed_since: datetime) -> bool:
        values = {**entry_values(entry), "unless_changed_since": unless_changed_since}
        if index is None:
            return await self._session.run(REPLACE, **values) > 0
        async with self._session.together():
            stored = index_values(index)
            lost = await self._session.first(itemgetter("lexemes"), REPLACE_WITH_INDEX, **values, **stored)
            if lost is not None:
                await self._session.run(
                    FORGET_PASSAGES, id=entry.id, models=stored["models"], ordinals=stored["ordinals"]
                )
            await self._forget_terms(entry.diary_id, lost)
        return lost is not None

    async def outdated(self, analysis: int, limit: int) -> Sequence[Entry]:
        return await self._session.all(entry_from_row, OUTDATED, analysis=analysis, limit=limit)

    async def reindex(self, entry: Entry, index_terms: Mapping[Term, Sequence[int]], analysis: int) -> bool:
        stored = stored_terms(index_terms)
        values = {"words": stored.words, "terms": stored.terms, "lexemes": stored.index_terms, "analysis": analysis}
        async with self._session.together():
            lost = await self._session.first(
                itemgetter("lexemes"),
                REINDEX,
                id=entry.id,
                diary_id=entry.diary_id,
                updated_at=entry.updated_at,
                **values,
            )
            await self._forget_terms(entry.diary_id, lost)
        return lost is not None

    async def remove(self, diary_id: DiaryId, entry_id: EntryId, unless_changed_since: datetime | None = None) -> bool:
        values = {"diary_id": diary_id, "id": entry_id, "unless_changed_since": unless_changed_since}
        async with self._session.together():
            lost = await self._session.first(itemgetter("lexemes"), REMOVE, **values)
            await self._forget_terms(diary_id, lost)
        return lost is not None

    async def record_views(self, times: Mapping[EntryId, int], at: datetime) -> None:
        await self._session.run(RECORD_VIEWS, ids=list(times), times=list(times.values()), at=at)

    async def public_page(
        self, after: Cursor | None, tag: str | None, limit: int, *, flagged: bool
    ) -> list[PublicEntry]:
        cursor: dict[str, object] = {"created_at": after and after.created_at, "entry_id": after and after.entry_id}
        values = cursor | {"flagged": flagged, "limit": limit}
        if tag is None:
            return await self._session.all(public_entry_from_row, PUBLIC_PAGE, **values)
        of_tag = {"tag": tag, "rare": RARE_TAG}
        return await self._session.all(public_entry_from_row, PUBLIC_PAGE_OF_TAG, **values, **of_tag)

    async def public_entry(self, entry_id: EntryId) -> PublicEntry | None:
        return await self._session.first(public_entry_from_row, PUBLIC_ENTRY, id=entry_id)

    async def _forget_terms(self, diary_id: DiaryId, lost: list[str] | None) -> None:
        if lost:
            await self._session.run(FORGET_TERMS, diary_id=diary_id, terms=lost)


def _with_relations(row: Row) -> tuple[Entry | None, Diary | None, frozenset[Relation]]:
    entry, diary = parted(row, "of_")
    relations = frozenset(map(Relation, entry.pop("relations")))
    if diary["id"] is None:
        return None, None, relations
    return entry_from_row(entry) if entry["id"] else None, diary_from_row(diary), relations
