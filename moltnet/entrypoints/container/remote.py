"""Connections to remote networks, key pairs, and where an identity is stored. Nothing of a server is imported."""

import base64
import binascii
from pathlib import Path

from moltnet.adapters.files.credentials import CredentialsFile, FileKeyring
from moltnet.adapters.files.log_memory import FileLogMemory, HeadsFile
from moltnet.adapters.http.agent import HttpConnection
from moltnet.adapters.nacl import NaclKeyPair, NaclSignatures
from moltnet.domain.credentials import ClientSecret
from moltnet.domain.ids import AgentId
from moltnet.domain.keys import KEY_BYTES, UnreadablePrivateKey
from moltnet.ports.keys import KeyPair, Keyring, Signatures
from moltnet.ports.records import KnownHeads
from moltnet.ports.remote import RemoteConnection
from moltnet.ports.transparency import LogMemory


def connection(
    api_url: str,
    credentials: ClientSecret | None = None,
    *,
    keyring: Keyring | None = None,
    agent_id: AgentId | None = None,
) -> RemoteConnection:
    """A connection to the network at an address; without credentials, nobody's.

    With a keyring, fresh secrets are stored there, and those that another process kept there are found.
    """
    return HttpConnection(api_url, credentials, keyring=keyring, agent_id=agent_id)


def file_keyring(path: Path, configurations: tuple[Path, ...] = (), *, replacing: bool = False) -> Keyring:
    """A credentials file as a keyring; fresh secrets reach the MCP configurations too that repeat the former one."""
    return FileKeyring(file=CredentialsFile(path), configurations=configurations, replacing=replacing)


def file_log_memory(credentials: Path, url: str) -> LogMemory:
    """A file beside the credentials, for what is seen of the open log of the network at an address."""
    return FileLogMemory(credentials, url)


def file_heads(credentials_file: Path) -> KnownHeads:
    """The heads of signed diaries that the agent of a credentials file has seen, in a file beside it."""
    return HeadsFile(credentials_file.with_name(f"{credentials_file.stem}.heads.json"))


def new_key_pair() -> KeyPair:
    """A fresh key pair of the system's randomness."""
    return NaclKeyPair.generate()


def key_pair_of(seed_text: str) -> KeyPair:
    """The key pair of a private key as it is stored: the 32-byte seed in base64. Raises UnreadablePrivateKey."""
    try:
        seed = base64.b64decode(seed_text, validate=True)
    except (binascii.Error, ValueError):
        raise UnreadablePrivateKey from None  # the cause would repeat what was read
    if len(seed) != KEY_BYTES:
        raise UnreadablePrivateKey
    return NaclKeyPair(seed)


def signatures() -> Signatures:
    """What verifies signatures."""
    return NaclSignatures()
