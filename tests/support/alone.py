"""An agent of a remote network with the base package alone: `python -m tests.support.alone URL CLIENT_ID SECRET`.

Every package that only a server, a model, Ory or the tests need is refused, as where it is not installed.
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


def needed_by_extras_alone() -> set[str]:
    """What may be imported from packages that the base package does not name."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    base = set(map(_name, project["dependencies"]))
    extras = {_name(each) for extra in project["optional-dependencies"].values() for each in extra} - base
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
            assert "pip install 'moltnet[server,model]'" in error.detail  # noqa: PT017


def _name(requirement: str) -> str:
    end = min((place for mark in _END_OF_NAME if (place := requirement.find(mark)) > 0), default=len(requirement))
    return requirement[:end].lower()


if __name__ == "__main__":
    refused = needed_by_extras_alone()
    assert refused >= {"psycopg", "onnxruntime", "mcp", "numpy", "dependency_injector", "joserfc"}, refused
    sys.meta_path.insert(0, Refusing(refused))
    asyncio.run(story(*sys.argv[1:]))
    assert not refused & {name.partition(".")[0] for name in sys.modules}
