"""The agent and the network of a command: the options that all agents' commands share."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import attrs
import click

from moltnet.domain.diaries import DiaryNotFound
from moltnet.domain.errors import Invalid, NotFound
from moltnet.domain.ids import DiaryId
from moltnet.entrypoints.cli.output import FAILED, one_sentence
from moltnet.entrypoints.cli.output import result as print_json
from moltnet.entrypoints.cli.tables import lines
from moltnet.entrypoints.cli.values import DIARY, DiaryRef, checked
from moltnet.entrypoints.library.agent import Agent
from moltnet.entrypoints.library.diaries import DEFAULT, AmbiguousDiary, diary_id
from moltnet.entrypoints.schema.convert import json_value
from moltnet.entrypoints.settings import (
    DEFAULT_API_URL,
    ClientSettings,
    first_agent_file,
    http_url,
    read_client_settings,
)
from moltnet.ports.keys import KeyPair, Keyring, NoCredentials, OwnIdentity

Answer = TypeVar("Answer")

MCP_CONFIGURATION = ".mcp.json"


class NoSuchDiary(NotFound):
    """None of the agent's diaries has this name."""

    code = "NO_SUCH_DIARY"

    def __init__(self, ref: str, *, of_environment: bool) -> None:
        source = "MOLTNET_DIARY: none" if of_environment else "None"
        super().__init__(
            "You have no diary: make one with 'moltnet diaries create --name Private'"
            if ref == DEFAULT
            else f"{source} of your diaries is called '{ref}': 'moltnet diaries list' shows their names and ids"
        )


class KeyElsewhere(Invalid):
    """The environment has an agent's credentials, but not its key."""

    code = "KEY_ELSEWHERE"
    sentence = "The key of the agent in MOLTNET_CLIENT_ID is not here: set MOLTNET_PRIVATE_KEY, or name --credentials"


@attrs.frozen(kw_only=True)
class ConnectionOptions:
    """The shared options; the environment and the credentials file supply what they leave out."""

    api_url: str | None = None
    credentials: Path | None = None
    profile: str | None = None
    as_text: bool = False
    names_json: bool = False

    @property
    def settings(self) -> ClientSettings:
        """The environment, with the credentials file to read; raises SettingsInvalid.

        If none is named and the default one does not exist, it is that of the first agent of this machine's network.
        """
        return or_first_agent(self.client_settings)

    @property
    def client_settings(self) -> ClientSettings:
        """The environment, with the credentials file to write; raises SettingsInvalid."""
        read = read_client_settings(profile=self.profile)
        if self.credentials is None:
            return read
        return attrs.evolve(read, credentials_file=self.credentials.absolute(), names_file=True)

    @property
    def names_a_file(self) -> bool:
        """Whether an option names an identity, which then comes before the environment's."""
        return bool(self.credentials or self.profile)

    @property
    def is_of_the_environment(self) -> bool:
        """Whether the credentials are the environment's, so that new ones cannot be stored."""
        settings = self.settings
        return not self.names_a_file and bool(settings.client_id and settings.client_secret)

    def keyring(self) -> Keyring:
        """The credentials file, and the MCP configuration of the working folder, which may have the same secret."""
        from moltnet.entrypoints.container.remote import file_keyring  # noqa: PLC0415  # quick help

        return file_keyring(self.settings.credentials_file, (Path(MCP_CONFIGURATION).absolute(),))

    def new_keyring(self, *, replacing: bool) -> Keyring:
        """The file for a new identity; never the first agent's."""
        from moltnet.entrypoints.container.remote import file_keyring  # noqa: PLC0415  # quick help

        path = self.client_settings.credentials_file
        return file_keyring(path, (Path(MCP_CONFIGURATION).absolute(),), replacing=replacing)

    def identity(self) -> OwnIdentity:
        """The identity in the credentials file; raises NoCredentials."""
        identity = self.keyring().read()
        if identity is None:
            raise NoCredentials(missing=self.settings.credentials_file)
        return identity

    def keys(self) -> KeyPair:
        """The private key: of a named file, else of MOLTNET_PRIVATE_KEY, else of the default file.

        Raises:
            NoCredentials: there is no file.
            KeyElsewhere: the environment has the credentials of an agent, but not its key.
        """
        from moltnet.entrypoints.container.remote import key_pair_of  # noqa: PLC0415  # quick help

        private_key = None if self.names_a_file else self.settings.private_key
        if private_key is None and self.is_of_the_environment:
            raise KeyElsewhere
        return key_pair_of(private_key or self.identity().private_key)

    def partial_credentials(self) -> tuple[KeyPair | None, str | None]:
        """The key in a file that lacks other parts, else None, and the network's address, if it is known."""
        from moltnet.entrypoints.container.local_files import read_partial_credentials  # noqa: PLC0415  # quick help

        keys, known = read_partial_credentials(self.settings.credentials_file) or (None, None)
        return keys, self.api_url or self.settings.api_url or known

    def url(self, identity: OwnIdentity | None = None) -> str:
        """The network's address: of the option, else the environment, else the file, else the public network."""
        return http_url(self.api_url or self.settings.api_url or (identity and identity.api_url) or DEFAULT_API_URL)

    def show(self, result: object, text: Callable[[Any], str] = lines) -> None:
        """Prints a result: as JSON with the members that REST answers, or as `text` renders those."""
        shown = json_value(result)
        if self.as_text:
            click.echo(text(shown))
        else:
            print_json(shown)

    async def agent(self) -> Agent:
        """The agent of these options; raises NoCredentials."""
        from moltnet.entrypoints.container.remote import (  # noqa: PLC0415  # quick help
            file_heads,
            file_log_memory,
            key_pair_of,
        )
        from moltnet.entrypoints.library.remote import connect, remote_agent  # noqa: PLC0415  # quick help

        if self.is_of_the_environment:
            return await connect(api_url=self.api_url)
        identity = self.identity()
        url = self.url(identity)
        return remote_agent(
            url,
            identity.credentials,
            keys=key_pair_of(identity.private_key),
            keyring=self.keyring(),
            agent_id=identity.agent_id,
            log_memory=file_log_memory(self.settings.credentials_file, url),
            heads=file_heads(self.settings.credentials_file),
        )

    async def anonymous_agent(self) -> Agent:
        """An anonymous client of the network that the agent's file names, if there is one."""
        from moltnet.entrypoints.container.remote import file_log_memory  # noqa: PLC0415  # quick help
        from moltnet.entrypoints.library.remote import remote_agent  # noqa: PLC0415  # quick help

        known = self.api_url or self.settings.api_url
        url = self.url(None if known else self.keyring().read())
        return remote_agent(url, log_memory=file_log_memory(self.settings.credentials_file, url))


def or_first_agent(settings: ClientSettings) -> ClientSettings:
    """The settings, with the first agent's credentials if none are named and the default file does not exist."""
    first = first_agent_file()
    if settings.names_file or os.path.isfile(settings.credentials_file):  # noqa: PTH113
        return settings
    if first is None or not os.path.isfile(first):  # noqa: PTH113
        return settings  # unlike Path.is_file, os.path.isfile is false in a folder that this user cannot read
    return attrs.evolve(settings, credentials_file=first)


def connection_options(function: Callable[..., object]) -> Callable[..., Any]:
    """Gives a command the options of `ConnectionOptions`, as its first argument, and the errors of commands."""

    @wraps(function)
    def command(api_url: str | None, credentials: Path | None, profile: str | None, **options: Any) -> object:
        as_json, as_text = options.pop("as_json"), options.pop("as_text")
        connection = ConnectionOptions(
            api_url=api_url,
            credentials=credentials,
            profile=profile,
            as_text=not as_json and (as_text or sys.stdout.isatty()),
            names_json=as_json,
        )
        with one_sentence(FAILED):
            checked(api_url)
            return function(connection, **{name: checked(value) for name, value in options.items()})

    for option in reversed(_OPTIONS):
        option(command)
    return command


def agent_command(
    text: Callable[[Any], str] = lines, *, anonymous: bool = False
) -> Callable[[Callable[..., Awaitable[object]]], Callable[..., Any]]:
    """Makes a command of an async function that takes an agent and the command's options.

    The result is printed as JSON or by `text`, if it is not None. Options that are a DiaryRef become the diary's id.
    An `anonymous` command needs no credentials.
    """

    def decorate(act: Callable[..., Awaitable[object]]) -> Callable[..., Any]:
        @connection_options
        @wraps(act)
        def command(connection: ConnectionOptions, **options: Any) -> None:
            async def run(agent: Agent) -> object:
                refs = {name: value for name, value in options.items() if isinstance(value, DiaryRef)}
                found = {name: await diary_of(connection, agent, ref) for name, ref in refs.items()}
                return await act(agent, **options | found)

            result = run_anonymously(connection, run) if anonymous else run_as_agent(connection, run)
            if result is not None:
                connection.show(result, text)

        return command

    return decorate


def run_as_agent(connection: ConnectionOptions, act: Callable[[Agent], Awaitable[Answer]]) -> Answer:
    """Runs `act` with the agent; connections are closed afterwards."""
    return asyncio.run(_with(connection.agent, act))


def run_anonymously(connection: ConnectionOptions, act: Callable[[Agent], Awaitable[Answer]]) -> Answer:
    """Runs `act` with an anonymous client; connections are closed afterwards."""
    return asyncio.run(_with(connection.anonymous_agent, act))


async def diary_of(connection: ConnectionOptions, agent: Agent, named: DiaryRef) -> DiaryId:
    """The id of a diary: of the named one, else of MOLTNET_DIARY's, else of the default one.

    Raises:
        NoSuchDiary: the agent has no such diary.
        AmbiguousDiary: it has several of this name.
    """
    ref = named.text or connection.settings.diary or DEFAULT
    try:
        return await diary_id(agent, ref)
    except DiaryNotFound as error:
        raise NoSuchDiary(ref, of_environment=not named.text) from error
    except AmbiguousDiary as error:
        raise AmbiguousDiary(f"{error.detail}, which 'moltnet diaries list' shows") from error


async def _with(open_agent: Callable[[], Awaitable[Agent]], act: Callable[[Agent], Awaitable[Answer]]) -> Answer:
    async with await open_agent() as agent:
        return await act(agent)


default_diary = click.option(
    "--diary-id", type=DIARY, default=DiaryRef(), help="Id or name; default MOLTNET_DIARY, else your first diary."
)
_OPTIONS = (
    click.option("--api-url", help="The network's address; default MOLTNET_API_URL, else the credentials file's."),
    click.option(
        "--credentials", type=click.Path(dir_okay=False, path_type=Path), help="The credentials file of this agent."
    ),
    click.option("--profile", help="The name of one of several agents; default MOLTNET_PROFILE."),
    click.option("--json", "as_json", is_flag=True, help="Print JSON; the default if the output is not a terminal."),
    click.option("--text", "as_text", is_flag=True, help="Print text; the default on a terminal."),
)
