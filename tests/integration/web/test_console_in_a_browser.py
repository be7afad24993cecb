"""The console in Chromium: every page in both colour schemes and three widths, and keys that stay in the browser."""

import pytest
import pytest_asyncio

from moltnet.domain.signing import SigningStatus
from tests.support.browser import WIDTHS, a_browser, a_window, needs_chromium
from tests.support.web_stage import a_stage, pages_behind_forms, sign_in

pytestmark = [needs_chromium, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser():
    async with a_browser() as browser:
        yield browser


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage():
    async with a_stage() as stage:
        yield stage


@pytest_asyncio.fixture(loop_scope="module")
async def window(browser, stage):
    async with a_window(browser, url=stage.url) as window:
        await sign_in(window.page, stage.ada)
        yield window
        here = [f"{stage.url}/", "data:", "blob:"]
        assert [url for url in window.asked if not url.startswith(tuple(here))] == []


async def test_no_page_keeps_anybody_out_and_none_is_wider_than_its_window(browser, stage):
    async with a_window(browser, url=stage.url) as window:
        problems = {}

        async def look(name):
            found = await window.violations_in_both_schemes()
            for width in WIDTHS:
                await window.page.set_viewport_size({"width": width, "height": 800})
                found += [f"{width}: {each}" for each in await window.overflowing()]
            problems[name] = found

        await window.page.goto("/console/sign-in")
        await look("sign-in")
        await sign_in(window.page, stage.ada)
        for name, path in stage.pages.items():
            await window.page.goto(path)
            assert await window.page.title() != "taken"
            await look(name)
        async for name in pages_behind_forms(window.page, stage):
            await look(name)
        assert {name: found for name, found in problems.items() if found} == {}
        assert window.complaints == []


async def test_a_key_signs_in_and_signs_without_leaving_the_page(browser, stage, tmp_path):
    file = stage.ada.write_credentials(tmp_path, stage.url)
    async with a_window(browser, url=stage.url) as window:
        page, sent = window.page, []
        page.on("request", lambda request: sent.append(request.post_data or ""))
        await page.goto("/console/sign-in")
        await page.set_input_files("#key-file", file)
        await page.get_by_role("button", name="Sign in with the key").click()
        await page.wait_for_url("**/console/diaries")
        await page.goto("/console/signing")
        await page.fill("#message", "Signed in a browser\r\n签名")
        await page.get_by_role("button", name="Prepare").click()
        await page.set_input_files("#key-file", file)
        await page.get_by_role("button", name="Sign with the key").click()
        signature = await page.locator("[data-signature]").inner_text()
        assert await stage.bob.agent.crypto.verify(signature)
        assert (await stage.bob.agent.agents.verify_signature(stage.ada.keys.public_key.fingerprint, signature)).valid
        assert not any(stage.ada.keys.seed_text[:20] in text for text in sent)
        assert window.complaints == []


async def test_a_wrong_file_is_explained_and_nothing_is_sent(browser, stage, tmp_path):
    (tmp_path / "notes.json").write_text('{"keys": {"private_key": "c2hvcnQ="}}')
    (tmp_path / "notes.txt").write_text("no JSON")
    async with a_window(browser, url=stage.url) as window:
        await window.page.goto("/console/sign-in")
        for name, words in (("notes.txt", "not JSON"), ("notes.json", "32 bytes")):
            await window.page.set_input_files("#key-file", tmp_path / name)
            await window.page.get_by_role("button", name="Sign in with the key").click()
            await window.page.get_by_role("alert").get_by_text(words).wait_for()
        assert window.page.url.endswith("/console/sign-in")


async def test_a_browser_without_ed25519_points_to_the_command_line(browser, stage, tmp_path):
    async with a_window(browser, url=stage.url) as window:
        await window.page.add_init_script("crypto.subtle.importKey = () => Promise.reject(new DOMException('x'))")
        await window.page.goto("/console/sign-in")
        await window.page.set_input_files("#key-file", stage.ada.write_credentials(tmp_path, stage.url))
        await window.page.get_by_role("button", name="Sign in with the key").click()
        await window.page.get_by_role("alert").get_by_text("Use the command line instead").wait_for()
        await window.page.get_by_text("moltnet web login").wait_for()


async def test_an_anonymous_client_with_a_key_of_no_agent_is_refused_in_words(browser, stage, tmp_path):
    stranger = stage.ada.__class__(
        keys=type(stage.ada.keys).generate(), credentials=stage.ada.credentials, agent=stage.ada.agent
    )
    async with a_window(browser, url=stage.url) as window:
        await window.page.goto("/console/sign-in")
        await window.page.set_input_files("#key-file", stranger.write_credentials(tmp_path, stage.url))
        await window.page.get_by_role("button", name="Sign in with the key").click()
        await window.page.get_by_role("alert").get_by_text("not one of an agent of this network").wait_for()


async def test_everything_but_keys_works_without_scripts(browser, stage):
    async with a_window(browser, url=stage.url, java_script_enabled=False) as window:
        page = window.page
        await sign_in(page, stage.bob)
        await page.fill("#name", "Written without scripts")
        await page.get_by_role("button", name="Create").click()
        await page.get_by_role("link", name="Write").click()
        await page.fill("#content", "A form is enough")
        await page.fill("#tags", "plain, html")
        await page.get_by_role("button", name="Remember").click()
        await page.get_by_role("status").get_by_text("Remembered").wait_for()
        await page.get_by_role("link", name="Edit").click()
        await page.fill("#content", "A form is enough for everything")
        await page.get_by_role("button", name="Save").click()
        await page.get_by_role("navigation", name="Console").get_by_role("link", name="Search").click()
        await page.fill("#q", "form enough")
        await page.get_by_role("button", name="Search").click()
        await page.get_by_role("link", name="A form is enough for everything").click()
        await page.get_by_role("link", name="Delete").click()
        await page.get_by_role("button", name="Delete for good").click()
        await page.get_by_role("status").get_by_text("Deleted").wait_for()
        await page.get_by_text("Nothing is remembered here yet").wait_for()
        await page.get_by_role("link", name="Settings and sharing").click()
        await page.fill("#name", "Renamed without scripts")
        await page.get_by_role("button", name="Save").click()
        await page.fill("#fingerprint", stage.ada.fingerprint)
        await page.get_by_role("button", name="Invite").click()
        await page.get_by_role("button", name="End access").click()
        await page.get_by_role("status").get_by_text("Access has ended").wait_for()
        await page.get_by_role("link", name="Delete the diary").click()
        await page.get_by_role("button", name="Delete the diary for good").click()
        await page.get_by_role("link", name="Vouchers").click()
        await page.get_by_role("button", name="Vouch for a new agent").click()
        await page.get_by_role("status").get_by_text("top of the list").wait_for()
        await page.get_by_role("link", name="Signatures").click()
        await page.fill("#message", "Signed elsewhere")
        await page.get_by_role("button", name="Prepare").click()
        (request,), _ = await stage.bob.agent.crypto.signing_requests.list(statuses=[SigningStatus.PENDING])
        await page.get_by_text("Paste a signature").click()
        await page.fill("#signature", stage.bob.keys.sign(request.framed))
        await page.get_by_role("button", name="Submit").click()
        await page.get_by_text("The signature is good").wait_for()
        await page.get_by_role("button", name="Sign out").click()
        await page.get_by_role("status").get_by_text("signed out").wait_for()


async def test_several_entries_are_tagged_superseded_and_deleted_at_once(window, stage):
    page = window.page
    diary = await stage.ada.agent.diaries.create(name="Many")
    entries = [await stage.ada.agent.diary.create(diary.id, content=f"Number {number}") for number in range(4)]

    async def choose(action: str, *numbers: int) -> None:
        for number in numbers:
            await page.get_by_role("checkbox", name=f"Select: Number {number}").check()
        await page.select_option("#b-action", action)

    await page.goto(f"/console/diaries/{diary.id}")
    assert not await page.locator("[data-bulk]").is_visible()
    await page.get_by_label("Select all").check()
    assert "4 selected" in await page.locator("[data-bulk] legend").inner_text()
    await page.get_by_label("Select all").uncheck()
    await choose("tag", 0, 1)
    await page.fill("#b-tags", "first, second")
    await page.get_by_role("button", name="Go on").click()
    await page.get_by_role("status").wait_for()
    await choose("supersede", 1)
    await page.get_by_role("button", name="Go on").click()
    await page.get_by_role("button", name="Mark as superseded").click()
    await page.get_by_role("alert").get_by_text("Choose what replaces them").wait_for()
    await page.get_by_role("radio", name="Number 0").check()
    await page.get_by_role("button", name="Mark as superseded").click()
    await page.get_by_role("status").wait_for()
    await choose("delete", 2, 3)
    await page.get_by_role("button", name="Go on").click()
    await page.get_by_role("button", name="Delete for good").click()
    await page.get_by_role("status").wait_for()
    left, _ = await stage.ada.agent.diary.list(diary.id)
    assert {(entry.content, entry.tags, entry.superseded_by) for entry in left} == {
        ("Number 0", ("first", "second"), None),
        ("Number 1", ("first", "second"), entries[0].id),
    }


async def test_what_has_the_focus_is_not_behind_the_bar(browser, stage):
    async with a_window(browser, url=stage.url, width=800, height=600, reduced_motion="reduce") as window:
        await sign_in(window.page, stage.ada)
        await window.page.goto(stage.pages["diary"])
        await window.page.locator("input[name=id]").first.check()
        for _ in range(20):
            await window.page.keyboard.press("Tab")
            assert await window.page.evaluate(
                "document.activeElement.getBoundingClientRect().bottom"
                " <= document.querySelector('.bulk').getBoundingClientRect().top"
            )


async def test_an_entry_is_written_instead_of_another(window, stage):
    page = window.page
    diary = await stage.ada.agent.diaries.create(name="Corrected")
    old = await stage.ada.agent.diary.create(diary.id, content="The port is 8000", tags=["ports"])
    await page.goto(f"/console/diaries/{diary.id}/entries/{old.id}")
    await page.get_by_role("link", name="Replace").click()
    assert await page.input_value("#tags") == "ports"
    await page.fill("#content", "The port is 9000")
    await page.get_by_role("button", name="Remember").click()
    await page.get_by_role("heading", name="It replaced").wait_for()
    (new,) = [entry for entry in (await stage.ada.agent.diary.list(diary.id))[0] if entry.id != old.id]
    assert (await stage.ada.agent.diary.get(diary.id, old.id)).superseded_by == new.id
    await page.get_by_role("link", name="The port is 8000").click()
    await page.get_by_text("Superseded by").wait_for()


async def test_a_diary_is_opened_only_after_a_warning(window, stage):
    page = window.page
    diary = await stage.ada.agent.diaries.create(name="Open me")
    await page.goto(f"/console/diaries/{diary.id}/settings")
    await page.select_option("#visibility", "public")
    await page.get_by_role("button", name="Save").click()
    await page.get_by_text("become readable at once").wait_for()
    assert (await stage.ada.agent.diaries.get(diary.id)).visibility == "private"
    await page.get_by_role("button", name="Open it to anyone").click()
    await page.get_by_role("status").wait_for()
    assert (await stage.ada.agent.diaries.get(diary.id)).visibility == "public"


async def test_a_new_secret_ends_other_sessions_and_not_this_one(browser, stage):
    async with a_window(browser, url=stage.url, width=WIDTHS[0]) as first, a_window(browser, url=stage.url) as second:
        for window in (first, second):
            await sign_in(window.page, stage.bob)
        await first.page.goto("/console/account")
        await first.page.get_by_role("button", name="Replace the secret").click()
        await first.page.get_by_role("alert").wait_for()
        await first.page.get_by_label("I can put the new secret").check()
        await first.page.get_by_role("button", name="Replace the secret").click()
        secret = await first.page.locator("[data-secret]").inner_text()
        assert secret != stage.bob.credentials.secret
        assert [*await first.violations_in_both_schemes(), *await first.overflowing()] == []
        await first.page.get_by_role("link", name="Done").click()
        await first.page.get_by_text("this one").wait_for()
        await second.page.reload()
        assert "/console/sign-in" in second.page.url
