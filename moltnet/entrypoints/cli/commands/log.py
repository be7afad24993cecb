"""`moltnet log`: the open log of a network, verified here."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import attrs
import click

from moltnet.domain.checkpoints import VerifierKey
from moltnet.domain.keys import Fingerprint
from moltnet.domain.services.log_check import VerifiedLeaf
from moltnet.domain.transparency import LeafKind
from moltnet.entrypoints.cli.connection import ConnectionOptions, connection_options, run_anonymously
from moltnet.entrypoints.cli.options import Command, Commands
from moltnet.entrypoints.cli.output import FAILED, one_sentence, say
from moltnet.entrypoints.library.agent import Agent

_witness = click.option(
    "--witness",
    "witnesses",
    multiple=True,
    help="The verifier key of a witness that must have signed; may be repeated.",
)


@click.group(cls=Commands)
def log() -> None:
    """Read the open log of keys and of what is public, and check it."""


@log.command(cls=Command)
@connection_options
def show(connection: ConnectionOptions) -> None:
    """Show the log's name, key and head, as the network says them."""
    connection.show(run_anonymously(connection, lambda agent: agent.log.describe()))


@log.command(cls=Command)
@click.argument("subject", required=False)
@click.option("--all", "is_complete", is_flag=True, help="Read every leaf, and compute the root that was signed.")
@click.option("--forget", is_flag=True, help="Forget the head that was seen before: believe the one that is shown now.")
@_witness
@connection_options
def verify(
    connection: ConnectionOptions, subject: str | None, is_complete: bool, forget: bool, witnesses: tuple[str, ...]
) -> None:
    """Check that the log only grew, and what it says about you, or another fingerprint, diary or key id.

    The exit status is 1 where the network shows another log than before, or where your key was replaced.
    """
    own = None if subject else connection.keyring().read()
    named = subject or (str(own.fingerprint) if own else None)
    found = run_anonymously(
        connection, lambda agent: _verified(agent, named, _keys(witnesses), is_complete=is_complete, forget=forget)
    )
    is_replaced = own is not None and _is_replaced(found.leaves, own.fingerprint)
    connection.show(_shown(found, named), _text)
    if is_replaced:
        say("error: the log says that your key was replaced by another; if that was not you, ask the operator why")
        sys.exit(FAILED)
    if own is not None and not found.leaves:
        say("The log does not name your key yet: a registration is in it within seconds.")


@log.command(cls=Command)
@click.argument("index", type=click.IntRange(0))
@click.option("--to", "path", type=click.Path(dir_okay=False, path_type=Path), help="Write the proof into this file.")
@connection_options
def prove(connection: ConnectionOptions, index: int, path: Path | None) -> None:
    """Print a leaf and its proof, which anybody can check without the network."""

    async def proven(agent: Agent) -> dict[str, str]:
        leaf, proof = await agent.log.prove(index)
        key = (await agent.log.follow()).key
        return {"key": key.text, "leaf": leaf.data.decode(), "proof": proof.text}

    shown = run_anonymously(connection, proven)
    if path is not None:
        path.write_text(shown["proof"], encoding="utf-8")
    connection.show(shown, lambda parts: f"{parts['key']}\n\n{parts['leaf']}\n\n{parts['proof']}")


@log.command(cls=Command)
@click.option("--log", "logs", multiple=True, required=True, help="The key of a log, as 'log show' prints it.")
@click.option("--name", required=True, help="The witness's name: an address without scheme, as witness.example/w1.")
@click.option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), required=True, help="Where key and heads are kept."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port; 0 takes a free one.")
def witness(logs: tuple[str, ...], name: str, folder: Path, host: str, port: int) -> None:
    """Sign the heads of other networks' logs, once they are seen to have only grown."""
    from moltnet.entrypoints.cli.witness_server import run  # noqa: PLC0415  # quick help
    from moltnet.entrypoints.container.witness import WitnessFiles  # noqa: PLC0415  # quick help

    with one_sentence(FAILED):
        run(WitnessFiles(folder.absolute()), name, logs, host=host, port=port)


@attrs.frozen(kw_only=True)
class _Found:
    origin: str
    size: int
    leaves: list[VerifiedLeaf]


async def _verified(
    agent: Agent, subject: str | None, witnesses: Iterable[VerifierKey], *, is_complete: bool, forget: bool
) -> _Found:
    if forget:
        agent.log.forget()
    head = await agent.log.follow(witnesses=witnesses)
    if is_complete:
        every = [leaf async for leaf in agent.log.audit(known=head)]
        leaves = [leaf for leaf in every if subject is None or subject in leaf.leaf.subjects]
    else:
        leaves = await agent.log.history(subject, known=head) if subject else []
    return _Found(origin=head.checkpoint.origin, size=head.checkpoint.size, leaves=leaves)


def _is_replaced(leaves: Iterable[VerifiedLeaf], own: Fingerprint) -> bool:
    return any(each.leaf.kind is LeafKind.KEY_CHANGED and each.leaf.members["before"] == str(own) for each in leaves)


def _keys(texts: Iterable[str]) -> list[VerifierKey]:
    return [VerifierKey.parse(text) for text in texts]


def _shown(found: _Found, subject: str | None) -> dict[str, Any]:
    leaves = [{"index": each.index, "leaf": each.leaf.data.decode()} for each in found.leaves]
    return {"origin": found.origin, "size": found.size, "subject": subject, "leaves": leaves}


def _text(shown: dict[str, Any]) -> str:
    lines = [f"{each['index']:>8}  {each['leaf']}" for each in shown["leaves"]]
    return "\n".join([*lines, f"{shown['origin']} only grew; it has {shown['size']} leaves."])
