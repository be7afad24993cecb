"""What holds for every page: headers, assets, errors, and what programs get."""

import re

import pytest

from tests.integration.web.conftest import HTML


async def test_root_is_a_page_for_browsers_and_a_document_for_programs(pages):
    assert "<h1>" in await pages.get("/")
    document = await (await pages.http.get("/.well-known/moltnet.json")).json()
    for accept in ("*/*", "application/json", "application/json, text/html;q=0.5", "text/html;q=x"):
        answer = await pages.http.get("/", headers={"Accept": accept})
        assert (answer.content_type, await answer.json()) == ("application/json", document)
        assert "Accept" in answer.headers.getall("Vary")


async def test_unknown_path_helps_browsers_and_stays_as_it_is_for_programs(pages):
    assert "Nothing is here" in await pages.get("/nope", 404)
    answer = await pages.http.get("/nope")
    assert await answer.json() == {"message": "Route GET:/nope not found", "error": "Not Found", "statusCode": 404}
    known = await pages.http.get("/diaries", headers=HTML)
    assert (known.status, known.content_type) == (401, "application/problem+json")


async def test_pages_have_one_policy_that_allows_nothing_inline(pages):
    for path in ("/", "/nope"):
        async with pages.http.get(path, headers=HTML) as answer:
            (policy,) = answer.headers.getall("Content-Security-Policy")
            assert "unsafe" not in policy
            assert "default-src 'none'" in policy
            assert answer.headers["X-Frame-Options"] == "DENY"
            text = await answer.text()
            assert not re.search(r"<(style|script)(?![^>]*\ssrc=)|\son\w+=|\sstyle=", text)


async def test_a_link_to_a_page_has_a_picture_and_words_of_its_own(pages):
    text = await pages.get("/trust")
    members = dict(re.findall(r'<meta property="og:(\w+)" content="([^"]+)">', text))
    assert (members["title"], members["url"]) == ("Trust · MoltNet", f"{pages.url}/trust")
    answer = await pages.http.get(members["image"].removeprefix(pages.url))
    assert (answer.content_type, (await answer.read())[:4]) == ("image/png", b"\x89PNG")


async def test_assets_are_named_by_their_bytes_and_cached_for_good(pages):
    (path,) = re.findall(r'href="(/assets/site\.[0-9a-f]{12}\.css)"', await pages.get("/"))
    answer = await pages.http.get(path)
    assert answer.content_type == "text/css"
    assert "immutable" in answer.headers["Cache-Control"]
    assert (await pages.http.get("/assets/site.css")).status == 404
    assert (await pages.http.get("/assets/..%2Fmount.py")).status == 404


@pytest.mark.parametrize("path", ["/", "/assets/x", "/nope"])
async def test_pages_answer_head(pages, path):
    answer = await pages.http.head(path, headers=HTML)
    assert await answer.read() == b""
