import base64
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.adapters.files.other_programs import NotAKey, export_ssh_keys, private_pem, public_line
from moltnet.adapters.nacl import NaclKeyPair
from moltnet.domain.keys import MalformedKey

# The zero seed of docs/reference/signatures.md, "Keys and fingerprints".
ZERO = NaclKeyPair(bytes(32))
ZERO_LINE = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"


def test_public_line_is_the_contracts() -> None:
    assert public_line(ZERO.public_key.text) == ZERO_LINE


def test_files_have_their_modes_and_end_with_a_newline(tmp_path: Path) -> None:
    files = export_ssh_keys(tmp_path / "ssh", ZERO.seed_text, ZERO.public_key.text)
    modes = [place.stat().st_mode & 0o777 for place in (files.private, files.public, files.private.parent)]
    assert modes == [0o600, 0o644, 0o700]
    assert files.public.read_text() == ZERO_LINE + "\n"


@given(st.binary(min_size=32, max_size=32))
def test_private_part_holds_seed_and_public_key(seed: bytes) -> None:
    key = NaclKeyPair(seed)
    text = "".join(private_pem(key.seed_text, key.public_key.text).splitlines()[1:-1])
    raw = base64.b64decode(text)
    assert raw.startswith(b"openssh-key-v1\x00")
    assert seed + key.public_key.raw in raw


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed: OpenSSH's own reading")
def test_openssh_reads_it(tmp_path: Path) -> None:
    files = export_ssh_keys(tmp_path, ZERO.seed_text, ZERO.public_key.text)
    told = subprocess.run(["ssh-keygen", "-y", "-f", files.private], capture_output=True, text=True, check=True)
    assert told.stdout.split()[:2] == ZERO_LINE.split()


@pytest.mark.parametrize("public", [ZERO.public_key.text.removeprefix("ed25519:"), "", "ed25519", "ssh-ed25519 x"])
def test_public_key_without_its_prefix_is_refused(public: str) -> None:
    with pytest.raises(NotAKey, match="32 bytes"):
        public_line(public)


def test_public_key_of_another_length_is_refused() -> None:
    with pytest.raises(MalformedKey, match="32 bytes"):
        public_line("ed25519:AAAA")


@pytest.mark.parametrize("seed", ["", "AAAA", "not base64", base64.b64encode(bytes(33)).decode(), "\ud800", "é"])
def test_seed_of_another_length_is_refused_and_nothing_written(tmp_path: Path, seed: str) -> None:
    with pytest.raises(NotAKey, match="32 bytes"):
        export_ssh_keys(tmp_path / "ssh", seed, ZERO.public_key.text)
    assert not (tmp_path / "ssh").exists()
