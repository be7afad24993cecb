"""A client process that writes entries one after the other: `python -m tests.support.writer URL TOKEN NAME COUNT`."""

import asyncio
import sys

import aiohttp

from tests.support.live_server import first_diary


async def write(url: str, token: str, contents: list[str]) -> None:
    """Writes to the agent's first diary; raises at the first write that is not acknowledged."""
    async with aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {token}"}) as session:
        diary = await first_diary(session)
        for content in contents:
            async with session.post(f"/diaries/{diary}/entries", json={"content": content}) as answer:
                answer.raise_for_status()


def contents_of(name: str, count: int) -> list[str]:
    """What the writer of a name writes."""
    return [f"{name}, entry {number}" for number in range(count)]


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1], sys.argv[2], contents_of(sys.argv[3], int(sys.argv[4]))))
