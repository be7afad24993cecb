"""Archives on `/verify`, in Chromium: what the page says is what `moltnet verify` says, and the file goes nowhere."""

import re
import zipfile

import pytest
import pytest_asyncio

from moltnet.domain.diaries import Visibility
from moltnet.domain.errors import Invalid
from moltnet.entrypoints.library.archive_checks import verify_archive
from moltnet.entrypoints.library.network import MoltNet
from tests.integration.web.conftest import served
from tests.support.archives import changed, filled
from tests.support.browser import WIDTHS, a_browser, a_window, needs_chromium

pytestmark = [needs_chromium, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser():
    async with a_browser() as browser:
        yield browser


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pages():
    async with served() as pages:
        yield pages


@pytest_asyncio.fixture(loop_scope="module")
async def window(browser, pages):
    async with a_window(browser, url=pages.url) as window:
        await window.page.goto("/verify")
        yield window


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def archive(tmp_path_factory):
    """One with diaries of every kind, a key that was replaced, and a logged head; and the key of its network's log."""
    path = tmp_path_factory.mktemp("archive") / "a.zip"
    async with MoltNet.in_memory() as network:
        ada = await network.genesis()
        await filled(ada)
        public = await ada.diaries.create(name="Open", signed=True, visibility=Visibility.PUBLIC)
        await ada.diary.create(public.id, content="Paid 10")
        await ada.rotate_key()
        await ada.diary.create(public.id, content="Paid 11")
        await ada.export(path)
        return path, (await ada.log.describe()).key


async def verdict_of(window, path, key=""):
    page = window.page
    await page.fill("#network-key", key)
    await page.set_input_files("#file", path)
    await page.locator("[data-verdict]:not([hidden]) h2").wait_for()
    title = await page.locator("[data-verdict] h2").inner_text()
    text = await page.locator("[data-verdict]").inner_text()
    await page.set_input_files("#file", [])
    return title, text


def title_of(path, key=None):
    try:
        return "Whole" if verify_archive(path, network_key=key).holds else "Not whole"
    except Invalid:
        return "This cannot be checked"


async def test_an_archive_is_checked_in_the_page_and_sent_nowhere(window, archive):
    path, key = archive
    asked = len(window.asked)
    verdict = verify_archive(path)
    title, text = await verdict_of(window, path, key)
    assert title == "Whole"
    for count in (
        f"{verdict.entries} entries",
        f"{verdict.records} records",
        f"{verdict.proven} leaves",
        str(verdict.signed_by),
    ):
        assert count in text
    assert await window.violations_in_both_schemes() == []
    for width in WIDTHS:
        await window.page.set_viewport_size({"width": width, "height": 900})
        assert await window.overflowing() == [], width
    assert {re.sub(r"\.[0-9a-f]{12}", "", url.rpartition("/")[2]) for url in window.asked[asked:]} <= {
        "archive.js",
        "records.js",
        "chain.js",
        "zip.js",
        "mark.svg",
    }
    assert window.complaints == []


async def test_another_networks_key_proves_nothing(window, archive):
    path, key = archive
    title, text = await verdict_of(window, path, key.replace("moltnet.local", "moltnet.other"))
    assert title == "Not whole"
    assert "another log" in text
    assert "does not prove" in text


async def test_the_page_finds_what_the_command_finds(window, archive, tmp_path):
    """Lines changed, moved and left out by somebody who made the manifest fit."""
    path, _ = archive

    def rewritten(change):
        def act(members):
            for name in sorted(members):
                lines = members[name].splitlines(keepends=True)
                if name.startswith("diaries/") and len(lines) > 2:
                    members[name] = b"".join(change(lines))
                    return

        return changed(path, act, with_manifest=True)

    changes = (
        lambda lines: lines,
        lambda lines: lines[1:],
        lambda lines: lines[:-1],
        lambda lines: [lines[1], lines[0], *lines[2:]],
        lambda lines: [lines[0], *lines],
        lambda lines: [lines[0].replace(b"Paid 1", b"Paid 2"), *lines[1:]],
        lambda lines: [lines[0].replace(b'"hash":"', b'"hash":"0', 1), *lines[1:]],
        lambda lines: [b"{}\n", *lines[1:]],
        lambda lines: [b"[\n", *lines[1:]],
    )
    seen = []
    for number, change in enumerate(changes):
        file = rewritten(change).rename(tmp_path / f"{number}.zip")
        seen.append((number, (await verdict_of(window, file))[0], title_of(file)))
    assert [each for each in seen if each[1] != each[2]] == []
    assert {title for _, title, _ in seen} == {"Whole", "Not whole"}


async def test_no_flipped_bit_goes_unnoticed_by_the_page(window, archive, tmp_path):
    path, _ = archive
    content, places = path.read_bytes(), []
    with zipfile.ZipFile(path) as members:
        for member in members.infolist():
            start = member.header_offset + 30 + len(member.filename)
            start += int.from_bytes(content[start - len(member.filename) - 2 : start - len(member.filename)], "little")
            places += range(start, start + member.compress_size)
    file = tmp_path / "flipped.zip"
    for number in range(25):
        flipped = bytearray(content)
        flipped[places[number * len(places) // 25]] ^= 1 << number % 8
        file.write_bytes(flipped)
        assert (await verdict_of(window, file))[0] != "Whole", number


async def test_what_a_page_does_not_check_is_said_with_the_command_that_does(window, tmp_path):
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as members:
        members.writestr("manifest.json", bytes(80 * 2**20))
    for name, content in (("a.zip.age", b"age-encryption.org/v1\nx"), ("x.zip", b"no ZIP"), ("empty.zip", b"")):
        (tmp_path / name).write_bytes(content)
        title, text = await verdict_of(window, tmp_path / name)
        assert (title, "moltnet verify FILE" in text) == ("This cannot be checked", True)
    assert (await verdict_of(window, bomb))[0] == "This cannot be checked"


async def test_a_dropped_file_is_checked(window, archive):
    path, _ = archive
    data = list(path.read_bytes())
    await window.page.evaluate(
        """data => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(data)], "a.zip"));
            document.querySelector("[data-archive]").dispatchEvent(
                new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
        }""",
        data,
    )
    await window.page.get_by_role("heading", name="Whole").wait_for()
