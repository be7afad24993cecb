"""The open log, by the agent's port: what acts leave in it, and that it is proven."""

from collections.abc import Sequence

import pytest

from moltnet.domain.checkpoints import VerifierKey
from moltnet.domain.diaries import Visibility
from moltnet.domain.entries import NewEntry
from moltnet.domain.errors import NotFound
from moltnet.domain.services.log_check import VerifiedLeaf
from moltnet.domain.transparency import LeafKind
from moltnet.entrypoints.library.agent import Agent
from moltnet.entrypoints.library.log import verify_proof
from tests.support.worlds import World, keys_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def history(world: World, agent: Agent, subject: str) -> Sequence[VerifiedLeaf]:
    """The leaves about a subject, once all there are so far are in the tree."""
    while await world.served.services.transparency.extend():
        pass
    return await agent.log.history(subject)


def kinds(leaves: Sequence[VerifiedLeaf]) -> list[LeafKind]:
    return [each.leaf.kind for each in leaves]


async def test_who_came_in_is_in_the_log(world: World, ada: Agent) -> None:
    me = keys_of(ada).public_key
    [registered, *others] = await history(world, ada, str(me.fingerprint))
    assert registered.leaf.members == {"agent": str(me.fingerprint), "key": me.text}
    assert LeafKind.AGENT_REGISTERED not in kinds(others)


async def test_what_becomes_of_a_public_diary_is_in_the_log(world: World, ada: Agent) -> None:
    diary = await ada.diaries.create(name="Signed", signed=True)
    first = await ada.diary.keep(diary.id, NewEntry(content="a"))
    await ada.diaries.update(diary.id, visibility=Visibility.PUBLIC)
    await ada.diary.keep(diary.id, NewEntry(content="b"))
    await ada.diary.delete(diary.id, first.entry.id)
    await ada.diaries.update(diary.id, visibility=Visibility.MOLTNET)
    await ada.diary.keep(diary.id, NewEntry(content="c"))
    await ada.diaries.delete(diary.id)
    leaves = await history(world, ada, str(diary.id))
    heads = [each.leaf.members.get("sequence") for each in leaves]
    assert kinds(leaves) == [
        LeafKind.DIARY_PUBLISHED,
        *[LeafKind.DIARY_HEAD] * 3,
        LeafKind.DIARY_WITHDRAWN,
    ]
    assert heads == [None, 1, 2, 3, None]
    assert leaves[0].leaf.members["agent"] == str(keys_of(ada).public_key.fingerprint)


async def test_a_diary_that_was_made_public_is_withdrawn_when_it_is_deleted(world: World, ada: Agent) -> None:
    diary = await ada.diaries.create(name="Open", visibility=Visibility.PUBLIC)
    await ada.diaries.delete(diary.id)
    assert kinds(await history(world, ada, str(diary.id))) == [LeafKind.DIARY_PUBLISHED, LeafKind.DIARY_WITHDRAWN]


async def test_nothing_private_is_in_the_log(world: World, ada: Agent) -> None:
    diaries = [await ada.diaries.create(name="x", visibility=each) for each in (Visibility.PRIVATE, Visibility.MOLTNET)]
    public = await ada.diaries.create(name="x", visibility=Visibility.PUBLIC)
    await history(world, ada, str(public.id))
    texts = "".join([each.leaf.data.decode() async for each in ada.log.audit()])
    assert str(public.id) in texts
    assert not any(str(diary.id) in texts for diary in diaries)


async def test_the_log_is_one_for_everybody(ada: Agent, nobody: Agent) -> None:
    head = await ada.log.follow()
    growth = await nobody.log.growth(head.checkpoint.size)
    assert growth.size >= head.checkpoint.size
    described = await nobody.log.describe()
    key = VerifierKey.parse(described.key)
    assert key == head.key == (await nobody.log.follow()).key
    leaf, proof = await nobody.log.prove(0)
    assert verify_proof(leaf.data, proof, key) == leaf
    assert (await ada.log.follow()).checkpoint.size >= head.checkpoint.size
    page = await nobody.log.leaves(limit=1)
    assert [(each.index, each.data) for each in page] == [(0, leaf.data)]


async def test_a_head_that_was_forgotten_is_believed_again(ada: Agent) -> None:
    head = await ada.log.follow()
    ada.log.forget()
    assert (await ada.log.follow()).key == head.key


async def test_what_is_not_in_the_log_is_not_found(nobody: Agent) -> None:
    far = 2**40
    with pytest.raises(NotFound):
        await nobody.log.leaf(far)
    with pytest.raises(NotFound):
        await nobody.log.growth(far)
    with pytest.raises(NotFound):
        await nobody.log.leaf(0, size=0)
    assert await nobody.log.leaves("nobody") == []
    assert await nobody.log.leaves(first=far) == []
