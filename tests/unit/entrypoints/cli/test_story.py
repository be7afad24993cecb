"""A story: its steps as they are told, and the end of it when one is not as expected."""

import base64
from typing import Self

import pytest

from moltnet.adapters.nacl.key_pairs import NaclKeyPair
from moltnet.entrypoints.cli.story import Agent, HttpClient, Story, StoryBroken


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


class Answer:
    """What a session answers."""

    def __init__(self, status: int) -> None:
        self.status = status

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return

    async def json(self, content_type: None) -> dict[str, str]:
        return {"access_token": "t", "content_type": str(content_type)}

    async def text(self) -> str:
        return "why not"


class Session:
    """Keeps what is asked, and answers everything alike."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.asked: list[tuple[str, str, object]] = []

    def request(self, method: str, url: str, **options: object) -> Answer:
        self.asked.append((method, url, options.get("headers")))
        return Answer(self.status)


async def test_agent_shows_its_token_once_it_has_one():
    session = Session()
    ada = Agent("Ada", NaclKeyPair.generate(), HttpClient(session))
    await ada.ask("GET", "/public/feed")
    await ada.sign_in("id", "secret")
    await ada.ask("GET", "/agents/whoami")
    assert session.asked == [
        ("GET", "/public/feed", {}),
        ("POST", "/oauth2/token", None),
        ("GET", "/agents/whoami", {"Authorization": "Bearer t"}),
    ]


async def test_unexpected_answer_breaks_the_story():
    with pytest.raises(StoryBroken, match="GET /x answered 404, not 201: why not"):
        await HttpClient(Session(404)).ask("GET", "/x", expect=201)


def test_signature_is_of_the_bytes_behind_the_base64():
    keys = NaclKeyPair.generate()
    ada = Agent("Ada", keys, HttpClient(Session()))
    assert ada.sign_input(base64.b64encode(b"input").decode()) == keys.sign(b"input")
