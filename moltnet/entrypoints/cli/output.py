"""What commands say: results on standard output, everything else on standard error, errors in one sentence."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from moltnet.domain.errors import MoltNetError

CANNOT_START = 2
FAILED = 1


def result(value: object) -> None:
    """Prints a result as JSON with two spaces of indent (client.md §13)."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def say(text: str) -> None:
    """Tells a person something, on standard error."""
    click.echo(text, err=True)


@contextmanager
def one_sentence(exit_code: int = CANNOT_START) -> Iterator[None]:
    """Ends the command with a sentence instead of a traceback when the network refuses something."""
    try:
        yield
    except MoltNetError as error:
        say(f"error: {error.detail}")
        sys.exit(exit_code)
