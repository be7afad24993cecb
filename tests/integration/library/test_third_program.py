"""Programs that have nothing of MoltNet check a signed diary and a log by the reference pages alone."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

from moltnet.entrypoints.library.network import MoltNet
from moltnet.entrypoints.schema.convert import json_value
from tests.support.archives import changed, filled

EXAMPLES = Path(__file__).parents[3] / "examples"
PROGRAM, LOG_PROGRAM = EXAMPLES / "verify_records.py", EXAMPLES / "verify_log.py"


def checked(lines: list[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", str(PROGRAM)]
    return subprocess.run(command, input="\n".join(lines), capture_output=True, text=True, check=False)


async def test_a_program_without_moltnet_checks_a_signed_diary() -> None:
    assert "moltnet" not in [line.split()[1] for line in PROGRAM.read_text().splitlines() if line.startswith("import")]
    async with MoltNet.in_memory() as network:
        ada = await network.genesis()
        diary = await ada.diaries.create(name="Ledger", signed=True)
        first = await ada.diary.create(diary.id, content="Paid 10 €", title="Überweisung", tags=["a"])
        await ada.diary.update(diary.id, first.id, content="Paid 11 €")
        await ada.diary.delete(diary.id, first.id)
        shown = [json_value(record) async for record in ada.records.all(diary.id)]
        head = (await ada.records.head(diary.id)).hash
    lines = [json.dumps(record) for record in shown]
    assert checked(lines).stdout == f"whole, up to {head}\n"
    changed = [*lines[:1], lines[1].replace("Paid 11", "Paid 12"), *lines[2:]]
    for broken in (changed, lines[1:], lines[:2], [lines[0], *lines[:1:-1]]):
        assert checked(broken).returncode == 1


async def test_a_program_without_moltnet_checks_a_leaf_of_the_log(tmp_path: Path) -> None:
    assert "import moltnet" not in LOG_PROGRAM.read_text()
    async with MoltNet.in_memory() as network:
        ada = await network.genesis()
        async with asyncio.timeout(20):
            while not await ada.log.leaves():  # noqa: ASYNC110  # the network has no event for it
                await asyncio.sleep(0.05)
        leaf, proof = await ada.log.prove(0)
        key = (await ada.log.follow()).key.text
    file = tmp_path / "leaf.tlog-proof"

    def verified(text: str, data: bytes) -> subprocess.CompletedProcess[bytes]:
        file.write_text(text)
        command = [sys.executable, "-I", str(LOG_PROGRAM), key, str(file)]
        return subprocess.run(command, input=data, capture_output=True, check=False)

    size = proof.checkpoint.size
    assert verified(proof.text, leaf.data).stdout == f"leaf {proof.index} of {size}\n".encode()
    signature = proof.checkpoint.signatures[0].text
    for text, data in (
        (proof.text, leaf.data + b" "),
        (proof.text.replace(f"\n{size}\n", f"\n{size + 1}\n"), leaf.data),
        (proof.text.replace(f"index {proof.index}", f"index {size}"), leaf.data),
        (proof.text.replace(signature, signature[:-8] + "AAAAAAA="), leaf.data),
    ):
        assert verified(text, data).returncode == 1


async def test_a_program_without_moltnet_checks_an_archive(tmp_path: Path) -> None:
    program = PROGRAM.with_name("verify_archive.py")
    assert "moltnet" not in [line.split()[1] for line in program.read_text().splitlines() if line.startswith("import")]
    first, second = tmp_path / "first.zip", tmp_path / "second.zip"
    async with MoltNet.in_memory() as network, MoltNet.in_memory() as elsewhere:
        ada, bea = await network.genesis(), await elsewhere.genesis()
        await filled(ada)
        await ada.export(first)
        await bea.import_(first)
        await bea.export(second)
        key, other = [(await agent.log.describe()).key for agent in (ada, bea)]

    def checked_archive(path: Path, *network_key: str) -> str:
        command = [sys.executable, "-I", str(program), str(path), *network_key]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout if done.returncode == 0 else ""

    assert checked_archive(first) == "whole: 4 diaries, 6 lines, 0 imported records\n"
    assert checked_archive(second) == "whole: 4 diaries, 4 lines, 3 imported records\n"

    whole = "whole: 4 diaries, 6 lines, 0 imported records\n"
    assert [checked_archive(first, each) for each in (key, other)] == [whole, ""]
    assert checked_archive(second, other)

    def reordered(members: dict[str, bytes]) -> None:
        for name in [each for each in members if each.startswith("diaries/")]:
            members[name] = b"".join(members[name].splitlines(keepends=True)[::-1])

    def renamed(members: dict[str, bytes]) -> None:
        members["manifest.json"] = members["manifest.json"].replace(b'"Work"', b'"Wurk"')

    assert [checked_archive(changed(first, change)) for change in (reordered, renamed)] == ["", ""]
