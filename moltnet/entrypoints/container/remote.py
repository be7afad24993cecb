"""Connections to remote networks, and where they keep their identity. Nothing of a server is imported."""

from pathlib import Path

from moltnet.adapters.files.credentials import CredentialsFile
from moltnet.adapters.files.keyring import FileKeyring
from moltnet.adapters.http.agent import HttpConnection
from moltnet.domain.credentials import ClientSecret
from moltnet.domain.ids import AgentId
from moltnet.ports.keyring import Keyring
from moltnet.ports.remote import Connection


def connection(
    api_url: str,
    credentials: ClientSecret | None = None,
    *,
    keyring: Keyring | None = None,
    agent_id: AgentId | None = None,
) -> Connection:
    """A connection to the network at an address; without credentials, nobody's.

    With a keyring, fresh secrets are kept there, and those that another process kept there are found.
    """
    return HttpConnection(api_url, credentials, keyring=keyring, agent_id=agent_id)


def file_keyring(path: Path, configurations: tuple[Path, ...] = (), *, replacing: bool = False) -> Keyring:
    """A credentials file as a keyring; fresh secrets reach the MCP configurations too that repeat the former one."""
    return FileKeyring(file=CredentialsFile(path), configurations=configurations, replacing=replacing)
