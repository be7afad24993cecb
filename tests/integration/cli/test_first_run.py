"""A first user's run from nothing, as processes against a server, with its wrong turns."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from tests.support.commands import Ended, heard, run

pytestmark = pytest.mark.real

MEMORY = "The deploy failed because the OAuth callback URL still pointed at staging."
NOBODY_LISTENS = "http://127.0.0.1:1"
CREDENTIALS = Path(".config/moltnet/moltnet.json")


@attrs.frozen
class FirstRun:
    """What a newcomer's commands printed, in their order, and then each wrong turn's."""

    home: Path
    steps: dict[str, Ended]
    wrong_turns: dict[str, Ended]

    def printed(self, step: str) -> Any:
        ended = self.steps[step]
        assert ended.status == 0, (step, ended)
        return ended.printed


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> FirstRun:
    return asyncio.run(_first_run(tmp_path_factory.mktemp("first")))


async def _first_run(folder: Path) -> FirstRun:
    home = folder / "home"
    home.mkdir()
    async with heard("up", "--data", str(folder / "data"), log=folder / "log") as server:
        founder = {"MOLTNET_CREDENTIALS_PATH": str(folder / "data/first-agent/moltnet.json")}
        voucher = await run("vouch", "issue", **founder)
        newcomer = _Newcomer(home, server.url)
        steps = await newcomer.goes_in(voucher.printed["code"])
        wrong_turns = await newcomer.goes_astray(voucher.printed["code"])
        wrong_turns |= await _asks_for_six(founder)
    return FirstRun(home, {"vouch": voucher, **steps}, wrong_turns)


@attrs.frozen
class _Newcomer:
    home: Path
    url: str

    async def types(self, *words: str, **environment: str) -> Ended:
        return await run(*words, folder=self.home, HOME=str(self.home), MOLTNET_API_URL=self.url, **environment)

    async def goes_in(self, voucher: str) -> dict[str, Ended]:
        steps = {
            "register": await self.types("register", "--voucher", voucher),
            "create": await self.types("diary", "create", MEMORY),
            "search": await self.types("diary", "search", "why could nobody log in after the release?"),
            "sign": await self.types("sign", "--message", "I endorse agent X"),
        }
        signature = steps["sign"].printed["signature"]
        return {**steps, "verify": await self.types("verify", signature)}

    async def goes_astray(self, spent: str) -> dict[str, Ended]:
        newer = ("--profile", "newer")
        turns = {
            "no server": await self.types("agents", "whoami", "--api-url", NOBODY_LISTENS),
            "spent voucher": await self.types("register", "--voucher", spent, *newer),
            "unknown voucher": await self.types("register", "--voucher", "0" * 64, *newer),
            "malformed voucher": await self.types("register", "--voucher", "let me in", *newer),
            "existing key": await self.types("register", "--voucher", "0" * 64),
            "no credentials": await self.types("diary", "list", "--profile", "nobody"),
            "misspelt option": await self.types("register", "--vuocher", spent),
            "unknown request": await self.types("sign", "--request-id", "00000000-0000-0000-0000-000000000000"),
            "signed request": await self.types("sign", "--request-id", (await self._signed())["id"]),
            "odd signature": await self.types("verify", "not a signature"),
        }
        place = self.home / CREDENTIALS
        place.chmod(0o644)
        turns["open file"] = await self.types("agents", "whoami")
        place.chmod(0o600)
        broken = self.home / "broken.json"
        broken.write_text("{")
        turns["broken file"] = await self.types("agents", "whoami", "--credentials", str(broken))
        return turns

    async def _signed(self) -> Any:
        return (await self.types("sign", "--message", "Once")).printed


async def _asks_for_six(founder: dict[str, str]) -> dict[str, Ended]:
    issued = [await run("vouch", "issue", **founder) for _ in range(6)]
    return {"sixth voucher": issued[-1]}


def test_new_agent_gets_in_and_is_somebody(first_run: FirstRun) -> None:
    assert (first_run.steps["register"].status, first_run.steps["register"].out) == (0, "")
    kept = json.loads((first_run.home / CREDENTIALS).read_text())
    assert kept["keys"]["fingerprint"] in first_run.steps["register"].err
    configured = json.loads((first_run.home / ".mcp.json").read_text())["mcpServers"]["moltnet"]
    assert configured["headers"]["X-Client-Id"] == kept["oauth2"]["client_id"]


def test_memory_is_found_by_what_it_means(first_run: FirstRun) -> None:
    (found,) = first_run.printed("search")["results"]
    assert (found["id"], found["content"]) == (first_run.printed("create")["id"], MEMORY)


def test_what_was_signed_is_verified(first_run: FirstRun) -> None:
    assert first_run.printed("sign")["valid"]
    assert first_run.printed("verify") == {"valid": True}


@pytest.mark.parametrize(
    ("turn", "status", "sentence"),
    [
        ("no server", 1, "check that it is running at this address"),
        ("spent voucher", 1, "Voucher has already been redeemed"),
        ("unknown voucher", 1, "Voucher not found"),
        ("malformed voucher", 1, "64"),
        ("existing key", 1, "--force"),
        ("no credentials", 1, "run 'moltnet register' first"),
        ("misspelt option", 2, "'moltnet register --help' tells more"),
        ("unknown request", 1, "not found"),
        ("signed request", 1, "ask for a new one with 'moltnet sign --message'"),
        ("broken file", 1, "restore it from a copy"),
        ("sixth voucher", 1, "voucher"),
    ],
)
def test_wrong_turn_is_answered_by_what_to_do(first_run: FirstRun, turn: str, status: int, sentence: str) -> None:
    ended = first_run.wrong_turns[turn]
    assert (ended.status, ended.out, ended.err.count("\n")) == (status, "", 1), ended
    assert ended.err.startswith("error: ")
    assert sentence in ended.err


def test_file_that_others_may_read_is_warned_of(first_run: FirstRun) -> None:
    ended = first_run.wrong_turns["open file"]
    assert (ended.status, ended.err.count("\n"), "moltnet config repair" in ended.err) == (0, 1, True)


def test_signature_that_nobody_knows_is_not_valid(first_run: FirstRun) -> None:
    ended = first_run.wrong_turns["odd signature"]
    assert (ended.status, ended.printed) == (1, {"valid": False})
    assert ended.err.startswith("Not a signature: ")


def test_no_step_shows_a_secret(first_run: FirstRun) -> None:
    kept = json.loads((first_run.home / CREDENTIALS).read_text())
    secrets = (kept["keys"]["private_key"], kept["oauth2"]["client_secret"])
    for ended in _all(first_run):
        assert not any(secret in ended.out + ended.err for secret in secrets)
        assert "Traceback" not in ended.err


def _all(run_: FirstRun) -> Iterator[Ended]:
    yield from run_.steps.values()
    yield from run_.wrong_turns.values()
