"""Cranfield 1400 through the REST service with default settings: recall@10 and more, with intervals.

`python -m bench.cranfield FOLDER`, where FOLDER holds `cran.all.1400`, `cran.qry` and `cranqrel` of the public Glasgow
copy. Every abstract is written, and every question asked, by an agent over HTTP.
"""

import argparse
import asyncio
import re
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import aiohttp
import attrs
from tqdm import tqdm

from bench.server import diary, genesis, running
from moltnet.domain.entries import TITLE_MAX
from moltnet.entrypoints.cli.scoring.scorecards import MEASURES, interval, percentile

WRITERS, WANTED = 8, 0.435


@attrs.frozen
class Collection:
    """Abstracts by number, questions in file order, and which abstracts were judged to answer each."""

    documents: Mapping[str, dict[str, str]]
    questions: Mapping[str, str]
    relevant: Mapping[str, Mapping[str, float]]


async def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    collection = read_collection(parser.parse_args().folder)
    with tempfile.TemporaryDirectory(prefix="moltnet-cranfield-") as folder:
        agent = genesis(Path(folder))
        headers = {"Authorization": f"Bearer {agent['accessToken']}"}
        with running(Path(folder)) as server:
            async with aiohttp.ClientSession(server.url, headers=headers) as session:
                await _measure(session, collection)


async def _measure(session: aiohttp.ClientSession, collection: Collection) -> None:
    place = await diary(session)
    numbers = await _write(session, place, collection.documents)
    answers, seconds = dict[str, list[str]](), list[float]()
    for number, question in tqdm(collection.questions.items(), desc="asking", leave=False, disable=None):
        started = time.perf_counter()
        async with session.post("/diaries/search", json={"diaryId": place, "query": question[:500]}) as answer:
            answer.raise_for_status()
            answers[number] = [numbers[each["id"]] for each in (await answer.json())["results"]]
        seconds.append(time.perf_counter() - started)
    scored = [number for number in collection.questions if collection.relevant.get(number)]
    print(f"{len(numbers)} entries, {len(scored)} questions, defaults, through REST")
    for name, measure in MEASURES.items():
        figure = interval([measure(answers[number], collection.relevant[number]) for number in scored])
        print(f"{name:<10} {figure.mean:.4f}  [{figure.low:.4f}, {figure.high:.4f}]")
        if name == "recall@10":
            print(f"{'':<10} {'at least' if figure.mean >= WANTED else 'BELOW'} {WANTED}")
    seconds.sort()
    print(f"p50 {percentile(seconds, 0.5) * 1000:.1f} ms, p95 {percentile(seconds, 0.95) * 1000:.1f} ms")


async def _write(session: aiohttp.ClientSession, place: str, documents: Mapping[str, dict[str, str]]) -> dict[str, str]:
    numbers: dict[str, str] = {}
    waiting = iter(documents.items())
    with tqdm(total=len(documents), desc="writing", leave=False, disable=None) as bar:

        async def write() -> None:
            for number, document in waiting:
                async with session.post(f"/diaries/{place}/entries", json=document) as answer:
                    answer.raise_for_status()
                    numbers[(await answer.json())["id"]] = number
                bar.update()

        await asyncio.gather(*(write() for _ in range(WRITERS)))
    return numbers


def read_collection(folder: Path) -> Collection:
    """The collection in these files."""
    documents = {}
    for number, fields in _records(folder / "cran.all.1400"):
        title, text = fields.get("T", ""), fields.get("W", "")
        content = text or title  # the text begins with the title
        if content:  # two abstracts are empty
            documents[number] = {"content": content} | ({"title": title} if 0 < len(title) <= TITLE_MAX else {})
    questions = {str(place): fields["W"] for place, (_, fields) in enumerate(_records(folder / "cran.qry"), start=1)}
    relevant: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for line in (folder / "cranqrel").read_text(encoding="ascii").splitlines():
        question, document, grade = line.split()
        if int(grade) > 0:
            relevant[question][document] = 1.0
    return Collection(documents, questions, relevant)


def _records(file: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """The numbered records of a file in the collection's format, each with its lettered fields."""
    for record in re.split(r"^\.I ", file.read_text(encoding="ascii"), flags=re.MULTILINE)[1:]:
        number, _, rest = record.partition("\n")
        parts = re.split(r"^\.([TABW])$", rest, flags=re.MULTILINE)[1:]
        yield number.strip(), {name: " ".join(text.split()) for name, text in zip(parts[::2], parts[1::2], strict=True)}


if __name__ == "__main__":
    asyncio.run(main())
