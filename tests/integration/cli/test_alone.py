"""The base package alone is enough for agents' commands; a server's say what they lack."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from tests.support.commands import Ended
from tests.support.typed import a_shell


async def alone(home: Path, url: str, *words: str) -> Ended:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.alone_cli", *words),
        env={
            "HOME": str(home),
            "MOLTNET_API_URL": url,
            "PATH": os.environ["PATH"],
            "PYTHONPATH": ":".join(each or str(Path.cwd()) for each in sys.path),
        },
        cwd=home,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


async def test_an_agents_commands_work_without_the_servers_libraries(tmp_path: Path) -> None:
    async with a_shell(tmp_path) as shell:
        code = (await (await shell.served.network.genesis()).vouch.issue()).code

        async def types(*words: str) -> Ended:
            ended = await alone(shell.home, shell.served.url, *words)
            assert ended.status == 0, (words, ended)
            return ended

        assert "register" in (await types("--help")).out
        await types("register", "--voucher", code)
        entry = (await types("diary", "create", "The deploy failed")).printed
        assert (await types("diary", "get", entry["id"])).printed["content"] == "The deploy failed"
        signature = (await types("sign", "--message", "It was me")).printed["signature"]
        assert (await types("verify", signature)).printed == {"valid": True}
        await types("ssh-key")
        await types("config", "repair")


async def test_server_without_its_libraries_is_reported_in_one_sentence(tmp_path: Path) -> None:
    ended = await alone(tmp_path, "http://127.0.0.1:1", "serve", "--data", str(tmp_path))
    assert (ended.status, ended.out, ended.err.count("\n")) == (2, "", 1), ended
    assert "pip install 'moltnet[server,model]'" in ended.err


def test_full_disk_is_reported_in_one_sentence(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(  # this version of our own program
            (sys.executable, "-m", "moltnet", "version"),
            env={"HOME": str(tmp_path), "PYTHONPATH": ":".join(each or str(Path.cwd()) for each in sys.path)},
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (ended.returncode, ended.stderr.count(b"\n"), ended.stderr.startswith(b"error: ")) == (1, 1, True)
