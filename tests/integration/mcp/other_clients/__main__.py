"""Runs another client against a network in memory, by the interpreter of an environment that has it.

    python -m tests.integration.mcp.other_clients mcp_1 /path/to/environment/bin/python

The clients are the programs of this folder: `mcp_1`, `langchain_adapters`, `fastmcp_client`. Each prints what worked.
"""

import asyncio
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.integration.mcp.conftest import served

_HERE = Path(__file__).parent


async def main(client: str, interpreter: str, *more: str) -> int:
    """Serves, runs the client, and answers its exit status."""
    with TemporaryDirectory() as folder:
        async with served(Path(folder), at_its_own_address=True) as network:
            ada = await network.member()
            held = {
                "url": network.url,
                "client_id": ada.client_id,
                "secret": ada.secret,
                "token": ada.token,
                "seed": ada.key.seed_text,
                "fingerprint": ada.fingerprint,
            }
            program = str(_HERE / f"{client}.py")
            process = await asyncio.create_subprocess_exec(interpreter, program, json.dumps(held), *more)
            return await process.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
