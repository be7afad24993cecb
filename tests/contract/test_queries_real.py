"""Queries as people type them, with the real model, in a diary of hundreds of other notes."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from moltnet.adapters.onnx.embedding import OnnxEmbedder
from moltnet.adapters.onnx.install import default_model
from moltnet.adapters.onnx.model_dir import ModelMissing
from moltnet.domain.search import Search, SearchResult
from moltnet.entrypoints.cli.commands.bench import BUNDLED
from moltnet.entrypoints.cli.scoring.rankings import read_memory_set
from tests.support.mixed_notes import MIXED_NOTES
from tests.support.network import Member, Network, a_network
from tests.support.noise_texts import NOISE

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="module")]

# What is asked, what is to be found, and how far up.
CASES = (
    # Flags and numbers with a sign are words.
    ("git push --force", "Never use git push --force on the main branch", 1),
    ("--force", "Never use git push --force on the main branch", 1),
    ("alarm at -18 degrees", "The freezer alarm rings at -18 degrees.", 1),
    ("tar -xzf backup", "Unpack it with tar -xzf backup.tgz on the second disk", 1),
    ("docker run --rm alpine", "Try it with docker run --rm alpine first", 1),
    ("overdraft of -250", "The account was at -250 when the rent went out", 1),
    ("+1 for tabs over spaces", "Team vote: +1 for tabs over spaces from everybody but Ilse", 1),
    ("+43 660 1234567", "Handyman Karl: 0660/123 45 67, mornings only", 1),
    ("+1 555 010 9988", "The plumber is at (555) 010-9988", 1),
    # Identifiers by their words.
    ("get user by id", "The cache in getUserById is never cleared", 1),
    ("get_user_by_id", "The cache in getUserById is never cleared", 1),
    ("last login at", "lastLoginAt is null for imported accounts", 1),
    ("max retry count", "Raise MAX_RETRY_COUNT before the next import", 1),
    ("maxRetryCount", "Raise MAX_RETRY_COUNT before the next import", 1),
    ("user profile card", "The user-profile-card component overflows on phones", 1),
    ("UserProfileCard", "The user-profile-card component overflows on phones", 1),
    ("http2 server", "http2Server drops idle streams after a minute", 1),
    ("invoice renderer", "billing.pdf.InvoiceRenderer leaks file handles", 1),
    ("main window", "Colours come from src/ui/mainWindow.ts", 1),
    ("parse json body", "parseJSONBody accepts trailing commas", 1),
    ("is_logged_in", "isLoggedIn flickers while the page loads", 1),
    ("on click", "onClick fires twice on the checkout button", 1),
    ("oauth2 client", "OAuth2Client refreshes its token too late", 1),
    ("payment gateway timeout", "com.shop.PaymentGateway.timeout is set to 3 s", 1),
    ("next page token", "nextPageToken is empty on the last but one page", 1),
    ("time to live", "timeToLive is given in minutes, not seconds", 1),
    ("PAYMENT_RETRY_LIMIT", "paymentRetryLimit is read at start only", 1),
    ("room B-204", "The beamer in B-204 is broken", 1),
    ("checksum mismatch error", "ChecksumMismatchError means the download was cut", 1),
    ("cart item count", "$cart->itemCount() ignores gifts", 1),
    ("order.created_at", "orderCreatedAt is local time, sadly", 1),
    ("i18n loader", "i18nLoader falls back to English silently", 1),
    ("flight LH1234", "LH1234 left at noon with two hours delay", 1),
    # Versions and dates as numbers.
    ("1.2.3", "Rolled back to v1.2.3 because of the memory leak", 1),
    ("v4.0.17", "The scanner firmware 4.0.17 fixed the beeping", 1),
    ("03.04.2019", "On 3 April 2019 the boiler was replaced", 1),
    ("14 July 2024", "Contract signed 2024-07-14 with the landlord", 1),
    ("2023-11-05", "Am 5. November 2023 kam der neue Nachbar", 1),
    ("1st of May 2022", "Moved in 01.05.2022 with two cats", 1),
    ("December 24 2023", "Power cut on 24.12.2023 from six to nine", 1),
    ("9 August 2021", "Backup tapes labelled 2021-08-09 are blank", 1),
    ("5 September 2018", "Passport of Emil issued 2018-09-05", 1),
    ("22 October 2022", "2022-10-22: flat viewing with the agency", 1),
    ("dentist 7 January 2026", "Dentist 2026-01-07 at eight", 1),
    ("meeting 03.11.2022", "Notary meeting was moved to 3 November 2022", 1),
    ("0660 1112223", "The vet: +43 660 111 22 23", 1),
    ("1234567", "Meter reading 1,234,567 in the cellar", 2),
    ("17 mars 2021", "Rendez-vous chez le notaire le 17/03/2021", 1),
    ("12,500 euros", "The roof costs 12.500 euros with tax", 1),
    ("ISBN 978-3-16-148410-0", "Ordered the book 9783161484100 from the shop", 1),
    ("0044 20 7946 0018", "London office +44 (0)20 7946 0018", 1),
    ("ticket 48213", "Ticket 48213 was closed without an answer", 1),
    # Marks left out.
    ("deploiement", "Le déploiement de vendredi a été annulé", 1),
    ("region", "La región norte tiene otro proveedor de internet", 3),
    ("Juergen", "Jürgen bringt am Montag die Leiter zurück", 3),
    ("Malmo", "Tåget till Malmö går från spår fyra", 3),
    ("smorrebrod", "Til frokost var der smørrebrød med sild", 3),
    ("Istanbul", "İstanbul'daki toplant\u0131 ertelendi", 3),
    ("Lodz", "Magazyn w Łódź jest zamknięty w niedzielę", 3),
    ("ha noi", "Văn phòng Hà Nội chuyển sang tầng ba", 3),
    ("prilis zlutoucky", "Příliš žluťoučký kůň úpěl", 1),
    ("Bucuresti", "Trenul spre București întârzie", 1),
    ("Reykjavik", "Fundurinn í Reykjavík var fluttur", 1),
    # Inflected words of other languages.
    ("книга", "Я вернул книги в библиотеку на прошлой неделе", 1),
    ("договоры", "Юрист прочитал договор и попросил изменить срок", 1),
    ("Haus", "Die Häuser am Fluss werden im Herbst gestrichen", 3),
    ("Rechnungen", "Die Rechnung vom Klempner ist noch nicht bezahlt", 3),
    ("chevaux", "Le cheval de la voisine est malade depuis mardi", 3),
    ("reuniones", "La reunión con el banco es el jueves", 3),
    ("المهندسون", "اتصل المهندس بخصوص المصعد", 3),
    ("macchine", "La macchina del caffè perde acqua", 3),
    ("reuniões", "A reunião foi marcada para sexta", 3),
    ("huizen", "Het huis aan de gracht is verkocht", 3),
    # Simplified and traditional Chinese.
    ("图书馆", "我把書還給圖書館了", 1),
    ("電腦", "新的电脑明天送到", 1),
    ("机场", "去機場的班車七點開", 1),
    ("發票", "发票在抽屉里", 1),
    ("头发", "剪頭髮的店搬家了", 1),
    ("里面", "盒子裡面有備用電池", 1),
    ("面条", "今天晚上吃麵條", 1),
    ("臺灣", "台湾的包裹还没到", 1),
    ("护照", "護照放在保險箱", 1),
    ("鑰匙", "钥匙在门口的盒子", 1),
    # Symbols and emoji.
    ("🎉", "Launch party 🎉🚀 on the roof.", 1),
    ("🚀", "Launch party 🎉🚀 on the roof.", 1),
    ("🇫🇮", "Holiday house booked 🇫🇮 in the archipelago", 1),
    ("\u2705", "\u2705 migration rehearsal done", 1),
    ("👍🏽", "👍🏽 from the landlord on the plan", 1),
    ("\u2122", "Write Velcro\u2122 only in contracts", 1),
    ("→", "Old flow: basket → address → payment", 1),
    ("F#", "Somebody rewrote the parser in F#", 1),
    ("C++", "The plugin is written in C++ and nobody dares to touch it", 1),
)
# Notes much like one that is to be found, that are not of its day, its number or its name.
NEARLY = (
    "Dentist 2026-02-07 at eight",
    "Dentist on 8 January 2026 at nine",
    "meeting 11.03.2022",
    "Ticket 48231 was closed without an answer",
    "PAYMENT_LIMIT is 5 per retry",
    "The beamer in B-205 is broken",
    "LH1235 left at noon",
    "Electrician: +43 660 7654321",
)
# What is asked of other notes, or of none.
WORDS_OF_OTHERS = (
    *("summer holidays in Norway", "who is allergic to nuts", "xylophone", "password", "what did we decide", "recipe"),
    *("is there anything about chess", "ideas for a birthday present", "who plays the violin", "numbers", "test"),
    *("what do I know about Mara", "where is the key", "asdf ghjk", "zzyzx wobbegong", "Wie geht es dir"),
)
# Where words are excluded all the same, the note that is not shown.
EXCLUDED = (
    ("deploy -staging", "We deploy to staging every evening"),
    ('rollout -"two words"', "A rollout needs two words: go ahead"),
)


@pytest.fixture(scope="module")
def model() -> OnnxEmbedder:
    try:
        return OnnxEmbedder.load(default_model())
    except ModelMissing as missing:
        pytest.skip(missing.detail)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asked(model: OnnxEmbedder) -> AsyncIterator[tuple[Network, Member]]:
    """A network whose one diary holds what is to be found among some six hundred other notes, and noise."""
    async with a_network(embedder=model) as network:
        ada = await network.member()
        diary = await network.diary(ada)
        contents = [memory.new.content for memory in read_memory_set(BUNDLED).entries]
        for content in dict.fromkeys(
            [*contents, *MIXED_NOTES, *NEARLY, *NOISE, *(case[1] for case in (*CASES, *EXCLUDED))]
        ):
            await network.entry(ada, diary, content)
        yield network, ada


async def search(asked: tuple[Network, Member], query: str, limit: int = 10) -> SearchResult:
    network, ada = asked
    return await network.services.search.search(ada.caller, Search(query=query, limit=limit))


@pytest.mark.parametrize("case", CASES, ids=[query for query, *_ in CASES])
async def test_it_is_found(asked: tuple[Network, Member], case: tuple[str, str, int]) -> None:
    query, stored, place = case
    found = [hit.entry.content for hit in (await search(asked, query)).hits]
    assert stored in found[:place], found[:3]


@pytest.mark.parametrize(("query", "stored"), EXCLUDED)
async def test_what_is_excluded_is_not_shown(asked: tuple[Network, Member], query: str, stored: str) -> None:
    found = [hit.entry.content for hit in (await search(asked, query, limit=100)).hits]
    assert found
    assert stored not in found


async def test_question_in_a_script_that_the_model_does_not_know_is_no_confident_answer(
    asked: tuple[Network, Member],
) -> None:
    for query in (
        "\u0e20\u0e39\u0e40\u0e02\u0e32\u0e44\u0e1f\u0e23\u0e30\u0e40\u0e1a\u0e34\u0e14",
        "\u1320\u12cb\u1275 \u1261\u1293",
        "\u6cd5\u9686\u5bfa\u306f\u4f55\u5e74\u306b\u5efa\u3066\u3089\u308c\u307e\u3057\u305f\u304b",
        "\uc218\uc740\uc758 \ub053\ub294\uc810\uc740 \uba87 \ub3c4\uc778\uac00",
        "\u871c\u8702\u600e\u6837\u544a\u8bc9\u540c\u4f34\u82b1\u7684\u4f4d\u7f6e",
        "\u043f\u043e\u0447\u0435\u043c\u0443 \u043c\u043e\u0440\u0435 \u0441\u043e\u043b\u0435\u043d\u043e",
    ):
        assert not (await search(asked, query)).confident


@pytest.mark.parametrize("query", [*WORDS_OF_OTHERS, *(query for query, *_ in CASES)])
async def test_noise_is_not_the_first_for_words_that_it_does_not_hold(
    asked: tuple[Network, Member], query: str
) -> None:
    assert (await search(asked, query, limit=1)).hits[0].entry.content not in NOISE
