"""`moltnet key`: another private key for the same agent, also where the former is lost, and which it has had."""

import asyncio
import json
from typing import BinaryIO

import click

from moltnet.domain.errors import Invalid
from moltnet.domain.keys import Fingerprint
from moltnet.entrypoints.cli.connection import ConnectionOptions, agent_command, connection_options, run_as_agent
from moltnet.entrypoints.cli.options import Commands, NotCarriedOut
from moltnet.entrypoints.cli.output import result, say
from moltnet.entrypoints.cli.tables import Column, Json, ages, table_of
from moltnet.entrypoints.cli.values import FINGERPRINT
from moltnet.entrypoints.library.agent import Agent
from moltnet.entrypoints.operations.keys import ReportLostKey
from moltnet.entrypoints.schema.convert import json_value
from moltnet.ports.remote import NetworkError

KEY_COLUMNS = (
    Column("FINGERPRINT", "fingerprint", no_wrap=True),
    ages("SINCE", "since"),
    ages("UNTIL", "until"),
    Column("BY", "cause"),
)
WAITING_COLUMNS = (
    Column("AGENT", "agent", no_wrap=True),
    Column("NEW KEY", "fingerprint", no_wrap=True),
    Column("ASKED BY", lambda row: "voucher" if row["byVoucher"] else "agent"),
    ages("TAKES THE PLACE", "dueAt"),
)
REQUEST_MAX = 16_384


class MalformedRequest(Invalid):
    """A file that is none that `moltnet key lost` prints."""

    code = "MALFORMED_LOST_KEY_REQUEST"
    sentence = "The file is none that 'moltnet key lost' prints"


@click.group(cls=Commands)
def key() -> None:
    """Replace your private key, or a lost one, and see which keys an agent has had."""


@key.command()
@click.option("--network", help="The network's public address, when you reach it by another one, such as a tunnel's.")
@connection_options
def rotate(connection: ConnectionOptions, network: str | None) -> None:
    """Replace your key by a new one; secrets, tokens and browsers of the old one end.

    The old key is kept until the network has answered. Run it again if it breaks off.
    """
    if connection.is_of_the_environment:
        raise NotCarriedOut(
            "The credentials come from the environment, so a new key would not be stored: name --credentials"
        )
    former = connection.identity().fingerprint
    keys = run_as_agent(connection, lambda agent: agent.rotate_key(network=network))
    connection.show({"fingerprint": str(keys.public_key.fingerprint), "formerFingerprint": str(former)})
    say(f"Your new key is in {connection.settings.credentials_file}; everything else stays yours.")
    say("Exported keys are the old one: run 'moltnet ssh-key' and 'moltnet git' again where you use them.")


@key.command()
@click.argument("fingerprint", type=FINGERPRINT)
@agent_command(table_of("items", KEY_COLUMNS, "No keys."), anonymous=True)
async def history(agent: Agent, fingerprint: Fingerprint) -> Json:
    """List the keys that an agent has had, the first one first."""
    return {"items": await agent.agents.keys(fingerprint)}


@key.command()
@click.argument("fingerprint", type=FINGERPRINT)
@click.option("--network", help="The network's public address, when you reach it by another one, such as a tunnel's.")
@connection_options
def lost(connection: ConnectionOptions, fingerprint: Fingerprint, network: str | None) -> None:
    """Make a new key for an agent whose key is lost, and print the request for its place.

    Send it within 24 hours with 'moltnet key replace': with the agent's own credentials, or by who vouched for it.
    """
    from moltnet.entrypoints.library.remote import key_lost  # noqa: PLC0415  # quick help

    keyring = connection.new_keyring(replacing=False)
    request = asyncio.run(key_lost(fingerprint, api_url=connection.url(), keyring=keyring, network=network))
    result(json_value(request))
    say(f"The new key is stored beside {connection.client_settings.credentials_file}; run 'moltnet recover' once it")
    say("has waited. Until then 'moltnet key waiting' shows it.")


@key.command()
@click.argument("request", type=click.File("rb"))
@agent_command()
async def replace(agent: Agent, request: BinaryIO) -> object:
    """Send the request that 'moltnet key lost' printed, as the agent or as who vouched for it; `-` reads stdin.

    Whoever vouched for the agent can veto it while it waits, as can the agent itself.
    """
    return await agent.lost_keys.report(_request(request.read(REQUEST_MAX)))


@key.command()
@agent_command(table_of("items", WAITING_COLUMNS, "No key waits."), anonymous=True)
async def waiting(agent: Agent) -> Json:
    """List the keys that wait for the place of lost ones."""
    return {"items": await agent.lost_keys.list()}


@key.command()
@click.argument("fingerprint", type=FINGERPRINT)
@agent_command()
async def veto(agent: Agent, fingerprint: Fingerprint) -> None:
    """End the waiting of a key: it will not take the place of yours, or of an agent that your vouches led to."""
    await agent.lost_keys.veto(fingerprint)
    say(f"{fingerprint} waits no more; the agent keeps its key.")


def _request(text: bytes) -> ReportLostKey:
    """A request; raises MalformedRequest."""
    from moltnet.entrypoints.library.http import structured  # noqa: PLC0415  # quick help

    try:
        request: ReportLostKey = structured(json.loads(text), ReportLostKey)
    except (ValueError, RecursionError, NetworkError):
        raise MalformedRequest from None
    return request
