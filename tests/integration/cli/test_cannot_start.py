"""What keeps a command from starting is one sentence on standard error and exit status 2, never a traceback."""

import asyncio
import socket
from pathlib import Path

import pytest

from tests.support.commands import SECRETS, agents_in, run
from tests.support.postgres import created

pytestmark = pytest.mark.real

ROOT = Path(__file__).parents[3]
NOWHERE = "/proc/moltnet"  # where not even root can make a folder
NOBODY_THERE = "postgresql://127.0.0.1:1/moltnet"
COMMANDS = (("serve", "--port", "0"), ("genesis",))


async def test_taken_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        by_option = run("serve", "--port", str(port), "--data", str(tmp_path))
        by_setting = run("up", "--data", str(tmp_path), PORT=str(port))
        refusals = [ended.refusal for ended in await asyncio.gather(by_option, by_setting)]
    told = f"Cannot listen on 127.0.0.1 port {port} (it is taken); choose another with --port, 0 for a free one"
    assert refusals == [told, told]


async def test_address_of_another_machine(tmp_path: Path) -> None:
    ended = await run("serve", "--host", "192.0.2.1", "--port", "0", "--data", str(tmp_path))
    assert ended.refusal.startswith("Cannot listen on 192.0.2.1 port 0 (")
    assert ended.refusal.endswith("; choose an address of this machine with --host")


async def test_data_folder_that_cannot_be_written() -> None:
    ended = await asyncio.gather(
        *(run(*command, "--data", NOWHERE) for command in COMMANDS),
        run("up", MOLTNET_DATA=NOWHERE),
    )
    for each in ended:
        assert each.refusal.startswith(f"MOLTNET_DATA: {NOWHERE} cannot be used (")
        assert each.refusal.endswith("; make it writable for this user, or choose another folder with --data")


async def test_file_instead_of_the_data_folder(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    ended = await run("serve", "--port", "0", "--data", str(tmp_path / "data"))
    assert ended.refusal.startswith(f"MOLTNET_DATA: {tmp_path / 'data'} cannot be used (it is a file); ")


async def test_first_agent_that_could_not_be_stored_is_not_made(tmp_path: Path) -> None:
    """With a database of one's own, nothing was written to the data folder before."""
    (created(tmp_path) / "first-agent").touch()
    ended = await run("up", "--port", "0", "--data", str(tmp_path))
    assert ended.refusal.startswith(f"The first agent's credentials cannot be stored in {tmp_path / 'first-agent'} (")
    assert await agents_in(tmp_path) == 0


async def test_malformed_settings_are_reported_a_line_for_each(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("MOLTNET_CONTENT_MAX=many\n", encoding="utf-8")
    ended = await run("serve", "--data", str(tmp_path), folder=tmp_path, PORT="http", PYTHONPATH=str(ROOT))
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.splitlines() == [
        "error: PORT: must be a whole number from 0 to 65535, not 'http'",
        "MOLTNET_CONTENT_MAX: must be a whole number from 1 to 100000, not 'many'",
    ]


async def test_database_that_does_not_answer(tmp_path: Path) -> None:
    environment = {"DATABASE_URL": NOBODY_THERE, **SECRETS}
    ended = await asyncio.gather(*(run(*command, "--data", str(tmp_path), **environment) for command in COMMANDS))
    for each in ended:
        assert each.refusal.startswith("The database is unavailable (")
        assert "Connection refused" in each.refusal
        assert each.refusal.endswith("; check that it is running and that DATABASE_URL points to it")


async def test_database_address_that_cannot_be_read_is_reported_without_its_password(tmp_path: Path) -> None:
    unreadable = ("postgresql://u:geheim%zz@h/x", "postgresql://u:geheim@h/x?nosuch=geheim")
    runs = (run("migrate", "--data", str(tmp_path), DATABASE_URL=url, **SECRETS) for url in unreadable)
    for ended in await asyncio.gather(*runs):
        assert ended.refusal.startswith("DATABASE_URL cannot be read: ")
        assert "geheim" not in ended.err


async def test_database_of_another_release(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("16\n", encoding="utf-8")
    ended = await run("serve", "--port", "0", "--data", str(tmp_path))
    assert "made by PostgreSQL 16, but PostgreSQL 18 is installed" in ended.refusal


async def test_open_data_folder_with_other_files(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    (shared / "holidays").mkdir(parents=True, mode=0o755)
    ended = await run("serve", "--port", "0", "--data", str(shared))
    assert ended.refusal.startswith(f"The data folder {shared} can be entered by others and holds other files too")


async def test_open_data_folder_is_closed_even_where_no_secret_is_made(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    await run("migrate", "--data", str(data), **SECRETS)
    assert data.stat().st_mode & 0o777 == 0o700
