"""Does `confident` tell an answer from none? Real questions, gibberish, and questions about anything else.

`python -m bench.gate FOLDER`, where FOLDER holds Cranfield as for `bench.cranfield`. Its abstracts are a diary, the
bundled memories another; each is asked its own questions, gibberish, and what neither is about. Wanted: 95 % or more of
what has no answer flagged, and of what has 5 % or less; 10 % of the bundled questions, as they avoid the words of
their answers on purpose.
"""

import argparse
import asyncio
import random
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path

import aiohttp
from tqdm import tqdm

from bench.cranfield import read_collection
from bench.server import genesis, running
from moltnet.entrypoints.cli.commands.bench import BUNDLED
from moltnet.entrypoints.cli.scoring.rankings import read_memory_set

CRANFIELD, MEMORIES = "Cranfield", "the bundled memories"
GIBBERISH, WRITERS, LONGEST_QUESTION = 100, 8, 500
FLAGGED_AT_LEAST = 0.95
REAL_FLAGGED_AT_MOST = {CRANFIELD: 0.05, MEMORIES: 0.10}
# Each with four subjects of its own that no memory of the set is about.
FOREIGN: Mapping[str, Sequence[str]] = {
    "How long does {} have to simmer?": ("goulash", "bone broth", "plum jam", "a ragout of lentils"),
    "Which orchestra recorded {} first?": ("the Unfinished", "Scheherazade", "the Planets", "the New World"),
    "What is the boiling point of {}?": ("ethanol", "liquid nitrogen", "mercury", "acetone"),
    "Who won the world cup in {}?": ("1954", "1970", "1998", "curling"),
    "How do bees tell each other about {}?": ("clover", "a new hive", "wasps", "the sun"),
    "Why did {} fall?": ("the Roman republic", "Constantinople", "the tulip price", "Carthage"),
    "What shape has the orbit of {}?": ("Halley's comet", "Pluto", "the moon Triton", "a falling satellite"),
    "Is {} a prime number?": ("9973", "a million and one", "the square of two", "the last digit of pi"),
    "How is {} pruned in winter?": ("a rose", "an apple tree", "wisteria", "the grapevine"),
    "Which enzyme splits {}?": ("lactose", "starch", "a peptide bond", "cellulose"),
    "How many strings has {}?": ("a theorbo", "a sitar", "the kora", "a hurdy-gurdy"),
    "What did {} paint last?": ("Vermeer", "Caravaggio", "Hokusai", "Artemisia Gentileschi"),
    "When do {} migrate south?": ("swallows", "humpback whales", "monarch butterflies", "barnacle geese"),
    "What is the plural of {} in Latin?": ("corpus", "genus", "opus", "index"),
    "How deep is {}?": ("Lake Baikal", "the Mariana Trench", "the Dead Sea", "a coal mine in Silesia"),
    "Which spin has {}?": ("a photon", "the Higgs boson", "a gluon", "an alpha particle"),
    "\u00bfCu\u00e1ndo se fund\u00f3 {}?": ("Cartagena de Indias", "Salamanca", "Quito", "el Prado"),
    "Wie hoch ist {}?": ("der Brocken", "die Zugspitze", "das M\u00fcnster von Ulm", "der Vesuv"),
    "Qui a \u00e9crit {} ?": ("les Mis\u00e9rables", "Candide", "la Chartreuse de Parme", "Ph\u00e8dre"),
    "Quanto costa {}?": ("un gelato a Roma", "il biglietto per gli Uffizi", "una gondola", "il parmigiano"),
    "{}\u306f\u4f55\u5e74\u306b\u5efa\u3066\u3089\u308c\u307e\u3057\u305f\u304b": (
        "\u6cd5\u9686\u5bfa",
        "\u59eb\u8def\u57ce",
        "\u6771\u5927\u5bfa",
        "\u91d1\u95a3\u5bfa",
    ),
    "How does {} reproduce?": ("a fern", "the sea horse", "yeast", "a jellyfish"),
    "Which treaty ended {}?": ("the Thirty Years' War", "the Boxer rising", "the Crimean War", "the Opium War"),
    "At what age do {} lose their milk teeth?": ("elephants", "foals", "lion cubs", "sharks"),
    "What is {} made of?": ("obsidian", "the corona of the sun", "damask steel", "papyrus"),
}


async def main() -> None:
    """Prints how many of each kind were flagged."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    cranfield, memories = read_collection(parser.parse_args().folder), read_memory_set(BUNDLED)
    diaries: Mapping[str, tuple[Sequence[Mapping[str, str]], Sequence[str]]] = {
        CRANFIELD: (
            list(cranfield.documents.values()),
            [text[:LONGEST_QUESTION] for number, text in cranfield.questions.items() if cranfield.relevant.get(number)],
        ),
        MEMORIES: (
            [{"content": each.new.content} for each in memories.entries],
            [each.query for each in memories.questions if each.relevant],
        ),
    }
    unanswered = {
        "gibberish": list(_gibberish(random.Random(11))),
        "foreign": [form.format(subject) for form, subjects in FOREIGN.items() for subject in subjects],
    }
    with tempfile.TemporaryDirectory(prefix="moltnet-gate-") as folder:
        agent = genesis(Path(folder))
        headers = {"Authorization": f"Bearer {agent['accessToken']}"}
        with running(Path(folder)) as server:
            async with aiohttp.ClientSession(server.url, headers=headers) as session:
                for name, (entries, real) in diaries.items():
                    place, asked = await _diary(session, name, entries), {"real": real, **unanswered}
                    flagged = {kind: await _flagged(session, place, each) for kind, each in asked.items()}
                    _tell(name, len(entries), {kind: len(each) for kind, each in asked.items()}, flagged)


def _tell(name: str, entries: int, asked: Mapping[str, int], flagged: Mapping[str, int]) -> None:
    print(f"{name} ({entries} entries), questions flagged as having no answer:")
    for kind, count in asked.items():
        print(f"  {kind:<10}{flagged[kind]:>4} of {count}")
    none = (flagged["gibberish"] + flagged["foreign"]) / (asked["gibberish"] + asked["foreign"])
    real = flagged["real"] / asked["real"]
    good = none >= FLAGGED_AT_LEAST and real <= REAL_FLAGGED_AT_MOST[name]
    print(
        f"  {none:.1%} of what has no answer, {real:.1%} of the real ones: {'as wanted' if good else 'NOT AS WANTED'}"
    )


async def _diary(session: aiohttp.ClientSession, name: str, entries: Sequence[Mapping[str, str]]) -> str:
    async with session.post("/diaries", json={"name": name}) as made:
        place = str((await made.json())["id"])
    waiting = iter(entries)
    with tqdm(total=len(entries), desc=name, leave=False, disable=None) as bar:

        async def write() -> None:
            for entry in waiting:
                async with session.post(f"/diaries/{place}/entries", json=entry) as answer:
                    answer.raise_for_status()
                bar.update()

        await asyncio.gather(*(write() for _ in range(WRITERS)))
    return place


async def _flagged(session: aiohttp.ClientSession, place: str, questions: Iterable[str]) -> int:
    count = 0
    for question in questions:
        async with session.post("/diaries/search", json={"diaryId": place, "query": question}) as answer:
            answer.raise_for_status()
            count += not (await answer.json())["confident"]
    return count


def _gibberish(chance: random.Random) -> Iterable[str]:
    syllables = ["".join(pair) for pair in product("bdfgklmnprstvz", "aeiou")]
    for number in range(GIBBERISH):
        words = ("".join(chance.choices(syllables, k=chance.randint(2, 4))) for _ in range(chance.randint(2, 6)))
        keys = ("".join(chance.choices("qwertzxcvjkp0189", k=chance.randint(3, 7))) for _ in range(4))
        yield " ".join(words if number % 2 else keys)


if __name__ == "__main__":
    asyncio.run(main())
