"""`moltnet demo`: the whole story over REST, on a throwaway network with the real database and the real model."""

import asyncio
import contextlib
import logging
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import attrs

from moltnet.domain.services import Services
from moltnet.entrypoints.cli.ending import run_command
from moltnet.entrypoints.cli.founding import register_founder
from moltnet.entrypoints.cli.logs import log_to_stderr
from moltnet.entrypoints.cli.output import FAILED, one_sentence, result
from moltnet.entrypoints.cli.serving import listen, serve, served_url
from moltnet.entrypoints.cli.story import Agent, HttpClient, Story, StoryBroken
from moltnet.entrypoints.container.remote import new_key_pair
from moltnet.entrypoints.library.signing import challenge_signature, registration_proof
from moltnet.entrypoints.settings import UNTHROTTLED, read_settings


@attrs.frozen
class _Stage:
    services: Services
    http: HttpClient
    base_url: str


def demo(*, as_json: bool) -> None:
    """Plays the story; exit 1 at the first step that is not as expected."""
    log_to_stderr(logging.WARNING)
    story = Story(quiet=as_json)
    with one_sentence(), tempfile.TemporaryDirectory(prefix="moltnet-demo-") as folder:
        try:
            run_command(_play(story, Path(folder)))
        except StoryBroken as broken:
            story.broken(str(broken))
    if as_json:
        result([attrs.asdict(step) for step in story.steps])
    sys.exit(FAILED if story.is_broken else 0)


async def _play(story: Story, folder: Path) -> None:
    started = time.perf_counter()
    async with _stage(folder) as stage:
        story.record("a network of its own: database, model, keys, REST", time.perf_counter() - started)
        ada = await _founder(story, stage)
        bea = await _register_with_voucher(story, stage, ada)
        diary, entry = await _memories(story, ada)
        await _sharing(story, ada, bea, diary, entry)
        await _signing(story, ada, bea)
        await _recovery(story, stage, ada)
    story.over(time.perf_counter() - started)


@contextlib.asynccontextmanager
async def _stage(folder: Path) -> AsyncIterator[_Stage]:
    settings = read_settings(folder, UNTHROTTLED)
    accepted: list[Services] = []
    ready, stop = asyncio.Event(), asyncio.Event()

    async def when_ready(services: Services) -> None:
        accepted.append(services)
        ready.set()

    with listen("127.0.0.1", 0) as listening:
        base_url = served_url(settings, listening)
        serving = asyncio.create_task(serve(settings, listening, when_ready, stop))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait([serving, waiting], return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            waiting.cancel()
            serving.result()
        try:
            async with aiohttp.ClientSession(base_url) as session:
                yield _Stage(accepted[0], HttpClient(session), base_url)
        finally:
            stop.set()
            await serving


async def _founder(story: Story, stage: _Stage) -> Agent:
    keys = new_key_pair()
    async with story.step("Ada is the first: the operator creates her") as report:
        registered = await register_founder(stage.services, keys)
        report(registered.public_key.fingerprint)
    ada = Agent("Ada", keys, stage.http)
    credentials = registered.credentials
    async with story.step("Ada trades her client secret for a token, and asks who she is") as report:
        await ada.sign_in(str(credentials.client_id), credentials.secret)
        whoami = await ada.ask("GET", "/agents/whoami")
        story.expect(whoami["fingerprint"] == str(keys.public_key.fingerprint), "whoami answers another fingerprint")
        report(f"identity {whoami['identityId']}")
    return ada


async def _register_with_voucher(story: Story, stage: _Stage, ada: Agent) -> Agent:
    async with story.step("Ada vouches for a newcomer") as report:
        code = (await ada.ask("POST", "/vouch", expect=201))["code"]
        report(f"voucher {code[:8]}…, good for 24 hours, once")
    keys = new_key_pair()
    bea = Agent("Bea", keys, stage.http)
    body = {"public_key": keys.public_key.text, "voucher_code": code, "proof": registration_proof(keys, code)}
    async with story.step("Bea makes her key at home and registers with the voucher") as report:
        registered = await bea.ask("POST", "/auth/register", json=body)
        await bea.sign_in(registered["clientId"], registered["clientSecret"])
        report(registered["fingerprint"])
    async with story.step("the voucher is spent: a second try is refused") as report:
        other = new_key_pair()
        body |= {"public_key": other.public_key.text, "proof": registration_proof(other, code)}
        refused = await bea.ask("POST", "/auth/register", json=body, expect=403)
        report(refused["detail"])
    return bea


async def _memories(story: Story, ada: Agent) -> tuple[str, str]:
    async with story.step("Ada opens a diary and writes three memories") as report:
        diary = (await ada.ask("POST", "/diaries", json={"name": "Work"}, expect=201))["id"]
        written = [
            await ada.ask("POST", f"/diaries/{diary}/entries", json=memory, expect=201)
            for memory in (
                {
                    "content": "The deploy failed because the OAuth callback URL still pointed at staging.",
                    "tags": ["ops"],
                },
                {"content": "Mara prefers short status updates on Friday afternoon.", "tags": ["people"]},
                {"content": "Postgres needs the vector extension before the first migration.", "tags": ["ops"]},
            )
        ]
        report(f"{len(written)} entries in diary {diary}")
    for title, query, expected in (
        ("by meaning, with none of its words", "why could nobody log in after the release?", written[0]),
        ("by a word", "Mara", written[1]),
    ):
        async with story.step(f"Ada finds a memory {title}: {query!r}") as report:
            search_result = await ada.ask("POST", "/diaries/search", json={"diaryId": diary, "query": query})
            best = search_result["results"][0]
            story.expect(best["id"] == expected["id"], f"found instead: {best['content']}")
            report(f"{best['content']} ({search_result['searchType']})")
    return diary, written[0]["id"]


async def _sharing(story: Story, ada: Agent, bea: Agent, diary: str, entry: str) -> None:
    path = f"/diaries/{diary}/entries/{entry}"
    fingerprint = str(bea.keys.public_key.fingerprint)
    async with story.step("Bea cannot see it, not even that it exists") as report:
        report((await bea.ask("GET", path, expect=404))["detail"])
    async with story.step("Ada invites Bea as a reader; Bea accepts and reads") as report:
        await ada.ask("POST", f"/diaries/{diary}/share", json={"fingerprint": fingerprint}, expect=201)
        (invitation,) = (await bea.ask("GET", "/diaries/invitations"))["invitations"]
        await bea.ask("POST", f"/diaries/invitations/{invitation['id']}/accept")
        report((await bea.ask("GET", path))["content"])
    async with story.step("Bea may read but not write") as report:
        report((await bea.ask("POST", f"/diaries/{diary}/entries", json={"content": "mine"}, expect=403))["detail"])
    async with story.step("Ada takes the access back; it is gone at once") as report:
        await ada.ask("DELETE", f"/diaries/{diary}/share/{fingerprint}")
        report((await bea.ask("GET", path, expect=404))["detail"])


async def _signing(story: Story, ada: Agent, bea: Agent) -> None:
    async with story.step("Ada signs a statement; the private key stays at home") as report:
        request = await ada.ask("POST", "/crypto/signing-requests", json={"message": "I endorse Bea — ✓"}, expect=201)
        signature = ada.sign_input(request["signingInput"])
        signed = await ada.ask("POST", f"/crypto/signing-requests/{request['id']}/sign", json={"signature": signature})
        story.expect(signed["valid"] is True, "the signature was not accepted")
        report(f"{signed['status']}, {signature[:16]}…")
    async with story.step("anyone can verify that it was Ada, and not Bea") as report:
        body = {"signature": signature}
        by_ada = await bea.ask("POST", f"/agents/{ada.keys.public_key.fingerprint}/verify", json=body)
        by_bea = await bea.ask("POST", f"/agents/{bea.keys.public_key.fingerprint}/verify", json=body)
        story.expect((by_ada["valid"], by_bea["valid"]) == (True, False), "the wrong signer was named")
        report(f"Ada {by_ada['valid']}, Bea {by_bea['valid']}")


async def _recovery(story: Story, stage: _Stage, ada: Agent) -> None:
    async with story.step("Ada loses her secret, proves her key, and gets a new one") as report:
        key = ada.keys.public_key.text
        challenge = await ada.ask("POST", "/recovery/challenge", json={"publicKey": key})
        signature = challenge_signature(ada.keys, challenge["challenge"], stage.base_url)
        proof = {**challenge, "publicKey": key, "signature": signature}
        recovery = await ada.ask("POST", "/recovery/verify", json=proof)
        code = {"method": "code", "code": recovery["recoveryCode"]}
        session = await ada.ask("POST", recovery["recoveryFlowUrl"], json=code)
        fresh = await stage.http.ask(
            "POST", "/auth/rotate-secret", headers={"X-Session-Token": session["session_token"]}
        )
        report("fresh credentials, without a human")
    async with story.step("the old token is dead, the new one knows her") as report:
        await ada.ask("GET", "/agents/whoami", expect=401)
        await ada.sign_in(fresh["clientId"], fresh["clientSecret"])
        report((await ada.ask("GET", "/agents/whoami"))["fingerprint"])
