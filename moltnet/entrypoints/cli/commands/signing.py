"""`moltnet sign`, `moltnet verify`: signatures, made with the local key, checked here or by the network."""

import sys
from base64 import b64decode
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import click

from moltnet.domain.errors import Invalid, NotFound
from moltnet.domain.ids import SigningRequestId, parse_uuid
from moltnet.domain.keys import SIGNATURE_BYTES, Fingerprint
from moltnet.domain.services.chains import Verdict
from moltnet.domain.signing import SigningRequest, SigningRequestExpired, SigningStatus, signing_bytes
from moltnet.domain.transparency import ChangeCause
from moltnet.entrypoints.cli.commands.archives import identity_option, is_archive, network_key_option, verify_file
from moltnet.entrypoints.cli.connection import (
    ConnectionOptions,
    KeyElsewhere,
    connection_options,
    diary_of,
    run_anonymously,
    run_as_agent,
)
from moltnet.entrypoints.cli.options import Command, NotCarriedOut
from moltnet.entrypoints.cli.output import FAILED, say, say_starting
from moltnet.entrypoints.cli.values import DIARY, FINGERPRINT, ID, DiaryRef, text_or_stdin, utf8
from moltnet.entrypoints.library.agent import Agent
from moltnet.entrypoints.library.signing import Envelope
from moltnet.entrypoints.schema.convert import iso_text
from moltnet.ports.keys import KeyPair

PROGRESS_EVERY = 5_000


class NotPending(Invalid):
    """A signing request that is not pending accepts no signature."""

    code = "NOT_PENDING"

    def __init__(self, status: SigningStatus) -> None:
        super().__init__(f"the signing request is {status.value}; ask for a new one with 'moltnet sign --message'")


@click.command(cls=Command)
@click.option("--nonce", help="Sign a message framed with this nonce, here, and print the signature.")
@click.option("--request-id", type=ID, help="Sign what the network asks to be signed, and submit it.")
@click.option("--message", help="Have a message signed: request, sign and submit in one step; `-` reads stdin.")
@click.argument("text", required=False)
@connection_options
def sign(
    connection: ConnectionOptions,
    nonce: str | None,
    request_id: SigningRequestId | None,
    message: str | None,
    text: str | None,
) -> None:
    """Sign with your private key, which stays here."""
    if sum(each is not None for each in (nonce, request_id, message)) != 1:
        raise NotCarriedOut("Use one of --nonce, --request-id and --message")
    if nonce is None and text is not None:
        raise NotCarriedOut("Only --nonce takes the message as an argument")
    if nonce is not None:
        if text is None:
            raise NotCarriedOut("Give the message to sign, or `-` to read standard input")
        click.echo(connection.keys().sign(signing_bytes(_not_empty(text_or_stdin(text)), nonce)), nl=False)
        return
    if request_id is not None:
        signed = run_as_agent(connection, lambda agent: _sign_request(agent, request_id))
    else:
        content = _not_empty(text_or_stdin(message or ""))
        signed = run_as_agent(connection, lambda agent: _sign_message(agent, content))
        connection.show(signed)
    _report_validity(signed)


@click.command(cls=Command)
@click.argument("signature", required=False)
@click.option("--by", type=FINGERPRINT, help="Check that it is this agent's.")
@click.option("--offline", is_flag=True, help="Check it here, with --public-key, --nonce and --message.")
@click.option("--public-key", help="The signer's key, as ed25519:<base64>; for --offline.")
@click.option("--nonce", help="The nonce of the signing request; for --offline.")
@click.option("--message", help="The message; `-` reads standard input; for --offline.")
@click.option("--envelope", type=click.File("rb"), help="A text with a signed block; `-` reads stdin.")
@click.option("--diary-id", "diary", type=DIARY, help="Check all records of this signed diary.")
@click.option("--records", type=click.File("rb"), help="The same from a file of records; nobody is asked.")
@identity_option
@network_key_option
@click.option("--witness", "witnesses", multiple=True, help="The key of a witness that must have signed that log.")
@connection_options
def verify(  # as many options
    connection: ConnectionOptions,
    signature: str | None,
    by: Fingerprint | None,
    offline: bool,
    public_key: str | None,
    nonce: str | None,
    message: str | None,
    envelope: BinaryIO | None,
    diary: DiaryRef | None,
    records: BinaryIO | None,
    identities: tuple[Path, ...],
    network_key: str | None,
    witnesses: tuple[str, ...],
) -> None:
    """Check a signature, or a signed diary; the exit status is 1 when it is not valid.

    In place of a signature, the id of a diary stands for --diary-id, and the name of a file for --records, or for an
    archive that `moltnet export` wrote.
    """
    if signature is not None and is_archive(Path(signature)):
        verify_file(connection, Path(signature), identities, network_key, witnesses)
        return
    _check_absent(network_key, *witnesses)
    if signature is not None and parse_uuid(signature):
        diary = DiaryRef(signature)
    elif signature is not None and Path(signature).is_file():
        records = click.get_current_context().with_resource(Path(signature).open("rb"))  # noqa: SIM115  # it does
    if diary is not None or records is not None:
        _verify_chain(connection, diary, records)
        return
    if envelope is not None:
        block = Envelope.within(utf8(envelope.read()))
        signature, message = block.signature, block.signed
    if signature is None:
        raise NotCarriedOut("Give the signature in base64, or --envelope")
    if offline:
        valid = _offline(signature, public_key, nonce, message)
    else:
        valid = run_anonymously(connection, lambda agent: _asked(agent, by, signature))
        if envelope is not None:
            say("note: the network checks the signature, not the text around it; --offline checks both")
    connection.show({"valid": valid})
    if not valid:
        say(_invalid_reason(signature, by, offline=offline))
        sys.exit(FAILED)


def _check_absent(*keys: str | None) -> None:
    """Raises NotCarriedOut for the key of a log or witness, where no archive is to be checked with it."""
    if any(keys):
        raise NotCarriedOut("--network-key and --witness are for the file of an archive")


def _verify_chain(connection: ConnectionOptions, diary: DiaryRef | None, records: BinaryIO | None) -> None:
    from moltnet.entrypoints.library.records import read_records, verify_records  # noqa: PLC0415  # quick help

    async def asked(agent: Agent) -> tuple[Verdict, list[dict[str, object]]]:
        diary_id = await diary_of(connection, agent, diary or DiaryRef(""))
        verdict = await agent.records.verify(diary_id, progress=_report_progress)
        return verdict, await _key_changes(agent, verdict)

    if records is not None:
        verdict = verify_records(read_records(utf8(line) for line in records))
        changes: list[dict[str, object]] = []
    else:
        verdict, changes = run_as_agent(connection, asked)
    connection.show(_shown(verdict, changes), lambda shown: "\n".join(shown["about"]))
    if not verdict.holds:
        sys.exit(FAILED)


def _report_progress(number: int) -> None:
    if number % PROGRESS_EVERY == 0:
        say_starting(f"{number} records verified")


async def _key_changes(agent: Agent, verdict: Verdict) -> list[dict[str, object]]:
    """Which authors' keys took the place of others, when, and why, as the network says."""
    histories = []
    for author in verdict.authors:
        with suppress(NotFound):
            histories.append(await agent.agents.keys(author))
    changes = {known.fingerprint: (former, known) for keys in histories for former, known in pairwise(keys)}
    return [
        {
            "before": str(former.fingerprint),
            "fingerprint": str(known.fingerprint),
            "cause": known.cause or ChangeCause.SERVICE,
            "at": iso_text(known.since),
        }
        for former, known in changes.values()
    ]


def _shown(verdict: Verdict, changes: list[dict[str, object]]) -> dict[str, object]:
    faults = [{"sequence": each.sequence, "fault": each.fault.name, "about": each.fault} for each in verdict.findings]
    authors = [str(author) for author in verdict.authors]
    numbers = f"{verdict.head.sequence} records, {verdict.entries} entries, {verdict.removals} removed"
    lines = [f"record {each.sequence}: {each.fault}" for each in verdict.findings]
    summary = f"{'Whole' if verdict.holds else 'NOT whole'}: {numbers}, by {', '.join(authors) or 'nobody'}"
    return {
        "holds": verdict.holds,
        "diaryId": verdict.diary_id and str(verdict.diary_id),
        "head": {"sequence": verdict.head.sequence, "hash": verdict.head.hash},
        "entries": verdict.entries,
        "removals": verdict.removals,
        "authors": authors,
        "keyChanges": changes,
        "findings": faults,
        "about": [*lines, *map("{before} was replaced by {fingerprint} on {at}: {cause}".format_map, changes), summary],
    }


async def _sign_request(agent: Agent, request_id: SigningRequestId) -> SigningRequest:
    keys = _keys_of(agent)
    request = await agent.crypto.signing_requests.get(request_id)
    if request.status is not SigningStatus.PENDING:
        raise NotPending(request.status)
    try:
        return await agent.crypto.signing_requests.submit(request.id, keys.sign(request.framed))
    except SigningRequestExpired as error:
        raise NotPending(SigningStatus.EXPIRED) from error


async def _sign_message(agent: Agent, message: str) -> SigningRequest:
    from moltnet.entrypoints.library.signing import sign_and_submit  # noqa: PLC0415  # quick help

    return await sign_and_submit(agent, message, keys=_keys_of(agent))


def _keys_of(agent: Agent) -> KeyPair:
    # Key and credentials are always of one identity (docs/reference/client.md, "Command line").
    if agent.keys is None:
        raise KeyElsewhere
    return agent.keys


async def _asked(agent: Agent, by: Fingerprint | None, signature: str) -> bool:
    if by is None:
        return await agent.crypto.verify(signature)
    return (await agent.agents.verify_signature(by, signature)).valid


def _offline(signature: str, public_key: str | None, nonce: str | None, message: str | None) -> bool:
    from moltnet.entrypoints.library.signing import verify_with_nonce  # noqa: PLC0415  # quick help

    if public_key is None or nonce is None or message is None:
        raise NotCarriedOut("--offline needs --public-key, --nonce and --message (or --envelope)")
    return verify_with_nonce(text_or_stdin(message), nonce, signature, public_key)


def _invalid_reason(signature: str, by: Fingerprint | None, *, offline: bool) -> str:
    try:
        length = len(b64decode(signature, validate=True))
    except ValueError:
        length = 0
    if length != SIGNATURE_BYTES:
        form = f"Not a signature: an Ed25519 signature is {SIGNATURE_BYTES} bytes in base64, which are 88 characters"
        return f"{form}; nor is there a file of that name."
    if offline:
        return "The signature does not match this public key, nonce and message."
    if by is not None:
        return f"The network knows no valid signature like this one by {by}."
    return "The network knows no valid signature like this one; --offline checks one that it does not know."


def _report_validity(request: SigningRequest) -> None:
    if request.status is SigningStatus.PENDING:
        say("The signature was submitted; it is still being checked.")
    elif request.valid:
        say("The signature was submitted and is valid.")
    else:
        say("error: the signature was submitted and is not valid: is this the key you registered with?")
        sys.exit(FAILED)


def _not_empty(message: str) -> str:
    if not message:
        raise NotCarriedOut("There is nothing to sign: the message is empty")
    return message
