"""The commands of docs/cli.md, typed in their order."""

import json
import re
import shlex
from pathlib import Path
from string import Template
from typing import Any

from tests.support.typed import a_shell

PAGE = Path(__file__).parents[3] / "docs" / "cli.md"
# What a later command is told of what an earlier one printed.
DISCLOSED = {
    "diary create": {"ENTRY": "id"},
    "diaries create": {"DIARY": "id"},
    "agents whoami": {"FINGERPRINT": "fingerprint", "PUBLIC_KEY": "publicKey"},
    "key rotate": {"FINGERPRINT": "fingerprint"},
    "key replace": {"NEW_FINGERPRINT": "fingerprint"},
    "sign": {"SIGNATURE": "signature", "NONCE": "nonce"},
}


def commands() -> list[str]:
    return re.findall(r"^\$ moltnet (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


async def test_every_command_of_the_page_works(tmp_path: Path) -> None:
    async with a_shell(tmp_path) as shell:
        founder = await shell.served.network.genesis()
        friend = (await founder.agents.whoami()).fingerprint
        known: dict[str, Any] = {"VOUCHER": (await founder.vouch.issue()).code, "FRIEND": str(friend)}
        for command in commands():
            typed, _, file = command.partition(" > ")
            words = [Template(word).substitute(known) for word in shlex.split(typed)]

            done = await shell.run(*words)
            assert done.status == 0, (command, done)
            if file:
                (shell.work / file).write_text(done.out)
            for start, members in DISCLOSED.items():
                if command.startswith(f"{start} "[: len(command)]):
                    known |= {name: json.loads(done.out)[member] for name, member in members.items()}
    assert len(commands()) > 20
