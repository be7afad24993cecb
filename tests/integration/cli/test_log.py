"""`moltnet log`: a log is followed and verified from a shell, and signed by a witness in a process of its own."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import pytest

from moltnet.adapters.http.witness import HttpWitness, WitnessRefused
from moltnet.adapters.nacl import NaclSignatures
from moltnet.adapters.system import SystemClock
from moltnet.domain.checkpoints import LogProof, VerifierKey, WitnessRequest
from moltnet.domain.errors import Unavailable
from moltnet.domain.services.transparency import TransparencyService
from moltnet.domain.services.witness import Witnessing
from moltnet.domain.transparency import Leaf, WitnessAhead
from moltnet.entrypoints.library.log import verify_proof
from tests.support.builders import NOON, a_public_key
from tests.support.typed import Shell, a_shell

pytestmark = pytest.mark.real


@pytest.fixture
async def shell(tmp_path: Path) -> AsyncIterator[Shell]:
    async with a_shell(tmp_path) as shell:
        yield shell


@asynccontextmanager
async def a_witness(log: str, folder: Path) -> AsyncIterator[HttpWitness]:
    """A witness of a log; it is killed in the end."""
    command = [sys.executable, "-m", "moltnet", "log", "witness", "--log", log, "--folder", str(folder)]
    process = await asyncio.create_subprocess_exec(
        *command, "--name", "witness.example/w1", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    try:
        key = (await process.stdout.readline()).decode().strip()
        url = (await process.stdout.readline()).decode().split()[-1]
        yield HttpWitness(VerifierKey.parse(key), url)
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()


def the_log(shell: Shell) -> TransparencyService:
    return shell.served.network._services.transparency


async def grown(shell: Shell, *witnesses: HttpWitness) -> None:
    """One leaf more, signed by witnesses."""
    async with shell.storage.transaction() as work:
        await work.transparency.add(Leaf.registered(a_public_key(), NOON))
    witnessing = Witnessing(witnesses, NaclSignatures(), SystemClock(), within_s=30.0)
    await attrs.evolve(the_log(shell), witnessing=witnessing).extend()


async def test_a_log_is_followed_and_what_it_says_is_proven(shell: Shell) -> None:
    assert (await shell.member()).status == 0
    await grown(shell)
    described = (await shell.run("log", "show")).printed
    verified = (await shell.run("log", "verify")).printed
    assert (verified["origin"], verified["size"]) == (described["origin"], described["size"])
    kinds = [json.loads(each["leaf"])["kind"] for each in verified["leaves"]]
    assert kinds == ["agent_registered", "agent_vouched"]
    complete = (await shell.run("log", "verify", "--all")).printed
    assert complete["leaves"] == verified["leaves"]
    assert "only grew" in (await shell.run("log", "verify", "--text")).out
    index = str(verified["leaves"][0]["index"])
    proven = (await shell.run("log", "prove", index, "--to", "leaf.tlog-proof")).printed
    proof = LogProof.parse((shell.work / "leaf.tlog-proof").read_text())
    assert verify_proof(proven["leaf"].encode(), proof, VerifierKey.parse(proven["key"]))
    assert (await shell.run("log", "prove", "999999")).status == 1


async def test_a_log_that_is_not_the_one_that_was_seen_before_is_refused(shell: Shell) -> None:
    assert (await shell.run("log", "verify")).status == 0
    (file,) = shell.home.rglob("*.checkpoints.json")
    kept = json.loads(file.read_text())
    ((url, text),) = kept.items()
    origin, size = text.split("\n")[1:3]
    file.write_text(json.dumps({url: text.replace(f"{origin}\n{size}\n", f"{origin}\n{int(size) + 1000}\n")}))
    refused = await shell.run("log", "verify")
    assert refused.status == 1
    assert refused.err.startswith("error: ")
    assert (await shell.run("log", "verify", "--forget")).status == 0
    assert (await shell.run("log", "verify")).status == 0


async def test_a_witness_in_another_process_signs_what_only_grew(shell: Shell, tmp_path: Path) -> None:
    key = (await shell.run("log", "show")).printed["key"]
    folder = tmp_path / "witness"
    async with a_witness(key, folder) as witness:
        assert (await shell.run("log", "verify", "--witness", witness.key.text)).status == 1
        await grown(shell, witness)
        assert (await shell.run("log", "verify", "--witness", witness.key.text)).status == 0
        head = await the_log(shell).checkpoint()
    async with a_witness(key, folder) as restarted:  # after it was killed
        assert restarted.key == witness.key
        empty = WitnessRequest(before=0, hashes=(), checkpoint=head)
        with pytest.raises(WitnessAhead) as ahead:
            await restarted.add_checkpoint(empty)
        assert ahead.value.size == head.size
        for text in (attrs.evolve(empty, before=head.size + 1), attrs.evolve(empty, hashes=(bytes(32),))):
            with pytest.raises((WitnessRefused, WitnessAhead)):
                await restarted.add_checkpoint(text)
        await grown(shell, restarted)
        assert (await shell.run("log", "verify", "--witness", restarted.key.text)).status == 0
    with pytest.raises(Unavailable):
        await restarted.add_checkpoint(empty)
