"""What commands say: results on standard output, everything else on standard error, errors in one sentence."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum, auto
from typing import TextIO, TypeVar

import click

from moltnet.domain.errors import MoltNetError, StorageUnavailable
from moltnet.entrypoints.rest.log_text import escaped

Value = TypeVar("Value")

FAILED = 1
CANNOT_START = 2
INTERRUPTED = 130  # what a shell counts for a program that SIGINT ended


def result(value: object) -> None:
    """Prints a result as JSON with two spaces of indent (docs/reference/client.md, "Command line")."""
    # In JSON a line end outside of an escape is always the form's own.
    click.echo(_harmless(json.dumps(value, indent=2, ensure_ascii=False)))


class Form(Enum):
    """How a result is printed."""

    JSON = auto()
    TEXT = auto()

    @classmethod
    def chosen(cls, *, as_json: bool, as_text: bool) -> "Form":
        """The named one; else text for a person at a terminal, and JSON for whatever else reads."""
        if as_json or as_text:
            return cls.JSON if as_json else cls.TEXT
        return cls.TEXT if sys.stdout.isatty() else cls.JSON


def show(value: Value, form: Form, text: Callable[[Value], str]) -> None:
    """Prints a result, as JSON or as `text` makes it."""
    if form is Form.JSON:
        result(value)
    else:
        click.echo(text(value))


def announce(line: str) -> None:
    """Prints a line for whoever started this command; a server goes on when nobody listens any more."""
    _print(line, sys.stdout)


def say_starting(what: str) -> None:
    """Tells a person at a terminal that something long has begun; a log of a service needs no such line."""
    if sys.stderr.isatty():
        say(what)


def say(text: str) -> None:
    """Tells a person something, on standard error, if somebody reads it."""
    _print(_harmless(text), sys.stderr)


def _harmless(text: str) -> str:
    """The text with JSON's escapes for what a terminal may obey, line ends apart; JSON means the same as before."""
    return "\n".join(map(escaped, text.split("\n")))


def _print(text: str, stream: TextIO) -> None:
    try:
        click.echo(text, file=stream)
    except OSError:
        # What was not taken stays in the buffer, and would fail again at the end; the exit code would be 120.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def error_text(error: MoltNetError) -> str:
    """An error in the words of commands: its sentence, why the database cannot be reached, which file is missing."""
    from moltnet.ports.keyring import NoCredentials  # noqa: PLC0415  # quick help

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
    """Ends the command with a sentence instead of a traceback when the network refuses something."""
    try:
        yield
    except MoltNetError as error:
        say(f"error: {error_text(error)}")
        sys.exit(exit_code)
