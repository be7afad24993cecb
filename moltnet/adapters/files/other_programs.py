"""An agent's key and credentials in the forms that other programs read: SSH, git, and MCP clients.

Source: docs/reference/client.md, "Git identity and GitHub App" and "MCP client configuration"; OpenSSH's PROTOCOL.key;
RFC 8709 §4.
"""

import base64
import binascii
import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import attrs

from moltnet.adapters.files.paths import PUBLIC, private_folder, read_text, to_json, write_atomically
from moltnet.domain.credentials import ClientSecret
from moltnet.domain.errors import Invalid
from moltnet.domain.ids import AgentId
from moltnet.domain.keys import KEY_BYTES, KEY_PREFIX, PublicKey

KIND = b"ssh-ed25519"
_MAGIC = b"openssh-key-v1\x00"
_NONE = b"none"
_BLOCK = 8
_COLUMNS = 70


class NotAKey(Invalid):
    """A text that holds no Ed25519 key."""

    code = "NOT_A_KEY"


@attrs.frozen(kw_only=True)
class SshKeyFiles:
    """Where an exported key pair lies."""

    private: Path
    public: Path


def public_line(public_key: str) -> str:
    """One line as in `authorized_keys`, without a comment. Raises NotAKey."""
    blob = _length_prefixed(KIND) + _length_prefixed(_public_bytes(public_key))
    return f"{KIND.decode()} {base64.b64encode(blob).decode('ascii')}"


def private_pem(seed: str, public_key: str) -> str:
    """The private key as an unencrypted OpenSSH PEM. Raises NotAKey.

    The check numbers, which tell a wrong passphrase, are zero: there is no passphrase, and equal keys stay equal.
    """
    public, secret = _public_bytes(public_key), _seed_bytes(seed)
    body = (
        bytes(8)
        + _length_prefixed(KIND)
        + _length_prefixed(public)
        + _length_prefixed(secret + public)
        + _length_prefixed(b"")
    )
    body += bytes(range(1, (-len(body)) % _BLOCK + 1))
    encoded = (
        _MAGIC + _length_prefixed(_NONE) + _length_prefixed(_NONE) + _length_prefixed(b"") + (1).to_bytes(4, "big")
    )
    encoded += _length_prefixed(_length_prefixed(KIND) + _length_prefixed(public)) + _length_prefixed(body)
    text = base64.b64encode(encoded).decode("ascii")
    lines = [text[at : at + _COLUMNS] for at in range(0, len(text), _COLUMNS)]
    return "\n".join(["-----BEGIN OPENSSH PRIVATE KEY-----", *lines, "-----END OPENSSH PRIVATE KEY-----", ""])


def export_ssh_keys(folder: Path, seed: str, public_key: str) -> SshKeyFiles:
    """Writes both files into a folder, which is made if need be. Raises NotAKey and UnusablePath."""
    pem, line = private_pem(seed, public_key), public_line(public_key)
    private_folder(folder)
    files = SshKeyFiles(private=folder / "id_ed25519", public=folder / "id_ed25519.pub")
    write_atomically(files.private, pem)
    write_atomically(files.public, line + "\n", PUBLIC)
    return files


def _public_bytes(text: str) -> bytes:
    if not text.startswith(KEY_PREFIX):
        raise NotAKey(f"a public key begins with {KEY_PREFIX} and holds 32 bytes")
    return PublicKey.parse(text).raw


def _seed_bytes(text: str) -> bytes:
    try:
        seed = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        seed = b""
    if len(seed) != KEY_BYTES:
        raise NotAKey("a private key is 32 bytes in base64")
    return seed


def _length_prefixed(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value


EMAIL_DOMAIN = "agents.themolt.net"
_FORBIDDEN = set('\n\r\x00"\\')


class NameUnusable(Invalid):
    """A name or address that a git configuration cannot hold on one line."""

    code = "NAME_UNUSABLE"
    sentence = "a git name or e-mail address is one line without quotes and backslashes"


@attrs.frozen(kw_only=True)
class GitIdentity:
    """Who commits are by."""

    name: str = attrs.field()
    email: str = attrs.field()

    @name.validator
    @email.validator
    def _one_line(self, _: object, text: str) -> None:
        if not text.strip() or _FORBIDDEN & set(text):
            raise NameUnusable

    @classmethod
    def of(cls, agent_id: AgentId, name: str | None = None, email: str | None = None) -> "GitIdentity":
        """The given name and address, or those that follow from the agent's id."""
        return cls(name=name or f"moltnet-agent-{str(agent_id)[:8]}", email=email or f"{agent_id}@{EMAIL_DOMAIN}")


def set_up_git(folder: Path, identity: GitIdentity, public_key_file: Path) -> Path:
    """Writes `ssh/allowed_signers` and `gitconfig` into the configuration folder again; answers the latter's place."""
    line = (read_text(public_key_file) or "").strip()
    signers, config = folder / "ssh" / "allowed_signers", folder / "gitconfig"
    write_atomically(signers, f"{identity.email} {line}\n", PUBLIC)
    write_atomically(config, _config(identity, public_key_file, signers), PUBLIC)
    return config


def add_credential_helper(config: Path, credentials: Path) -> None:
    """Lets git ask this program for a token when it pushes to GitHub.

    The `!` makes git run a command; without it git would look for a program called git-credential-moltnet.
    """
    command = f"moltnet github credential-helper --credentials {shlex.quote(os.fspath(credentials.absolute()))}"
    quoted = command.replace("\\", "\\\\").replace('"', '\\"')
    section = f'[credential "https://github.com"]\n\thelper = "!{quoted}"\n'
    write_atomically(config, (read_text(config) or "") + section, PUBLIC)


def git_activation(config: Path) -> str:
    """What makes git use it in a shell."""
    return f"export GIT_CONFIG_GLOBAL={shlex.quote(os.fspath(config))}"


def _config(identity: GitIdentity, public_key_file: Path, signers: Path) -> str:
    return (
        f'[user]\n\tname = "{identity.name}"\n\temail = "{identity.email}"\n\tsigningkey = "{_git(public_key_file)}"\n'
        f'[gpg]\n\tformat = ssh\n[gpg "ssh"]\n\tallowedSignersFile = "{_git(signers)}"\n'
        "[commit]\n\tgpgsign = true\n[tag]\n\tgpgsign = true\n"
    )


def _git(path: Path) -> str:
    return os.fspath(path.absolute()).replace("\\", "\\\\").replace('"', '\\"')


MCP_FILE = ".mcp.json"
SERVERS, NAME = "mcpServers", "moltnet"
GIT_S = 5.0
_NOT_IGNORED = 1  # 0: ignored; 128: no work tree


class ConfigurationUnreadable(Invalid):
    """A configuration that belongs to other programs too is not JSON: it is not written over."""

    code = "CONFIGURATION_UNREADABLE"

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is not a JSON object; mend it or move it away, then run 'moltnet mcp-config' again")


def mcp_server_entry(api_url: str, credentials: ClientSecret) -> dict[str, object]:
    """How an MCP client reaches the network with the two credential headers."""
    headers = {"X-Client-Id": str(credentials.client_id), "X-Client-Secret": credentials.secret}
    return {"type": "http", "url": f"{api_url}/mcp", "headers": headers}


def mcp_document(entry: Mapping[str, object]) -> dict[str, object]:
    """A whole configuration with this one server."""
    return {SERVERS: {NAME: entry}}


def write_mcp_document(folder: Path, entry: Mapping[str, object]) -> Path:
    """Sets our server in a folder's `.mcp.json` and leaves everything else there; answers where.

    Raises ConfigurationUnreadable and writes nothing when what is there cannot be stored.
    """
    path = folder / MCP_FILE
    document = _read(path)
    servers = document.get(SERVERS, {})
    if not isinstance(servers, dict):
        raise ConfigurationUnreadable(path)
    write_atomically(path, to_json({**document, SERVERS: {**servers, NAME: entry}}))
    return path


def is_visible_to_git(path: Path) -> bool:
    """Whether a file lies in a git work tree that does not ignore it; False where there is no git."""
    git = shutil.which("git")
    if git is None:
        return False
    # A work tree may name a program that watches it; asking about one file is not a reason to run that.
    asked = [git, "-c", "core.fsmonitor=false", "check-ignore", "--quiet", "--", path.name]
    try:
        ended = subprocess.run(asked, cwd=path.absolute().parent, capture_output=True, check=False, timeout=GIT_S)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ended.returncode == _NOT_IGNORED


def renew_mcp_document(path: Path, credentials: ClientSecret) -> bool:
    """Puts a fresh secret where the client's former one stands; says whether there was one. Raises as above."""
    document = _read(path)
    servers = document.get(SERVERS)
    ours = servers.get(NAME) if isinstance(servers, dict) else None
    headers = ours.get("headers") if isinstance(ours, dict) else None
    if not isinstance(headers, dict) or headers.get("X-Client-Id") != str(credentials.client_id):
        return False
    headers["X-Client-Secret"] = credentials.secret
    write_atomically(path, to_json(document))
    return True


def _read(path: Path) -> dict[str, object]:
    text = read_text(path)
    if text is None:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigurationUnreadable(path) from error
    if not isinstance(found, dict):
        raise ConfigurationUnreadable(path)
    return found
