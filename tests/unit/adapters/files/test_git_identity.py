import shutil
import subprocess
from pathlib import Path
from uuid import UUID

import pytest

from moltnet.adapters.files.other_programs import GitIdentity, NameUnusable, export_ssh_keys, git_activation, set_up_git
from moltnet.adapters.nacl import NaclKeyPair
from moltnet.domain.ids import AgentId

AGENT = AgentId(UUID("f47ac10b-58cc-4372-a567-0e02b2c3d479"))
KEY = NaclKeyPair(bytes(32))


def test_name_and_address_follow_from_the_agent() -> None:
    assert GitIdentity.of(AGENT) == GitIdentity(name="moltnet-agent-f47ac10b", email=f"{AGENT}@agents.themolt.net")


@pytest.mark.parametrize("name", [" ", "a\nb", 'a"b', "a\\b", "a\x00"])
def test_name_that_would_break_the_configuration_is_refused(name: str) -> None:
    with pytest.raises(NameUnusable):
        GitIdentity.of(AGENT, name=name)


def test_allowed_signers_has_one_line(tmp_path: Path) -> None:
    files = export_ssh_keys(tmp_path / "ssh", KEY.seed_text, KEY.public_key.text)
    set_up_git(tmp_path, GitIdentity.of(AGENT, email="a@b.example"), files.public)
    assert (tmp_path / "ssh" / "allowed_signers").read_text() == f"a@b.example {files.public.read_text()}"


def test_setting_up_again_replaces_what_was_there(tmp_path: Path) -> None:
    files = export_ssh_keys(tmp_path / "ssh", KEY.seed_text, KEY.public_key.text)
    set_up_git(tmp_path, GitIdentity.of(AGENT, name="First"), files.public)
    config = set_up_git(tmp_path, GitIdentity.of(AGENT, name="Second"), files.public)
    assert "Second" in config.read_text()
    assert "First" not in config.read_text()


def test_path_with_a_blank_can_be_pasted_into_a_shell(tmp_path: Path) -> None:
    assert git_activation(tmp_path / "a b").endswith("a b'")


@pytest.mark.skipif(
    shutil.which("git") is None or shutil.which("ssh-keygen") is None,
    reason="git or ssh-keygen is not installed: they sign and verify here",
)
def test_git_signs_with_it_and_verifies(tmp_path: Path) -> None:
    folder = tmp_path / "with a blank"
    files = export_ssh_keys(folder / "ssh", KEY.seed_text, KEY.public_key.text)
    config = set_up_git(folder, GitIdentity.of(AGENT), files.public)
    env = {"GIT_CONFIG_GLOBAL": str(config), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}

    def git(*arguments: str) -> str:
        run = subprocess.run(
            ["git", "-C", tmp_path / "repo", *arguments], env=env, capture_output=True, text=True, check=True
        )
        return run.stdout + run.stderr

    (tmp_path / "repo").mkdir()
    git("init")
    git("commit", "--allow-empty", "-m", "signed")
    assert f'Good "git" signature for {AGENT}@agents.themolt.net' in git("verify-commit", "-v", "HEAD")
