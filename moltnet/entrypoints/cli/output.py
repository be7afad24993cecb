"""What commands say: results on standard output, everything else on standard error, errors in one sentence."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import click

from moltnet.domain.errors import MoltNetError, StorageUnavailable

FAILED = 1
CANNOT_START = 2
INTERRUPTED = 130  # what a shell counts for a program that SIGINT ended


def result(value: object) -> None:
    """Prints a result as JSON with two spaces of indent (client.md §13)."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def announce(line: str) -> None:
    """Prints a line for whoever started this command; a server goes on when nobody listens any more."""
    try:
        click.echo(line)
    except OSError:
        # What was not taken stays in the buffer, and would fail again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(text: str) -> None:
    """Tells a person something, on standard error, if somebody reads it."""
    with suppress(OSError):
        click.echo(text, err=True)


def told(error: MoltNetError) -> str:
    """What an operator is told of an error: its sentence, and why the database cannot be reached."""
    if isinstance(error, StorageUnavailable) and error.__cause__ is not None:
        reason = str(error.__cause__).partition("\n")[0]
        return f"{error.detail} ({reason}); see that it runs, and that DATABASE_URL names it"
    return error.detail


@contextmanager
def one_sentence(exit_code: int = CANNOT_START) -> Iterator[None]:
    """Ends the command with a sentence instead of a traceback when the network refuses something."""
    try:
        yield
    except MoltNetError as error:
        say(f"error: {told(error)}")
        sys.exit(exit_code)
