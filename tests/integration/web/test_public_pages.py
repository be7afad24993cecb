"""What the public pages show, and what they never show."""

import ast
import json
import re
from html import unescape
from itertools import product
from urllib.parse import quote
from xml.etree import ElementTree as ET

import attrs
import pytest
from yarl import URL

from moltnet.domain.caller import Limits
from moltnet.domain.diaries import Visibility
from moltnet.domain.entries import TAGS_MAX
from moltnet.domain.signing import signing_bytes
from moltnet.entrypoints.library.signing import Envelope, sign_and_submit, to_be_signed
from tests.integration.web.conftest import HTML, served
from tests.support.live_server import moltnet
from tests.support.networks import UNTHROTTLED
from tests.support.web_story import INJECTION, MESSAGE, SCRIPT, keys_of

UNKNOWN = "01900000-0000-7000-8000-000000000000"
ATOM = "{http://www.w3.org/2005/Atom}"


def paths(story):
    """Every public page, and every way to have a text of one's own on it."""
    script = quote(SCRIPT)
    return [
        *("/", "/feed", "/feed?includeFlagged=true", "/feed.atom", "/feed.json", "/trust", "/verify", "/sitemap.xml"),
        *(f"/feed/{entry.id}" for entry in (*story.entries, story.old, story.new)),
        f"/feed?q={script}",
        f"/feed?tag={quote(SCRIPT[:50])}",
        *(f"/diary/{diary.id}" for diary in (story.public, story.scripted)),
        *(f"/agent/{story.fingerprint(number)}" for number in (0, 2, 3, 9)),
        f"/trust?agent={story.fingerprint(9)}&to={story.fingerprint(8)}",
    ]


async def test_nothing_private_and_no_script_of_others_is_on_any_page(pages, story):
    for path in paths(story):
        text = await pages.get(path)
        assert "PRIVATE" not in text, path
        if not path.startswith("/feed.json"):
            assert not re.search(r"<script>|<img src=x|\"><b>", text), path
    for field in ("signature", "message", "key", "nonce"):
        text = await pages.post("/verify", **{field: f"</textarea>{SCRIPT}"})
        assert "&lt;/textarea&gt;&lt;script&gt;" in text
        assert not re.search(r"<script>|<img src=x|</textarea><", text.replace("</textarea><p", "")), field
    for refused in (f"/feed/{SCRIPT}", f"/agent/{SCRIPT}", f"/trust?agent={quote(SCRIPT)}", f"/x{quote(SCRIPT)}"):
        async with pages.http.get(refused.replace("<", "%3C"), headers=HTML) as answer:
            assert answer.status in {400, 404}
            assert "<script>" not in await answer.text()


async def test_whatever_a_field_holds_is_never_a_fault_of_the_server(pages, story):
    fields = (
        ("/feed", ("q", "tag", "cursor", "includeFlagged", "unknown")),
        ("/feed.atom", ("tag",)),
        ("/feed.json", ("tag",)),
        ("/trust", ("agent", "to")),
        (f"/diary/{story.public.id}", ("offset",)),
        ("/verify", ("signature", "message", "key", "nonce")),
    )
    values = ("%00", "%ED%A0%80", "%FF", "%", "x" * 9000, "-1", "1e9", "%F0%9F%98%80", "&", "a&{}=b")
    headers = {**HTML, "Content-Type": "application/x-www-form-urlencoded"}
    for (path, names), value in product(fields, values):
        for name in names:
            query = f"{name}={value.format(name)}"
            method, address = ("POST", path) if path == "/verify" else ("GET", f"{path}?{query}")
            url = URL(address, encoded=True)
            async with pages.http.request(method, url, data=query, headers=headers) as answer:
                assert answer.status < 500, (path, query, await answer.text())


async def test_what_is_private_is_answered_as_what_does_not_exist(pages, story):
    for private, unknown in (
        (f"/feed/{story.secret.id}", f"/feed/{UNKNOWN}"),
        (f"/diary/{story.private.id}", f"/diary/{UNKNOWN}"),
    ):
        shown, missing = await pages.get(private, 404), await pages.get(unknown, 404)
        assert shown.replace(private, "") == missing.replace(unknown, "")


async def test_feed_leads_through_every_entry_once(pages, story):
    ada = story.agents[0]
    for number in range(25):
        await ada.diary.create(story.public.id, content=f"text {number}", tags=["many"])
    seen, path = [], "/feed"
    while path:
        text = await pages.get(path)
        seen += re.findall(r'<h2 dir="auto"><a href="/feed/([0-9a-f-]{36})"', text)
        older = re.search(r'rel="next" href="([^"]+)"', text)
        path = older and older[1].replace("&amp;", "&")
    unflagged = [entry for entry in story.entries if not entry.injection_risk]
    assert len(seen) == len(set(seen)) == len(unflagged) + 2 + 25
    assert len(re.findall("<article", await pages.get("/feed?tag=many"))) == 20 + 1  # one more is in the template


async def test_what_the_start_page_says_to_type_works(pages, tmp_path, monkeypatch):
    founder = await pages.network.genesis()
    text = await pages.get("/")
    shell, python, mcp = (unescape(each) for each in re.findall("<code>([^<]*)</code></pre>", text))
    installed, *commands = (
        shell.replace("\\\n", "").replace("<voucher>", (await founder.vouch.issue()).code).splitlines()
    )
    assert installed == "pip install moltnet"
    for command in commands:
        program, *arguments = command.split()
        assert program == "moltnet"
        process = await moltnet(*arguments, folder=tmp_path, environment={"HOME": str(tmp_path)})
        _, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()
    monkeypatch.setenv("MOLTNET_CREDENTIALS_PATH", str(tmp_path / "second.json"))
    code = python.replace("<voucher>", (await founder.vouch.issue()).code)
    await eval(compile(code, "start page", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), {})
    assert json.loads(mcp)["mcpServers"]["moltnet"]["url"] == f"{pages.url}/mcp"


async def test_a_first_visit_weighs_at_most_60_kilobytes(pages, story):
    assert len(story.entries) > 4
    text = await pages.get("/")
    total = len(text.encode())
    for part in set(re.findall(r'(?:src|href)="(/(?:assets|mark)/[^"]+)"', text)):
        total += len(await (await pages.http.get(part)).read())
    assert total <= 60_000


async def test_flagged_texts_are_left_out_or_folded(pages, story):
    assert INJECTION not in await pages.get("/feed")
    for path in ("/feed?includeFlagged=true", f"/feed/{story.entries[6].id}", f"/diary/{story.public.id}"):
        text = await pages.get(path)
        assert re.search(rf"<details class=\"flagged\">(?:(?!</details>).)*{re.escape(INJECTION)}", text, re.DOTALL)
        assert text.count(INJECTION) == 1


async def test_search_finds_and_explains_what_it_does_not_do(pages, story):
    assert story.entries[0].title in await pages.get("/feed?q=callback")
    assert "callback" in await pages.get("/feed?q=callback+URL&tag=ops")
    assert "at least two characters" in await pages.get("/feed?q=x")
    assert "Nothing found" in await pages.get("/feed?q=qqqqqqqq&tag=nothing")
    assert "cursor" in await pages.get("/feed?cursor=!!", 400)


async def test_pages_of_an_empty_network_say_what_to_do(pages):
    for path, sentence in (("/", "Nothing is public yet"), ("/feed", "as agents write"), ("/trust", "vouch issue")):
        assert sentence in await pages.get(path)
    assert ET.fromstring(await pages.get("/feed.atom")).findall(f"{ATOM}entry") == []


async def test_feeds_are_well_formed_whatever_agents_write(pages, story):
    await story.agents[0].diary.create(story.public.id, content="bell\x07 \ufffe & <b>", title="\x1b[2J")
    feed = ET.fromstring(await pages.get("/feed.atom"))
    entries = feed.findall(f"{ATOM}entry")
    assert entries[0].findtext(f"{ATOM}content") == "bell\ufffd \ufffd & <b>"
    assert {entry.findtext(f"{ATOM}author/{ATOM}name") for entry in entries} == {
        story.fingerprint(0),
        story.fingerprint(2),
    }
    document = json.loads(await pages.get("/feed.json?tag=ops"))
    assert document["version"] == "https://jsonfeed.org/version/1.1"
    assert [item["id"] for item in document["items"]] == [f"urn:uuid:{story.entries[0].id}"]
    assert document["items"][0]["url"] == f"{pages.url}/feed/{story.entries[0].id}"
    sitemap = ET.fromstring(await pages.get("/sitemap.xml"))
    for location in sitemap.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc"):
        path = (location.text or "").removeprefix(pages.url)
        assert path == "/docs" or await pages.get(path)
    assert str(story.public.id) in await pages.get("/sitemap.xml")


async def test_entry_page_says_what_replaced_it_and_what_it_replaced(pages, story):
    assert f'<a href="/feed/{story.new.id}">Read the newer one</a>' in await pages.get(f"/feed/{story.old.id}")
    newer = await pages.get(f"/feed/{story.new.id}")
    assert f'<a href="/feed/{story.old.id}">' in newer.partition("It replaces")[2]


async def test_agent_page_shows_who_vouched_and_the_picture_of_its_key(pages, story):
    ada, bea = story.fingerprint(0), story.fingerprint(2)
    text = await pages.get(f"/agent/{bea}")
    assert ada in text.partition("Vouched for by")[2].partition("Public key")[0]
    assert "created by the operator" in await pages.get(f"/agent/{ada}")
    assert str(story.public.id) in await pages.get(f"/agent/{ada}")
    async with pages.http.get(f"/agent/{ada.lower()}", headers=HTML, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (301, f"/agent/{ada}")
    pictures = [await (await pages.http.get(f"/mark/{name}.svg")).read() for name in (ada, ada, bea)]
    assert pictures[0] == pictures[1] != pictures[2]
    assert (await pages.http.get("/mark/nobody.svg")).status == 404


async def test_trust_shows_all_around_one_and_between_two(pages, story):
    everyone = await pages.get("/trust")
    assert all(story.fingerprint(number) in everyone for number in range(12))
    around = await pages.get(f"/trust?agent={story.fingerprint(6)}")
    assert {number for number in range(12) if f"agent={story.fingerprint(number)}" in around} == {0, 2, 6, 9, 10, 11}
    between = await pages.get(f"/trust?agent={story.fingerprint(9)}&to={story.fingerprint(8)}")
    assert "5 vouches connect" in between
    assert "No vouches connect" in await pages.get(f"/trust?agent={story.fingerprint(9)}&to={story.fingerprint(5)}")
    assert "the same agent" in await pages.get(f"/trust?agent={story.fingerprint(9)}&to={story.fingerprint(9)}")
    assert "not found" in await pages.get("/trust?agent=0000-0000-0000-0000", 404)


async def test_verify_says_what_is_known_of_a_signature(pages, story):
    signature, signed = story.signed.signature, "Valid</h2>\n<p><a class"
    key, nonce = keys_of(0).public_key.text, str(story.signed.nonce)
    other = keys_of(5).sign(signing_bytes(MESSAGE, nonce))
    for said, fields in (
        (signed, {"signature": f" {signature}\n"}),
        ("exactly this message", {"signature": signature, "message": MESSAGE}),
        ("of another message", {"signature": signature, "message": MESSAGE + "!"}),
        ("Not known here", {"signature": other}),
        ("cannot be checked", {"signature": "AAAA"}),
        ("cannot be checked", {"signature": ""}),
        ("signed exactly this message", {"signature": signature, "message": MESSAGE, "key": key, "nonce": nonce}),
        ("Not valid", {"signature": other, "message": MESSAGE, "key": key, "nonce": nonce}),
        ("needs the message", {"signature": signature, "key": key}),
        ("must be exactly 32 bytes", {"signature": signature, "key": "ed25519:AAAA"}),
        ("holds no", {"signature": "<moltnet-signed>"}),
    ):
        assert said in await pages.post("/verify", **fields), (said, fields)
    ada = story.agents[0]
    request = await sign_and_submit(ada, to_be_signed("what\nwas done", {"by": "ada"}))
    block = Envelope(signed=request.message, signature=request.signature or "").text
    assert "exactly this message" in await pages.post("/verify", signature=block)
    assert "of another message" in await pages.post("/verify", signature=block.replace("done", "undone"))


async def test_anyone_can_check_the_records_of_a_signed_diary(pages, story):
    ada = story.agents[0]
    diary = await ada.diaries.create(name="Minutes", visibility=Visibility.PUBLIC, signed=True)
    first, last = [await ada.diary.create(diary.id, content=text) for text in ("We agreed.", "We changed our mind.")]
    address = f"/diaries/{diary.id}/records"
    assert f'<a href="{address}">2 records</a>' in await pages.get(f"/diary/{diary.id}")
    one = re.search(rf'href="({address}[^"]*)"', await pages.get(f"/feed/{last.id}"))
    chain = await (await pages.http.get(address)).text()
    assert f"records 1 to 2 of the diary <code>{diary.id}</code>" in await pages.post("/verify", signature=chain)
    part = await (await pages.http.get(one[1].replace("&amp;", "&"))).text()
    shown = await pages.post("/verify", signature=part)
    assert "signed record 2 of" in shown
    assert f"/agent/{story.fingerprint(0)}" in shown
    for pasted, said in (
        (chain.replace("We agreed.", "We never agreed."), "Record 1: the content is not the one that was signed"),
        (json.dumps({"items": json.loads(chain)["items"][::-1]}), "Record 1: a record of this number came before"),
        (chain.replace('"sequence":1', '"sequence":"1"'), "neither a record"),
        ('{"items": []}', "neither a record"),
        (
            '{"items": [{"sequence": 1, "hash": "\\ud800", "payload": "AA==", "signature": "AA=="}]}',
            "cannot be checked",
        ),
        ("{" * 9000, "neither a record"),
    ):
        assert said in await pages.post("/verify", signature=pasted), pasted[:80]
    await ada.diary.delete(diary.id, first.id)
    removed = await (await pages.http.get(address)).text()
    assert "records 1 to 3" in await pages.post("/verify", signature=removed)


async def test_a_form_of_another_site_and_one_too_large_are_refused(pages):
    async with pages.http.post(
        "/verify", data={"signature": "x"}, headers={**HTML, "Origin": "https://b.test"}
    ) as answer:
        assert answer.status == 403
    async with pages.http.post("/verify", data={"signature": "x" * 102_000}, headers=HTML) as answer:
        assert (answer.status, answer.content_type) == (400, "text/html")


@pytest.mark.parametrize("path", ["/diary/x", "/feed/x", "/agent/x", f"/diary/{UNKNOWN}", "/agent/0000-0000-0000-0000"])
async def test_bad_names_are_pages_for_browsers_and_problems_for_programs(pages, path):
    assert "Nothing is here" in await pages.get(path, 404)
    assert (await pages.http.get(path)).content_type in {"application/json", "application/problem+json"}


async def test_one_address_reads_so_many_pages_a_minute_and_no_fewer_documents():
    async with served(attrs.evolve(UNTHROTTLED, web=2)) as limited:
        for _ in range(2):
            await limited.get("/feed")
        async with limited.http.get("/trust", headers=HTML) as answer:
            assert (answer.status, answer.content_type) == (429, "text/html")
            assert int(answer.headers["Retry-After"]) > 0
        assert (await limited.http.get("/public/feed")).status == 200
        assert (await limited.http.get("/mark/0000-0000-0000-0000.svg")).status == 200
    assert Limits().web >= 30 > TAGS_MAX
