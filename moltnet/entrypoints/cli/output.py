"""What commands print: results on standard output, the rest on standard error, errors in one sentence."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO, TypeVar

import click

from moltnet.domain.errors import MoltNetError, StorageUnavailable
from moltnet.entrypoints.rest.json_text import escaped

Value = TypeVar("Value")

FAILED = 1
CANNOT_START = 2
INTERRUPTED = 130  # a shell's status of a program that SIGINT ended


def result(value: object) -> None:
    """Prints a result as JSON with two spaces of indent (docs/reference/client.md, "Command line")."""
    # A line end in JSON outside of an escape comes from the indent.
    click.echo(_harmless(json.dumps(value, indent=2, ensure_ascii=False)))


def announce(line: str) -> None:
    """Prints a line on standard output; a server continues when the reader has closed it."""
    _print(line, sys.stdout)


def say_starting(what: str) -> None:
    """Prints a message about long work, on a terminal only."""
    if sys.stderr.isatty():
        say(what)


def say(text: str) -> None:
    """Prints a message on standard error; a closed one is ignored."""
    _print(_harmless(text), sys.stderr)


def _harmless(text: str) -> str:
    """The text with JSON's escapes for control characters, except line ends; JSON keeps its meaning."""
    return "\n".join(map(escaped, text.split("\n")))


def _print(text: str, stream: TextIO) -> None:
    try:
        click.echo(text, file=stream)
    except OSError:
        # The rest stays in the buffer and would fail again at exit, with status 120.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def error_text(error: MoltNetError) -> str:
    """The sentence of an error, with the reason of a database failure, and with options of commands."""
    from moltnet.ports.keys import NoCredentials  # noqa: PLC0415  # quick help
    from moltnet.ports.remote import Problem  # noqa: PLC0415

    if isinstance(error, Problem) and error.code == "UNKNOWN":  # a proxy, or a server of something else
        return f"{error.detail} (status {error.status_code}); check that this is the address of a network"
    if isinstance(error, StorageUnavailable) and error.__cause__ is not None:
        reason = str(error.__cause__).partition("\n")[0]
        return f"{error.detail} ({reason}); check that it is running and that DATABASE_URL points to it"
    if error.code == "NO_PRIVATE_KEY":
        return (
            "No private key to recover with: name its credentials file with --credentials, or set MOLTNET_PRIVATE_KEY"
        )
    if isinstance(error, NoCredentials) and error.missing is not None:
        return (
            f"No credentials: {error.missing} does not exist; run 'moltnet register' first, or name another file "
            "with --credentials or MOLTNET_CREDENTIALS_PATH"
        )
    return error.detail


@contextmanager
def one_sentence(exit_code: int = CANNOT_START) -> Iterator[None]:
    """Ends the command with one sentence and the exit code when the block raises a MoltNetError."""
    try:
        yield
    except MoltNetError as error:
        say(f"error: {error_text(error)}")
        sys.exit(exit_code)
