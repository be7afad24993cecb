"""Folders in the home of the user who runs this, also where there is none.

In a container a user may have neither HOME nor an entry in /etc/passwd, as on OpenShift.
"""

from pathlib import Path

import platformdirs


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
    """Where a network is kept; raises ValueError with a sentence."""
    try:
        return Path(platformdirs.user_data_dir("moltnet"))
    except RuntimeError:
        raise ValueError("this user has no home folder; choose a data folder with --data") from None
