"""A git identity that signs with the agent's key (docs/reference/client.md, "Git identity and GitHub App")."""

import os
import shlex
from pathlib import Path

import attrs

from moltnet.adapters.files.paths import PUBLIC, read_text, write_atomically
from moltnet.domain.errors import Invalid
from moltnet.domain.ids import AgentId

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


def set_up(folder: Path, identity: GitIdentity, public_key_file: Path) -> Path:
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


def activation(config: Path) -> str:
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
