"""Which agent a command is, and in which network: the options that all agents' commands share."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import click

from moltnet.domain.diaries import DiaryNotFound
from moltnet.domain.entries import EntryNotFound
from moltnet.domain.errors import Invalid, NotFound
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.entrypoints.cli.output import FAILED, Form, one_sentence
from moltnet.entrypoints.cli.values import checked
from moltnet.entrypoints.library.diary_refs import DEFAULT, AmbiguousDiary, diary_id
from moltnet.entrypoints.settings import (
    DEFAULT_API_URL,
    ClientSettings,
    first_agent_file,
    http_url,
    read_client_settings,
)
from moltnet.ports.keyring import Keyring, NoCredentials, OwnIdentity
from moltnet.ports.signatures import KeyPair

if TYPE_CHECKING:
    from moltnet.entrypoints.library.agent import Agent

Answer = TypeVar("Answer")
Function = TypeVar("Function", bound=Callable[..., Any])

MCP_CONFIGURATION = ".mcp.json"


class NoSuchDiary(NotFound):
    """A command names a diary that is not there."""

    code = "NO_SUCH_DIARY"

    def __init__(self, ref: str, *, of_environment: bool) -> None:
        source = "MOLTNET_DIARY: none" if of_environment else "None"
        super().__init__(
            "You have no diary: make one with 'moltnet diaries create --name Private'"
            if ref == DEFAULT
            else f"{source} of your diaries is called '{ref}': 'moltnet diaries list' shows their names and ids"
        )


class KeyElsewhere(Invalid):
    """The environment holds an agent's credentials, but not its key."""

    code = "KEY_ELSEWHERE"
    sentence = "The key of the agent in MOLTNET_CLIENT_ID is not here: set MOLTNET_PRIVATE_KEY, or name --credentials"


@attrs.frozen(kw_only=True)
class ConnectionOptions:
    """What the shared options say; what they leave open, the environment and the credentials file do."""

    api_url: str | None = None
    credentials: Path | None = None
    profile: str | None = None
    form: Form = Form.JSON
    names_json: bool = False

    @property
    def settings(self) -> ClientSettings:
        """The environment, with the credentials file that is read; raises SettingsInvalid.

        Where none is named and the usual one is not there, it is that of the first agent of this machine's network.
        """
        return or_first_agent(self.client_settings)

    @property
    def client_settings(self) -> ClientSettings:
        """The environment, with the credentials file that is written; raises SettingsInvalid."""
        read = read_client_settings(profile=self.profile)
        if self.credentials is None:
            return read
        return attrs.evolve(read, credentials_file=self.credentials.absolute(), names_file=True)

    @property
    def names_a_file(self) -> bool:
        """Whether one identity is meant, whatever else the environment says."""
        return bool(self.credentials or self.profile)

    @property
    def is_of_the_environment(self) -> bool:
        """Whether the environment holds the credentials, and there is no file to keep fresh ones in."""
        settings = self.settings
        return not self.names_a_file and bool(settings.client_id and settings.client_secret)

    def keyring(self) -> Keyring:
        """The credentials file, with the MCP configuration of the working folder that may repeat its secret."""
        from moltnet.entrypoints.container.remote import file_keyring  # noqa: PLC0415  # quick help

        return file_keyring(self.settings.credentials_file, (Path(MCP_CONFIGURATION).absolute(),))

    def new_keyring(self, *, replacing: bool) -> Keyring:
        """Where a new identity is kept; never in the first agent's file."""
        from moltnet.entrypoints.container.remote import file_keyring  # noqa: PLC0415  # quick help

        path = self.client_settings.credentials_file
        return file_keyring(path, (Path(MCP_CONFIGURATION).absolute(),), replacing=replacing)

    def identity(self) -> OwnIdentity:
        """Who the credentials file says this is; raises NoCredentials."""
        identity = self.keyring().read()
        if identity is None:
            raise NoCredentials(missing=self.settings.credentials_file)
        return identity

    def keys(self) -> KeyPair:
        """The private key: of a file that is named, else MOLTNET_PRIVATE_KEY's, else the usual file's.

        Raises NoCredentials, and KeyElsewhere rather than mix two identities.
        """
        from moltnet.entrypoints.container.remote import key_pair_of  # noqa: PLC0415  # quick help

        private_key = None if self.names_a_file else self.settings.private_key
        if private_key is None and self.is_of_the_environment:
            raise KeyElsewhere
        return key_pair_of(private_key or self.identity().private_key)

    def partial_credentials(self) -> tuple[KeyPair | None, str | None]:
        """The key in a file that lost other parts, and the network it is for; of a whole file, nothing is said."""
        from moltnet.entrypoints.container.local_files import read_partial_credentials  # noqa: PLC0415  # quick help

        keys, known = read_partial_credentials(self.settings.credentials_file) or (None, None)
        return keys, self.api_url or self.settings.api_url or known

    def url(self, identity: OwnIdentity | None = None) -> str:
        """The network's address: the option's, else the environment's, else the file's, else the public one's."""
        return http_url(self.api_url or self.settings.api_url or (identity and identity.api_url) or DEFAULT_API_URL)

    async def agent(self) -> "Agent":
        """The agent this is; raises NoCredentials."""
        from moltnet.entrypoints.container.remote import key_pair_of  # noqa: PLC0415  # quick help
        from moltnet.entrypoints.library.remote import connect, remote_agent  # noqa: PLC0415  # quick help

        if self.is_of_the_environment:
            return await connect(api_url=self.api_url)
        identity = self.identity()
        return remote_agent(
            self.url(identity),
            identity.credentials,
            keys=key_pair_of(identity.private_key),
            keyring=self.keyring(),
            agent_id=identity.agent_id,
        )

    async def anonymous_agent(self) -> "Agent":
        """Nobody in particular, in the network the agent's file names, if there is one."""
        from moltnet.entrypoints.library.remote import remote_agent  # noqa: PLC0415  # quick help

        known = self.api_url or self.settings.api_url
        return remote_agent(self.url(None if known else self.keyring().read()))


def or_first_agent(settings: ClientSettings) -> ClientSettings:
    """The settings, with the first agent's credentials where none are named and the usual file is not there."""
    first = first_agent_file()
    if settings.names_file or os.path.isfile(settings.credentials_file):  # noqa: PTH113
        return settings
    if first is None or not os.path.isfile(first):  # noqa: PTH113
        return settings  # unlike Path.is_file, this is no error for a folder that is closed to this user
    return attrs.evolve(settings, credentials_file=first)


def connection_options(function: Function) -> Function:
    """Gives a command the options of `ConnectionOptions`, as its first argument."""

    def wrapper(api_url: str | None, credentials: Path | None, profile: str | None, **options: Any) -> Any:
        as_json, as_text = options.pop("as_json"), options.pop("as_text")
        form = Form.chosen(as_json=as_json, as_text=as_text)
        connection = ConnectionOptions(
            api_url=api_url, credentials=credentials, profile=profile, form=form, names_json=as_json
        )
        with one_sentence(FAILED):
            checked(api_url)
            return function(connection, **{name: checked(value) for name, value in options.items()})

    wrapper.__doc__, wrapper.__name__ = function.__doc__, function.__name__
    wrapper.__dict__.update(function.__dict__)
    for option in reversed(_OPTIONS):
        wrapper = option(wrapper)
    return wrapper  # type: ignore[return-value]  # the same command with more options


def run_as_agent(connection: ConnectionOptions, act: Callable[["Agent"], Awaitable[Answer]]) -> Answer:
    """Does something as the agent; connections are closed afterwards."""
    return asyncio.run(_with(connection.agent, act))


def visiting(connection: ConnectionOptions, act: Callable[["Agent"], Awaitable[Answer]]) -> Answer:
    """Does something that needs no credentials."""
    return asyncio.run(_with(connection.anonymous_agent, act))


async def diary_of(connection: ConnectionOptions, agent: "Agent", named: str | None) -> DiaryId:
    """The diary a command means, by id or name: the named one, else MOLTNET_DIARY's, else the default one.

    Raises NoSuchDiary and AmbiguousDiary.
    """
    ref = named or connection.settings.diary or DEFAULT
    try:
        return await diary_id(agent, ref)
    except DiaryNotFound as error:
        raise NoSuchDiary(ref, of_environment=not named) from error
    except AmbiguousDiary as error:
        raise AmbiguousDiary(f"{error.detail}, which 'moltnet diaries list' shows") from error


async def diary_with(connection: ConnectionOptions, agent: "Agent", named: str | None, entry_id: EntryId) -> DiaryId:
    """The diary an entry is in: the named one, else whichever the agent may read; raises EntryNotFound."""
    if named is not None:
        return await diary_of(connection, agent, named)
    found = await agent.diary.find(entry_id)
    if found is None:
        raise EntryNotFound
    return found.diary_id


async def _with(open_agent: Callable[[], Awaitable["Agent"]], act: Callable[["Agent"], Awaitable[Answer]]) -> Answer:
    async with await open_agent() as agent:
        return await act(agent)


_OPTIONS = (
    click.option("--api-url", help="The network's address; default MOLTNET_API_URL, else the credentials file's."),
    click.option(
        "--credentials", type=click.Path(dir_okay=False, path_type=Path), help="The credentials file of this agent."
    ),
    click.option("--profile", help="The name of one of several agents; default MOLTNET_PROFILE."),
    click.option("--json", "as_json", is_flag=True, help="Print JSON; the default if the output is not a terminal."),
    click.option("--text", "as_text", is_flag=True, help="Print text; the default on a terminal."),
)
