"""Memory-like texts of invented people, the same for every run."""

import random
from collections.abc import Iterator

PEOPLE = ("Mara", "Ilya", "Noor", "Tomas", "Aiko", "Bela", "Chidi", "Dana", "Emre", "Freya", "Goran", "Hana")
PLACES = ("the staging cluster", "the harbour office", "the night shift", "our weekly call", "the test lab", "Lisbon")
THINGS = (
    "the login callback points at the wrong host",
    "the nightly backup takes longer than the window it was given",
    "a retry storm follows every failed deploy",
    "the invoice template drops the second address line",
    "the search index misses entries written during a restart",
    "the rate limiter counts health checks as traffic",
    "the camera on the loading dock freezes when it rains",
    "the migration needs the vector extension first",
)
HABITS = (
    "prefers short updates on Friday afternoon",
    "wants to be asked before anything touches production",
    "reads the change log before every meeting",
    "keeps the spare keys in the blue cabinet",
    "answers fastest in the morning, before the stand-up",
    "never deploys after lunch and says so in every retrospective",
)
ENDINGS = (
    "We agreed to look at it again next week and to write down what we find.",
    "Nobody owns this yet; I offered to keep an eye on it until somebody does.",
    "This has happened before, in spring, and the fix back then was a larger timeout.",
    "I should remember this before promising a date to anybody.",
)
QUESTIONS = (
    "who prefers short updates",
    "what goes wrong after a failed deploy",
    "where are the spare keys",
    "why was the backup late",
    "which problem did we see with the index",
    "when does somebody answer fastest",
    "what needs to happen before the migration",
    "who wants to be asked about production",
)


def memories(count: int, seed: int = 7) -> Iterator[str]:
    """Texts of three sentences, about 60 tokens each."""
    chosen = random.Random(seed)
    for number in range(count):
        who, other = chosen.sample(PEOPLE, 2)
        yield (
            f"Note {number}: {who} told me at {chosen.choice(PLACES)} that {chosen.choice(THINGS)}. "
            f"{other} {chosen.choice(HABITS)}, so I asked {other} to help {who} with it. {chosen.choice(ENDINGS)}"
        )


def paragraphs(count: int, seed: int = 7) -> Iterator[str]:
    """Texts of four such memories, about 230 tokens each: what fits one window of the model."""
    single = memories(count * 4, seed)
    for _ in range(count):
        yield " ".join(next(single) for _ in range(4))


def questions(count: int, seed: int = 11) -> Iterator[str]:
    """Questions about such texts, no two alike."""
    chosen = random.Random(seed)
    for number in range(count):
        yield f"{chosen.choice(QUESTIONS)}, {chosen.choice(PEOPLE)}, note {number}"
