"""What the documentation says of commands and settings, held against those that there are."""

import inspect
import re
from pathlib import Path

import click
import pytest

from moltnet.entrypoints import observability, ory_settings, settings
from moltnet.entrypoints.cli.main import AGENTS_COMMANDS, cli
from tests.support.commands import text_of

ROOT = Path(__file__).parents[3]
OPERATORS = ROOT / "docs" / "operators.md"
ORY = ROOT / "docs" / "ory.md"
LIBRARY = ROOT / "docs" / "library.md"
AGENTS = ROOT / "docs" / "cli.md"
PAGES = [OPERATORS, ORY, AGENTS, ROOT / "README.md"]
SETTING = re.compile(r"\b(?:MOLTNET|ORY|RATE_LIMIT|CORS|RECOVERY|DATABASE)_[A-Z_]*[A-Z]\b|\bPORT\b")
COMMAND = re.compile(r"\bmoltnet ([a-z][a-z-]*)\b([^`\n]*)")
OPTION = re.compile(r"(?<![\w-])--[a-z-]+")
TARGET = re.compile(r"\bmake ([a-z][a-z-]*)\b")
READ = (settings, ory_settings, observability)
NO_COMMANDS = {"ready"}  # `moltnet ready on http://…` is what a server prints


def known_settings() -> set[str]:
    """Every name the room of settings reads."""
    literals = set(re.findall(r'"([A-Z][A-Z_]+)"', "".join(map(inspect.getsource, READ))))
    names = literals | set(settings.UNTHROTTLED) | set(ory_settings.ORY_SIDES.values())
    names |= {f"MOLTNET_TEST_{name}" for name in (*ory_settings.ORY_SIDES.values(), "ORY_HOOKS")}
    names |= set(re.findall(r"^([A-Z_]+)=", text_of(ROOT / "deploy" / "ory" / "example.env"), re.MULTILINE))
    return {name for name in names if SETTING.fullmatch(name)}


def settings_named(page: Path) -> set[str]:
    """Settings in full, and those of a row that are told by their ends alone (`RATE_LIMIT_A`, `_B`)."""
    text = text_of(page)
    return {*SETTING.findall(text), *(f"RATE_LIMIT{end}" for end in re.findall(r"`(_[A-Z_]+)`", text))}


def options_of(command: click.Command) -> set[str]:
    """A command's options, and those of the commands in it."""
    within = command.commands.values() if isinstance(command, click.Group) else ()
    own = {option for parameter in command.params for option in parameter.opts if option.startswith("-")}
    return own.union({"--help"}, *map(options_of, within))


def visible(group: click.Command = cli) -> dict[str, click.Command]:
    """A group's commands by name; none for a command that is no group."""
    if not isinstance(group, click.Group):
        return {}
    context = click.Context(group)
    found = {name: group.get_command(context, name) for name in group.list_commands(context)}
    return {name: command for name, command in found.items() if command and not command.hidden}


def meant(name: str, rest: str) -> click.Command:
    """The command that a line of a page types, the one of a group where it names one."""
    command = visible()[name]
    below = visible(command)
    return below[rest.split(maxsplit=1)[0]] if below and rest.split() else command


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_options_exist(page: Path) -> None:
    named = [(name, rest) for name, rest in COMMAND.findall(_code(page)) if name not in NO_COMMANDS]
    assert {name for name, _ in named} <= set(visible())
    for name, rest in named:
        assert set(OPTION.findall(rest)) <= options_of(meant(name, rest)), (name, rest)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_settings_exist(page: Path) -> None:
    assert settings_named(page) <= known_settings()


def test_every_operators_command_and_its_options_are_explained() -> None:
    explained = dict(COMMAND.findall(_code(OPERATORS)))
    operators = {name: command for name, command in visible().items() if name not in AGENTS_COMMANDS}
    assert set(operators) - set(explained) == {"version"}
    for name, command in operators.items():
        missing = options_of(command) - {"--help", "-h", "--data"} - set(OPTION.findall(text_of(OPERATORS)))
        assert not missing, name


def test_every_agents_command_is_in_the_table() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \|([^|]*)\|", text_of(AGENTS), re.MULTILINE)
    table = {name: set(re.findall(r"`([a-z-]+)`", below)) for name, below in rows}
    assert table == {name: set(visible(visible()[name])) for name in AGENTS_COMMANDS}


def test_every_setting_is_explained() -> None:
    assert known_settings() <= set().union(*map(settings_named, (OPERATORS, LIBRARY, AGENTS, ORY)))


def test_every_setting_of_agents_is_explained_beside_their_commands() -> None:
    read = re.findall(r'"(MOLTNET_[A-Z_]+)"', inspect.getsource(settings.read_client_settings))
    read += re.findall(r'"(MOLTNET_[A-Z_]+)"', inspect.getsource(settings._Fields.credentials_file))
    assert set(read) == settings_named(AGENTS)


def test_defaults_in_the_table_are_those_of_the_code(tmp_path: Path) -> None:
    read = settings.read_settings(tmp_path, {})
    table = dict(re.findall(r"^\| `([A-Z_]+)` \| ([^|]+?) \|", text_of(OPERATORS), re.MULTILINE))
    told = {
        "PORT": str(read.port),
        "MOLTNET_CONTENT_MAX": str(read.content_max),
        "MOLTNET_EMBEDDING_THREADS": str(read.embedding_threads),
        "MOLTNET_DATABASE_CONNECTIONS": str(read.max_connections),
        "MOLTNET_STREAMS_PER_ADDRESS": str(read.streams_per_address),
        "MOLTNET_CLIENT_CONNECTIONS": str(read.client_connections),
        "MOLTNET_CONNECTIONS_PER_ADDRESS": str(read.connections_per_address),
        "MOLTNET_LOG_FORMAT": str(read.log.form),
        "MOLTNET_LOG_LEVEL": str(read.log.level),
        "MOLTNET_ACCESS_LOG": str(read.log.access).lower(),
        "MOLTNET_MCP_ANONYMOUS": str(read.mcp_anonymous).lower(),
        "MOLTNET_WEB": str(read.web).lower(),
        "MOLTNET_SCOPELESS_TOKENS_HAVE_ALL": str(read.scopeless_tokens_have_all).lower(),
    }
    assert {name: table[name] for name in told} == told


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", text_of(ROOT / "Makefile"), re.MULTILINE))
    for page in PAGES:
        assert set(TARGET.findall(_code(page))) <= targets


def _code(page: Path) -> str:
    """What a page sets as code, inline or in blocks."""
    return "\n".join(part for parts in re.findall(r"```(.*?)```|`([^`]+)`", text_of(page), re.DOTALL) for part in parts)
