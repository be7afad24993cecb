"""What an agent keeps on its machine, for programs that look after it themselves.

Source: docs/reference/client.md, "Credentials file" and "SSH keys".

`config_dir` names the folder of the credentials file; without it, the file is where the environment says.
"""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from moltnet.domain.credentials import ClientSecret
from moltnet.entrypoints.container import local_files
from moltnet.entrypoints.container.remote import file_keyring
from moltnet.entrypoints.settings import read_client_settings
from moltnet.ports.keys import NoCredentials, OwnIdentity

if TYPE_CHECKING:
    from moltnet.entrypoints.container.local_files import Repaired

ConfigDir = str | PathLike[str] | None
Config = dict[str, object]


def get_config_path(config_dir: ConfigDir = None) -> Path:
    """Where the credentials file is, or will be."""
    return read_client_settings(None if config_dir is None else Path(config_dir)).credentials_file


def get_config_dir(config_dir: ConfigDir = None) -> Path:
    """The folder of the credentials file, and of what belongs to it."""
    return get_config_path(config_dir).parent


def read_config(config_dir: ConfigDir = None) -> Config | None:
    """The credentials file; None when there is none. Raises an error with advice for what is not such a file."""
    return local_files.read_document(get_config_path(config_dir))


def write_config(config: Config | OwnIdentity, config_dir: ConfigDir = None) -> Path:
    """Writes a credentials file, or what `register` answered as one; answers where.

    Raises an error of the kind Conflict rather than lose another key.
    """
    path = get_config_path(config_dir)
    local_files.write_document(path, local_files.document_of(config) if isinstance(config, OwnIdentity) else config)
    return path


def update_config_section(section: str, members: Mapping[str, object], config_dir: ConfigDir = None) -> None:
    """Sets members of one section, keeping the others; raises NoCredentials when there is no file."""
    local_files.update_section(get_config_path(config_dir), section, members)


def build_mcp_config(api_url: str, credentials: ClientSecret) -> Config:
    """What an MCP client reads to find a network as this agent."""
    return local_files.mcp_configuration(api_url.removesuffix("/"), credentials)


def write_mcp_config(api_url: str, credentials: ClientSecret, folder: str | PathLike[str] = ".") -> Path:
    """Puts the network into a folder's `.mcp.json`, which holds a secret then; what else is there stays."""
    return local_files.write_mcp_configuration(Path(folder), api_url.removesuffix("/"), credentials)


def export_ssh_key(config_dir: ConfigDir = None, output_dir: str | PathLike[str] | None = None) -> tuple[Path, Path]:
    """Writes the agent's key as SSH and git use it; answers the private and the public file. Raises NoCredentials."""
    path = get_config_path(config_dir)
    return local_files.export_ssh_key(path, _identity(path), None if output_dir is None else Path(output_dir))


def set_up_git_identity(config_dir: ConfigDir = None, *, name: str | None = None, email: str | None = None) -> Path:
    """Writes a git configuration that signs with the exported key; answers its place, for GIT_CONFIG_GLOBAL."""
    path = get_config_path(config_dir)
    _, config = local_files.set_up_git(path, _identity(path).agent_id, name, email)
    return config


def repair_config(config_dir: ConfigDir = None, *, dry_run: bool = False) -> "Repaired":
    """Finds what is wrong with the credentials file, and mends what follows from the rest of it."""
    return local_files.check_credentials(get_config_path(config_dir), dry_run=dry_run)


def _identity(path: Path) -> OwnIdentity:
    identity = file_keyring(path).read()
    if identity is None:
        raise NoCredentials
    return identity
