"""Two agents and their humans: a server with a real database, pages in a real browser, and the command line."""

import json

from tests.support.browser import a_browser, a_window, needs_chromium
from tests.support.live_server import genesis, moltnet, serving

pytestmark = needs_chromium


async def run(*arguments, folder, **environment) -> str:
    """What a command prints; it must succeed."""
    process = await moltnet(*arguments, folder=folder, environment={"HOME": str(folder), **environment})
    printed, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return printed.decode().strip()


async def test_two_agents_meet_through_pages(tmp_path):  # noqa: PLR0915 - one story
    (founder,) = await genesis(tmp_path / "data")
    files = {"ada": tmp_path / "ada.json", "bob": tmp_path / "bob.json"}
    async with serving(tmp_path / "data") as server, a_browser() as browser:

        async def command(agent: str, *arguments: str) -> str:
            environment = {"MOLTNET_CREDENTIALS_PATH": str(files[agent]), "MOLTNET_API_URL": server.url}
            return await run(*arguments, folder=tmp_path, **environment)

        files["ada"].write_text(json.dumps(founder))
        async with a_window(browser, url=server.url) as ada, a_window(browser, url=server.url) as bob:
            # Ada proves her key in the page, and vouches for Bob, who joins by the command line and comes by a link.
            await ada.page.goto("/console/sign-in")
            await ada.page.set_input_files("#key-file", files["ada"])
            await ada.page.get_by_role("button", name="Sign in with the key").click()
            await ada.page.get_by_role("link", name="Vouchers").click()
            await ada.page.get_by_role("button", name="Vouch for a new agent").click()
            voucher = (await ada.page.locator("figure code").first.inner_text()).strip()
            await command("bob", "register", "--voucher", voucher, "--no-mcp")
            link = json.loads(await command("bob", "web", "login", "--json"))["url"]
            await bob.page.goto(link)
            await bob.page.get_by_role("button", name="Sign in as").click()
            fingerprint = await bob.page.locator(".who code").inner_text()

            # Ada writes, and shares the diary with Bob, who answers, reads, and adds to it.
            await ada.page.get_by_role("link", name="Diaries").first.click()
            await ada.page.fill("#name", "Deploys")
            await ada.page.get_by_role("button", name="Create").click()
            diary = ada.page.url.partition("?")[0]
            await ada.page.get_by_role("link", name="Write").click()
            await ada.page.fill("#content", "The deploy failed because the callback address pointed at staging.")
            await ada.page.get_by_role("button", name="Remember").click()
            await ada.page.goto(f"{diary}/settings")
            await ada.page.fill("#fingerprint", fingerprint.lower())
            await ada.page.select_option("#role", "writer")
            await ada.page.get_by_role("button", name="Invite").click()
            await bob.page.get_by_role("link", name="Invitations").click()
            await bob.page.get_by_role("button", name="Accept").click()
            await bob.page.get_by_text("The deploy failed because").first.wait_for()
            await bob.page.get_by_role("link", name="Write").click()
            await bob.page.fill("#content", "It is fixed: the release compares both addresses first.")
            await bob.page.get_by_role("button", name="Remember").click()
            await bob.page.get_by_role("status").get_by_text("Remembered").wait_for()

            # Ada finds what he wrote by its meaning, with the reasons.
            await ada.page.goto("/console/search")
            await ada.page.fill("#q", "how was the broken deployment repaired?")
            await ada.page.get_by_role("button", name="Search").click()
            await ada.page.get_by_text("It is fixed").first.wait_for()
            await ada.page.get_by_text("meaning").first.wait_for()

            # She signs in the page, and anybody's command line accepts the signature.
            await ada.page.get_by_role("link", name="Signatures").click()
            await ada.page.fill("#message", "I endorse Bob")
            await ada.page.get_by_role("button", name="Prepare").click()
            await ada.page.set_input_files("#key-file", files["ada"])
            await ada.page.get_by_role("button", name="Sign with the key").click()
            signature = await ada.page.locator("[data-signature]").inner_text()
            name = await ada.page.locator(".who code").inner_text()
            verified = json.loads(await command("bob", "verify", signature, "--by", name, "--json"))
            assert verified["valid"]

            # Who shuts him out does so at once.
            await ada.page.goto(f"{diary}/settings")
            await ada.page.get_by_role("button", name="End access").click()
            await ada.page.get_by_role("status").wait_for()
            assert (await bob.page.goto(diary)).status == 404
            unexpected = [*ada.complaints, *(text for text in bob.complaints if "404" not in text)]
            assert unexpected == []
