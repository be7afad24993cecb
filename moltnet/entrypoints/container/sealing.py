"""What is said when the keys in the database cannot be opened."""

from collections.abc import Iterator
from contextlib import contextmanager

from moltnet.adapters.native.keys import SigningKeyUnreadable
from moltnet.entrypoints.settings import RECOVERY_SECRET


@contextmanager
def secret_named() -> Iterator[None]:
    """Says which setting opens the keys: only here it is known."""
    try:
        yield
    except SigningKeyUnreadable as error:
        raise SigningKeyUnreadable(
            f"{RECOVERY_SECRET} is not the one that the token signing keys in the database were sealed with: "
            "restore it from a backup (with the embedded database it is a file in the data folder)"
        ) from error
