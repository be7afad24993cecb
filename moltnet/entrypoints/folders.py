"""Folders of the user who runs this: an agent's configuration, and the data folder, which its owner alone may enter.

In a container a user may have neither HOME nor an entry in /etc/passwd, as on OpenShift.

A data folder of ours that others may enter is closed. One that belongs to somebody else, or that holds other things too
and so may be meant for others, is refused: closing `/tmp` would stop the machine.
"""

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

import platformdirs

from moltnet.domain.errors import Invalid

PRIVATE = 0o700
OPEN_TO_OTHERS = 0o077
# What this program keeps there, by the beginnings of the names; drafts begin with a dot.
OWN_FILES = ("postgres", "recovery_challenge_secret", "ory_action_api_key", "first-agent", "genesis")


class DataFolderOpen(Invalid):
    """Others may enter the data folder, and it is not for this program to close it."""

    code = "DATA_FOLDER_OPEN"

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(
            f"The data folder {folder} can be entered by others and {reason}: choose another with --data, or let its "
            "owner close it with chmod 700"
        )


def expanded(text: str) -> Path:
    """The path of a text, which may begin with `~`; raises ValueError with a sentence."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise ValueError(f"cannot find the home folder in {text}; write the folder in full") from None


def configuration_folder() -> Path:
    """Where an agent's credentials are; of a user without a home, below `/`, which is the home that containers set."""
    try:
        home = Path.home()
    except RuntimeError:
        home = Path("/")
    return home / ".config" / "moltnet"


def default_data_folder() -> Path:
    """Where a network is stored; raises ValueError with a sentence."""
    try:
        return Path(platformdirs.user_data_dir("moltnet"))
    except RuntimeError:
        raise ValueError("this user has no home folder; choose a data folder with --data") from None


def private_data_folder(folder: Path) -> None:
    """Makes the folder if need be; it and the files in it are for their owner alone afterwards.

    Raises DataFolderOpen, and OSError.
    """
    folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    state = folder.stat()
    if state.st_mode & OPEN_TO_OTHERS:
        if state.st_uid != os.geteuid():
            raise DataFolderOpen(folder, f"belongs to another user (uid {state.st_uid})")
        if any(not _is_data_file(path.name) for path in folder.iterdir()):
            raise DataFolderOpen(folder, "holds other files too")
        folder.chmod(PRIVATE)
    for path in (*folder.iterdir(), *folder.glob("first-agent/*"), *folder.glob("genesis/*")):
        with suppress(FileNotFoundError):  # the draft of another process that starts at the same time
            _close(path)


def stored_secret(folder: Path, name: str) -> str:
    """The secret of this name in a data folder, made at first use; of several processes at once, one makes it.

    Raises OSError, DataFolderOpen, and UnicodeDecodeError when the file holds something else.
    """
    path = folder / name
    if not path.exists():
        private_data_folder(folder)
        draft = folder / f".{name}-{secrets.token_hex(8)}"
        try:
            _write_draft(draft)
            # Linking, unlike renaming, fails if another process was first: then its secret is the one.
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink(missing_ok=True)
    return path.read_text(encoding="utf-8").strip()


def _close(path: Path) -> None:
    """Closes a file or folder of ours to others; what a link leads to is left as it is."""
    state = path.lstat()
    if stat.S_ISLNK(state.st_mode) or state.st_uid != os.geteuid():
        return
    if state.st_mode & OPEN_TO_OTHERS:
        path.chmod(stat.S_IMODE(state.st_mode) & ~OPEN_TO_OTHERS)


def _is_data_file(name: str) -> bool:
    return name.lstrip(".").startswith(OWN_FILES)


def _write_draft(draft: Path) -> None:
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(32))
        file.flush()
        os.fsync(file.fileno())  # what it seals outlives a power cut, so it must too
