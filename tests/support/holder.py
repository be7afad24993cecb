"""An agent as a process of its own, that goes about its work: `python -m tests.support.holder FOLDER NAME TIMES EVERY`.

It reads and writes TIMES times with the credentials in FOLDER, and rotates their secret every EVERY times; 0 is never.
"""

import asyncio
import sys

from moltnet import connect


async def work(folder: str, name: str, times: int, every: int) -> None:
    """Raises whatever an agent would have to notice."""
    async with await connect(config_dir=folder) as agent:
        (diary,) = await agent.diaries.list()
        for number in range(times):
            if every and number % every == every - 1:
                await agent.auth.rotate_secret()
            await agent.agents.whoami()
            await agent.diary.create(diary.id, content=f"{name} {number}")


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
