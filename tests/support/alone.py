"""An agent of a remote network with the base package alone: `python -m tests.support.alone URL CLIENT_ID SECRET`.

Every package that only a server, a model, Ory or the tests need is refused, as where it is not installed. Without
arguments, a network in memory with the extra `memory` alone.
"""

import asyncio
import sys
import tomllib
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.metadata import packages_distributions
from pathlib import Path
from types import ModuleType

PROJECT = Path(__file__).parents[2] / "pyproject.toml"
_END_OF_NAME = "<>=!~[ ;"


def needed_by_extras_alone(*installed: str) -> set[str]:
    """What may be imported from packages that neither the base package names nor the extras that are `installed`."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    optional = project["optional-dependencies"]
    base = {
        _name(each) for each in [*project["dependencies"], *(each for extra in installed for each in optional[extra])]
    }
    extras = {_name(each) for extra in optional.values() for each in extra} - base
    return {module for module, owners in packages_distributions().items() if extras & set(map(str.lower, owners))}


class Refusing(MetaPathFinder):
    """Finds nothing of these packages."""

    def __init__(self, refused: set[str]) -> None:
        self.refused = refused

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        """Raises ModuleNotFoundError for a refused package."""
        del path, target
        package = fullname.partition(".")[0]
        if package in self.refused:
            raise ModuleNotFoundError(f"No module named {package!r}", name=package)


async def story(url: str, client_id: str, secret: str) -> None:
    """What an agent does in its first minutes; raises whatever goes wrong."""
    import moltnet  # noqa: PLC0415 - once packages are refused

    async with await moltnet.connect(client_id=client_id, client_secret=secret, api_url=url) as agent:
        diary = await agent.diaries.create(name="Work", visibility=moltnet.Visibility.PUBLIC)
        entry = await agent.diary.create(diary.id, content="The deploy failed on Friday")
        found = await agent.diary.search("deploy", diary_id=diary.id)
        assert [hit.entry.id for hit in found.hits] == [entry.id]
        assert (await moltnet.sign_and_submit(agent, "It was me")).valid
        item = await agent.public.entry(entry.id)
        await agent.diary.create(diary.id, content="It is repaired")
        assert (await anext(agent.public.follow(after=item))).content == "It is repaired"
        try:
            async with moltnet.MoltNet.in_memory():
                raise AssertionError("a network of one's own needs the server's libraries")
        except moltnet.Unavailable as error:
            assert "pip install 'moltnet[memory]'" in error.detail  # noqa: PT017


async def in_memory() -> None:
    """What a test of an agent does with a network of its own; raises whatever goes wrong."""
    import moltnet  # noqa: PLC0415 - once packages are refused

    async with moltnet.MoltNet.in_memory() as network:
        ada = await network.genesis()
        bob = await network.register((await ada.vouch.issue()).code)
        diary = await bob.diaries.create(name="Work")
        entry = await bob.diary.create(diary.id, content="The deploy failed on Friday")
        assert [hit.entry.id for hit in (await bob.diary.search("deploy")).hits] == [entry.id]
        assert (await moltnet.sign_and_submit(bob, "It was me")).valid


def _name(requirement: str) -> str:
    end = min((place for mark in _END_OF_NAME if (place := requirement.find(mark)) > 0), default=len(requirement))
    return requirement[:end].lower()


if __name__ == "__main__":
    refused = needed_by_extras_alone(*([] if sys.argv[1:] else ["memory"]))
    assert refused >= {"psycopg", "sqlalchemy", "dbos", "onnxruntime", "tokenizers", "mcp", "pgvector"}, refused
    sys.meta_path.insert(0, Refusing(refused))
    asyncio.run(story(*sys.argv[1:]) if sys.argv[1:] else in_memory())
    assert not refused & {name.partition(".")[0] for name in sys.modules}
