"""A story: its steps as they are told, and the end of it when one is not as expected."""

import asyncio

import pytest

from moltnet.domain.errors import Forbidden, NotFound
from moltnet.entrypoints.cli.commands.demo import Story, StoryBroken


async def test_steps_are_numbered_and_say_what_was_seen(capsys):
    story = Story(quiet=False)
    async with story.step("Ada writes") as details:
        details("one")
        details(2)
    story.record("Bea reads", 0.25)
    story.over(1.5)
    assert [(step.title, step.details) for step in story.steps] == [("Ada writes", "one 2"), ("Bea reads", "")]
    assert 0 <= story.steps[0].seconds < story.steps[1].seconds == 0.25
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("  1  Ada writes  ")
    assert lines[1:] == ["       one 2", "  2  Bea reads  250 ms", "", "All 2 steps as expected, 1.5 s."]


async def test_step_that_fails_is_not_taken(capsys):
    story = Story(quiet=False)

    async def sign_in() -> None:
        async with story.step("Ada signs in"):
            story.expect(condition=True, otherwise="no secret")
            story.expect(condition=False, otherwise="no token")

    with pytest.raises(StoryBroken, match="no token"):
        await sign_in()
    assert story.steps == []
    story.broken("no token")
    assert story.is_broken
    assert [(step.title, step.details) for step in story.steps] == [("BROKEN", "no token")]
    assert capsys.readouterr().out == "\nNot as expected: no token\n"


async def test_quiet_story_only_remembers(capsys):
    story = Story(quiet=True)
    async with story.step("Ada writes") as details:
        details("one")
    story.broken("why")
    story.over(1.0)
    assert len(story.steps) == 2
    assert capsys.readouterr() == ("", "")


async def test_refusal_is_its_sentence_and_its_absence_breaks_the_story():
    async def refused() -> None:
        raise NotFound("Diary not found")

    story = Story(quiet=True)
    assert await story.refusal(refused(), NotFound) == "Diary not found"
    with pytest.raises(NotFound):
        await story.refusal(refused(), Forbidden)
    with pytest.raises(StoryBroken, match="it was not refused as Forbidden"):
        await story.refusal(asyncio.sleep(0), Forbidden)
