"""Connections to remote networks, and where they keep their identity. Nothing of a server is imported."""

from pathlib import Path

from moltnet.adapters.files.credentials import CredentialsFile
from moltnet.adapters.files.keyring import FileKeyring
from moltnet.adapters.http.agent import HttpConnection
from moltnet.adapters.http.credentials import register
from moltnet.adapters.http.rest_client import RestClient
from moltnet.domain.credentials import ClientSecret
from moltnet.domain.ids import AgentId
from moltnet.domain.keys import PublicKey
from moltnet.ports.keyring import Keyring
from moltnet.ports.remote import RemoteNetwork


def connection(
    api_url: str,
    credentials: ClientSecret | None = None,
    *,
    keyring: Keyring | None = None,
    agent_id: AgentId | None = None,
) -> RemoteNetwork:
    """A connection to the network at an address; without credentials, nobody's.

    With a keyring, fresh secrets are kept there, and those that another process kept there are found.
    """
    return HttpConnection(api_url, credentials, keyring=keyring, agent_id=agent_id)


async def admission(api_url: str, public_key: PublicKey, voucher_code: str, proof: str) -> tuple[AgentId, ClientSecret]:
    """What a network tells a newcomer, in one try; raises a RegistrationError of its kind, and NetworkError."""
    client = RestClient(api_url)
    try:
        registered = await register(client, public_key, voucher_code, proof)
    finally:
        await client.aclose()
    return registered.identity_id, ClientSecret(client_id=registered.client_id, secret=registered.client_secret)


def file_keyring(path: Path, configurations: tuple[Path, ...] = (), *, replacing: bool = False) -> Keyring:
    """A credentials file as a keyring; fresh secrets reach the MCP configurations too that repeat the former one."""
    return FileKeyring(file=CredentialsFile(path), configurations=configurations, replacing=replacing)
