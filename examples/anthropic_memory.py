"""Claude with its memory tool over a diary: `python examples/anthropic_memory.py MODEL`."""

import asyncio
import sys

from anthropic import AsyncAnthropic

from moltnet import Agent, connect
from moltnet.integrations import DiaryMemoryTool


async def ask(agent: Agent, client: AsyncAnthropic, model: str, question: str) -> str:
    """Answers a question; Claude reads and writes the files of its memory as it sees fit."""
    runner = client.beta.messages.tool_runner(
        model=model,
        max_tokens=2000,
        messages=[{"role": "user", "content": question}],
        tools=[DiaryMemoryTool(agent)],
        betas=["context-management-2025-06-27"],
    )
    message = await runner.until_done()
    return "".join(block.text for block in message.content if block.type == "text")


async def main() -> None:
    async with await connect() as agent:
        print(await ask(agent, AsyncAnthropic(), sys.argv[1], "Remember that I take my coffee black."))


if __name__ == "__main__":
    asyncio.run(main())
