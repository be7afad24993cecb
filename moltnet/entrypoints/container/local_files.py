"""What an agent keeps on its own machine. Nothing of a server is imported."""

from pathlib import Path

from moltnet.adapters.files import other_programs
from moltnet.adapters.files.credentials import (
    CredentialsFile,
    CredentialsUnreadable,
    Document,
    FileKeyring,
    KeyWouldBeLost,
    Section,
    identity_document,
    section_of,
    text_of,
)
from moltnet.adapters.files.other_programs import GitIdentity
from moltnet.adapters.files.paths import PUBLIC, read_text, to_json, write_atomically
from moltnet.adapters.files.repair import Repaired as Repaired  # noqa: PLC0414  # rooms above name it, too
from moltnet.adapters.files.repair import repair
from moltnet.adapters.github import AppNotConfigured, GitHubApp
from moltnet.adapters.nacl import NaclKeyPair
from moltnet.domain.credentials import ClientSecret
from moltnet.domain.errors import Invalid
from moltnet.domain.ids import AgentId
from moltnet.entrypoints.container.remote import key_pair_of
from moltnet.ports.keys import KeyPair, OwnIdentity


class NoSshKey(Invalid):
    """Git signs with an exported key, and none was exported."""

    code = "NO_SSH_KEY"
    sentence = "No SSH key was exported yet: run 'moltnet ssh-key' first"


def check_credentials(path: Path, *, dry_run: bool) -> Repaired:
    """What is wrong with a credentials file; what follows from the rest of it is mended unless `dry_run`."""
    return repair(CredentialsFile(path), lambda seed: NaclKeyPair(seed).public_key, dry_run=dry_run)


def read_document(path: Path) -> Document | None:
    """A credentials file as it is; None when there is none. Raises CredentialsUnreadable."""
    return CredentialsFile(path).read()


def write_document(path: Path, document: Document) -> None:
    """Replaces a credentials file, unless another key would be lost. Raises KeyWouldBeLost."""
    file = CredentialsFile(path)
    stored_key = text_of(file.read() or {}, "keys.private_key")
    if stored_key and stored_key != text_of(document, "keys.private_key"):
        raise KeyWouldBeLost(path)
    file.write(document)


def document_of(identity: OwnIdentity) -> Document:
    """An identity in the form of the credentials file."""
    return identity_document(identity)


def update_section(path: Path, section: str, members: Section) -> None:
    """Sets members of one section of a credentials file; raises NoCredentials when there is none."""
    CredentialsFile(path).update(section, members)


def read_partial_credentials(path: Path) -> tuple[KeyPair, str | None] | None:
    """The key and the network's address in a file that lacks other parts; None for a whole one, and for none at all."""
    file = CredentialsFile(path)
    document = file.read()
    try:
        is_complete = FileKeyring(file=file).read() is not None
    except CredentialsUnreadable:
        is_complete = False
    if is_complete or document is None or not text_of(document, "keys.private_key"):
        return None
    return key_pair_of(text_of(document, "keys.private_key")), text_of(document, "endpoints.api") or None


def export_ssh_key(path: Path, identity: OwnIdentity, folder: Path | None) -> tuple[Path, Path]:
    """Writes the key as SSH has it and records where; answers the private and the public file."""
    file = CredentialsFile(path)
    files = other_programs.export_ssh_keys(
        folder or file.folder / "ssh", identity.private_key, identity.public_key.text
    )
    paths = {"private_key_path": str(files.private.absolute()), "public_key_path": str(files.public.absolute())}
    file.update("ssh", paths)
    return files.private, files.public


def set_up_git(path: Path, agent_id: AgentId, name: str | None, email: str | None) -> tuple[GitIdentity, Path]:
    """A git identity that signs with the exported key, and its configuration's place. Raises NoSshKey."""
    file = CredentialsFile(path)
    public = text_of(file.required(), "ssh.public_key_path")
    if not public or not Path(public).exists():
        raise NoSshKey
    identity = GitIdentity.of(agent_id, name, email)
    config = other_programs.set_up_git(file.folder, identity, Path(public))
    file.update(
        "git", {"name": identity.name, "email": identity.email, "signing": True, "config_path": str(config.absolute())}
    )
    return identity, config


def git_activation(config: Path) -> str:
    """What makes git use a configuration in a shell."""
    return other_programs.git_activation(config)


def mcp_configuration(api_url: str, credentials: ClientSecret) -> dict[str, object]:
    """What an MCP client reads to find a network."""
    return other_programs.mcp_document(other_programs.mcp_server_entry(api_url, credentials))


def write_mcp_file(path: Path, api_url: str, credentials: ClientSecret) -> None:
    """Writes a whole MCP configuration with this one network."""
    write_atomically(path, to_json(mcp_configuration(api_url, credentials)))


def is_visible_to_git(path: Path) -> bool:
    """Whether a file lies in a git work tree that does not ignore it; False where there is no git."""
    return other_programs.is_visible_to_git(path)


def write_mcp_configuration(folder: Path, api_url: str, credentials: ClientSecret) -> Path:
    """Puts the network into a folder's `.mcp.json`; what else is there stays."""
    return other_programs.write_mcp_document(folder, other_programs.mcp_server_entry(api_url, credentials))


async def set_up_github(
    path: Path, identity: OwnIdentity, slug: str | None, name: str | None
) -> tuple[GitIdentity, Path]:
    """A git identity of the App's bot, whose pushes fetch a token. Raises AppNotConfigured and GitHubUnavailable."""
    file = CredentialsFile(path)
    app = GitHubApp(section=_github(file))
    slug = slug or app.member("app_slug")
    if not text_of(file.required(), "ssh.public_key_path"):
        export_ssh_key(path, identity, None)
    email = f"{await app.bot_id(slug)}+{slug}[bot]@users.noreply.github.com"
    bot, config = set_up_git(path, identity.agent_id, name or slug, email)
    file.update("github", {"app_slug": slug})
    other_programs.add_credential_helper(config, path)
    return bot, config


async def github_token(path: Path) -> str:
    """A token of the App's installation. Raises AppNotConfigured, AppKeyUnreadable and GitHubUnavailable."""
    app = GitHubApp(section=_github(CredentialsFile(path)))
    key = read_text(Path(app.member("private_key_path")))
    if key is None:
        raise AppNotConfigured("private_key_path that exists")
    return await app.token(key)


def _github(file: CredentialsFile) -> dict[str, str]:
    section = section_of(file.required(), "github")
    return {name: value for name, value in section.items() if isinstance(value, str)}


def write_text(path: Path, text: str) -> None:
    """Replaces a file that others may read."""
    write_atomically(path, text, PUBLIC)
