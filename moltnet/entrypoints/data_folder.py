"""The data folder of an operator: nobody but its owner may enter it.

A folder of ours that others may enter is closed. One that belongs to somebody else, or that holds other things too and
so may be meant for others, is refused: closing `/tmp` would stop the machine.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path

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


def _close(path: Path) -> None:
    """Closes a file or folder of ours to others; what a link leads to is left as it is."""
    state = path.lstat()
    if stat.S_ISLNK(state.st_mode) or state.st_uid != os.geteuid():
        return
    if state.st_mode & OPEN_TO_OTHERS:
        path.chmod(stat.S_IMODE(state.st_mode) & ~OPEN_TO_OTHERS)


def _is_data_file(name: str) -> bool:
    return name.lstrip(".").startswith(OWN_FILES)
