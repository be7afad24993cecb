"""The commands and the program of docs/archive.md, typed in their order."""

import asyncio
import json
import os
import re
import shlex
import sys
from pathlib import Path

from tests.support.foreign import samples, vault
from tests.support.typed import Shell, a_shell

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "archive.md"


async def test_every_command_of_the_page_works(tmp_path: Path) -> None:
    commands = re.findall(r"^\$ moltnet (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    async with a_shell(tmp_path) as shell:
        await shell.member()
        samples(shell.work)
        await shell.run("diaries", "create", "--name", "Ledger", "--signed")
        await shell.run("diary", "create", "Paid the invoice", "--diary-id", "Ledger")
        network_key = (await shell.run("log", "show")).printed["key"]
        for command in commands:
            done = await shell.run(*shlex.split(command.replace("$NETWORK_KEY", network_key)))
            assert done.status == 0, (command, done)
        report = (await shell.run("import", "vault")).printed
        assert (report["imported"], report["repeated"], report["refused"]) == (0, 3, 0)
        await _program_works(shell)
    assert len(commands) > 10


async def _program_works(shell: Shell) -> None:
    """The program of the page, with a folder of notes, and in the place of the file that is there already."""
    (shell.work / "diaries.zip").unlink()
    vault(shell.work / "notes")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MOLTNET_", "XDG_"))}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.snippets", str(PAGE)),
        env={**environment, "HOME": str(shell.home), "MOLTNET_API_URL": shell.served.url, "PYTHONPATH": str(ROOT)},
        cwd=shell.work,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    assert "3 new, 0 here before" in printed.decode()


async def test_what_cannot_be_imported_is_named_and_the_status_says_so(tmp_path: Path) -> None:
    async with a_shell(tmp_path) as shell:
        await shell.member()
        (shell.work / "m.jsonl").write_text('{"content": "good"}\n{"content": 7}\n' + "x\n" * 30)
        done = await shell.run("import", "m.jsonl", "--text")
        assert done.status == 1
        assert "m.jsonl:2: there is no text in any of" in done.out
        assert "… and 11 more: --json shows them" in done.out
        assert "1 imported, 0 were here before, 31 refused; diaries: Imported" in done.out
        shown = json.loads((await shell.run("import", "m.jsonl", "--dry-run", "--json")).out)
        assert (shown["dryRun"], shown["refused"], len(shown["problems"])) == (True, 31, 31)
        for words, sentence in (
            (("import", "m.jsonl", "--format", "moltnet"), "no ZIP file"),
            (("export", "m.jsonl"), "m.jsonl exists"),
            (("export", "a.zip", "--recipient", "x"), "A recipient is a public key"),
            (("export", "missing/a.zip", "--diary-id", "none"), "None of your diaries"),
        ):
            failed = await shell.run(*words)
            assert failed.status == 1
            assert sentence in failed.err
        assert (await shell.run("import", "missing")).status == 2


async def test_an_archive_that_was_changed_is_not_whole(tmp_path: Path) -> None:
    async with a_shell(tmp_path) as shell:
        await shell.member()
        await shell.run("diary", "create", "x" * 50)
        assert "1 entries" in (await shell.run("export", "a.zip", "--text")).out
        archive = shell.work / "a.zip"
        assert "Whole: 1 diaries, 1 entries, 0 records, signed by" in (await shell.run("verify", "a.zip", "--text")).out
        key = (await shell.run("log", "show")).printed["key"]
        assert "are proven, in the log of" in (await shell.run("verify", "a.zip", "--network-key", key, "--text")).out
        for words, sentence in (
            (("a.zip", "--network-key", key.replace("moltnet", "another")), "id of the verifier key"),
            (("a.zip", "--network-key", key[::-1]), "verifier key"),
            (("a.zip", "--witness", key), "needs --network-key"),
            (("missing.zip", "--network-key", key), "for the file of an archive"),
        ):
            failed = await shell.run("verify", *words)
            assert (failed.status, sentence in failed.err) == (1, True), failed
        content = archive.read_bytes()
        archive.write_bytes(content.replace(b'"name": "Private"', b'"name": "Another"'))
        if archive.read_bytes() == content:  # it is compressed
            archive.write_bytes(content[: len(content) // 2])
        done = await shell.run("verify", "a.zip", "--text")
        assert done.status == 1
