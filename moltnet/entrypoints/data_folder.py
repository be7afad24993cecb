"""The data folder of an operator: nobody but its owner may enter it.

A folder of ours that others may enter is closed. One that belongs to somebody else, or that holds other things too and
so may be meant for others, is refused: closing `/tmp` would stop the machine.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from moltnet.domain.errors import Invalid

PRIVATE = 0o700
OPEN_TO_OTHERS = 0o077
# What this program keeps there, by the beginnings of the names; drafts begin with a dot.
OWN = ("postgres", "recovery_challenge_secret", "ory_action_api_key", "first-agent")


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
        if any(not _is_own(path.name) for path in folder.iterdir()):
            raise DataFolderOpen(folder, "holds other files too")
        folder.chmod(PRIVATE)
    for path in open_to_others(folder):
        if path.stat().st_uid == os.geteuid():
            path.chmod(path.stat().st_mode & ~OPEN_TO_OTHERS)


def open_to_others(folder: Path) -> Iterator[Path]:
    """What is kept directly in the folder, and with the first agent, that others could read if they could enter.

    The database's own folder is left out: PostgreSQL sees to it.
    """
    for path in (*folder.iterdir(), *folder.glob("first-agent/*")):
        try:
            state = path.lstat()
        except FileNotFoundError:
            continue  # another process's draft of a secret, which is in its place by now
        if not stat.S_ISLNK(state.st_mode) and state.st_mode & OPEN_TO_OTHERS:
            yield path


def _is_own(name: str) -> bool:
    return name.lstrip(".").startswith(OWN)
