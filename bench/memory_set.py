"""Writes the memory-like set that `moltnet bench retrieval` ships with: dated notes on invented people, and questions.

`python -m bench.memory_set` writes it anew, the same for the same seed. Every sentence was written for this set. People
share the kinds of things that are noted of them, so that a question is answered by the right person's note at the right
time, and everybody else's stand close to it. Questions do not use the notes' words where people would not.
"""

import itertools
import json
import random
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

import attrs

from moltnet.entrypoints.cli.commands.bench import BUNDLED

SEED = 20260130
START, DAYS = date(2025, 1, 6), 360
PEOPLE = (
    *("Mara", "Ilya", "Noor", "Tomas", "Aiko", "Bela", "Chidi", "Dana", "Emre", "Freya", "Goran", "Hana"),
    *("Ines", "Jonas", "Kofi", "Lena"),
)
OFTEN, LATEST = 3, 2


@attrs.frozen
class Topic:
    """One kind of thing that is noted of people: how it is said, how it is asked for, and what it may be.

    `{p}` is the person, `{v}` the value. `group` asks for everybody of whom something of the kind is noted.
    """

    notes: tuple[str, ...]
    questions: tuple[str, ...]
    values: tuple[str, ...]
    kind: str = "single fact"
    group: str = ""
    share: float = 0.5


FIXED = (
    Topic(
        (
            "{p} cannot eat {v}: last time it ended in the emergency room.",
            "Ordering for the team: nothing with {v} for {p}, allergy.",
        ),
        ("What food is dangerous for {p}?", "What must the kitchen leave out when {p} comes to dinner?"),
        ("peanuts", "shellfish", "sesame", "hazelnuts", "celery", "mustard", "lupin"),
        group="Who in the team has a food allergy?",
    ),
    Topic(
        ("{p} grew up in {v}, above the family bakery.", "Over lunch {p} told stories from a childhood in {v}."),
        ("Where is {p} originally from?", "In which town did {p} spend the early years?"),
        ("Bergen", "Tartu", "Porto", "Kumasi", "Matsue", "Trieste", "Ghent", "Split"),
    ),
    Topic(
        (
            "{p} has {v} at home, adopted from a shelter.",
            "The call was interrupted because {v} had jumped onto {p}'s desk.",
        ),
        ("Which animal lives with {p}?", "Does {p} keep a pet, and which one?"),
        (
            "a three-legged cat",
            "a deaf greyhound",
            "two rabbits",
            "a grumpy parrot",
            "an old tortoise",
            "a pair of ferrets",
        ),
        group="Who keeps animals?",
    ),
    Topic(
        (
            "{p} plays {v} in a small orchestra on Thursday evenings.",
            "{p} is practising {v} for a concert and asked for quiet evenings.",
        ),
        ("Which instrument does {p} play?", "What would {p} bring along to make music?"),
        ("the cello", "the oboe", "the trombone", "the viola", "the accordion", "the French horn"),
        group="Who makes music?",
        share=0.4,
    ),
    Topic(
        (
            "{p}'s sister {v} is visiting and will sit in on the demo.",
            "{p} has to leave early: {v}, the sister, needs a lift to the station.",
        ),
        ("What is the name of {p}'s sister?",),
        ("Odile", "Rosa", "Petra", "Yuki", "Amal", "Signe", "Wanda"),
        share=0.4,
    ),
    Topic(
        ("{p} studied {v} before coming to software.", "Turns out {p} holds a degree in {v}."),
        ("What did {p} learn at university?", "Which subject is {p} trained in besides programming?"),
        ("geology", "musicology", "naval architecture", "classical Greek", "forestry", "theology", "optics"),
    ),
    Topic(
        ("The spare key to the server room is kept by {p}, {v}.", "{p} moved the spare key again: it is now {v}."),
        ("Where does {p} keep the spare key?",),
        ("taped under the second drawer", "inside the blue cabinet", "behind the fire extinguisher", "in the tea tin"),
        share=0.3,
    ),
    Topic(
        (
            "{p} owns the {v} service and wants to review every change to it.",
            "Questions about {v} go to {p}, who wrote most of it.",
        ),
        ("Which part of the system is {p} responsible for?", "For what code should I add {p} as a reviewer?"),
        ("billing", "search", "notification", "login", "export", "image", "scheduling", "audit"),
        group="Who is responsible for a part of the system?",
    ),
    Topic(
        (
            "{p} broke {v} while skiing and types with one hand for now.",
            "After the fall {p} came in with {v} in plaster.",
        ),
        ("What injury did {p} have?", "Why was {p} hardly able to use the keyboard?"),
        ("the left wrist", "the right thumb", "the collarbone", "two fingers"),
        share=0.3,
    ),
    Topic(
        ("{p} is saving for {v} and counts every coffee.", "The long-term plan of {p}: {v}, within two years."),
        ("What does {p} put money aside for?", "What big purchase is {p} dreaming of?"),
        ("a sailing boat", "a cabin by the lake", "a kiln", "a camper van", "a greenhouse", "a telescope"),
        share=0.4,
    ),
)
PREFERENCES = (
    Topic(
        ("{p} asked for {v} instead of long meetings.", "Note to self: {p} works best with {v}."),
        ("How does {p} like to be kept up to date?", "What is the best way to report progress to {p}?"),
        (
            "a short written summary on Fridays",
            "a call of five minutes each morning",
            "comments in the ticket only",
            "a weekly chart",
        ),
        kind="preference",
    ),
    Topic(
        ("{p} drinks {v}, nothing else before noon.", "Getting drinks: {v} for {p}."),
        ("What should I order for {p} to drink?", "Which hot drink makes {p} happy?"),
        (
            "oat milk cortado",
            "green tea without sugar",
            "black coffee from the moka pot",
            "ginger infusion",
            "hot chocolate",
        ),
        kind="preference",
    ),
    Topic(
        ("{p} insists on {v} in code reviews.", "In reviews {p} always comes back to {v}."),
        ("What does {p} care about most when reading code?", "What will {p} complain about in my pull request?"),
        (
            "names that need no comment",
            "a test for every bug",
            "small commits",
            "no new dependencies",
            "error messages that help",
        ),
        kind="preference",
    ),
    Topic(
        ("{p} would rather travel by {v}, even if it takes a day.", "Booking for {p}: by {v}, as always."),
        ("How does {p} prefer to get to a conference?", "Which means of transport should be reserved for {p}?"),
        ("night train", "ferry", "bicycle", "long-distance bus"),
        kind="preference",
        share=0.4,
    ),
    Topic(
        (
            "{p} never wants {v} on the desk: it makes concentrating impossible.",
            "Moved {v} away from {p}'s place, after complaints.",
        ),
        ("What annoys {p} at the workplace?", "What should not be near {p} during work?"),
        ("a ticking clock", "a phone that hums", "strong perfume", "a flickering lamp", "the shared radio"),
        kind="preference",
        share=0.4,
    ),
)
CHANGING = (
    Topic(
        ("{p} has moved into a flat in {v}.", "New address: {p} lives in {v} from this week on."),
        ("Where was {p} living in {month}?", "In which city was {p}'s home in {month}?"),
        ("Utrecht", "Graz", "Aarhus", "Lyon", "Gdansk", "Leeds", "Turku", "Brno"),
        group="Where does {p} live now?",
    ),
    Topic(
        ("{p} has taken over the {v} project.", "From today {p} is working on the {v} project."),
        ("What was {p} working on in {month}?", "Which project did {p} start in {month}?"),
        ("heron", "lighthouse", "quarry", "meadow", "anvil", "tundra", "compass", "orchard"),
        group="What is {p}'s current project?",
    ),
    Topic(
        ("{p} goes to {v} three evenings a week now.", "New habit: {p} has signed up for {v}."),
        ("Which sport did {p} begin in {month}?", "What was {p} doing to stay fit in {month}?"),
        ("climbing", "rowing", "fencing", "judo", "swimming", "orienteering"),
        group="What sport does {p} do these days?",
    ),
    Topic(
        ("{p} gave {v} as the telephone number for emergencies.", "If the pager fails, ring {p} on {v}."),
        ("Which number did {p} leave in {month}?",),
        ("555 0134", "555 0177", "555 0192", "555 0108", "555 0166", "555 0121"),
        group="How can {p} be reached by telephone in an emergency?",
    ),
)
TRIPS = Topic(
    ("{p} is planning a journey to {v} and compares fares.", "{p} has booked a week in {v}."),
    (),
    ("Lisbon", "Reykjavik", "Naples", "Kyoto", "Oslo"),
)
INCIDENTS = Topic(
    ("{p} was woken at night: {v}.", "Post-mortem by {p}: {v}.", "{p} spent the whole day on this: {v}."),
    (),
    (
        "the certificate of the staging cluster had expired",
        "a retry storm took down the queue",
        "the nightly backup ran into the morning",
        "the disk of the log server was full",
        "a feature flag was flipped for everybody",
        "the cache served answers of another customer",
        "clocks on two machines were a minute apart",
        "the load balancer sent all traffic to one node",
        "a migration locked the orders table",
        "the mail provider refused every message",
    ),
)
INCIDENT_QUESTIONS = (
    ("When did login over TLS break because nobody renewed it?", 0),
    ("Which outage came from clients that kept trying again?", 1),
    ("What went wrong with the copies we make of the database?", 2),
    ("Did we ever run out of storage space?", 3),
    ("Who released something to all users by accident?", 4),
    ("Was there a leak of data between customers?", 5),
    ("Have we had trouble with time drifting between hosts?", 6),
    ("What was the matter when a single machine had to bear everything?", 7),
    ("Which schema change made writes hang?", 8),
    ("Why did our users get no e-mail?", 9),
)
CHATTER = (
    "{p} said the stand-up could be shorter and nobody disagreed.",
    "Talked with {p} about the weather and the broken heating on the second floor.",
    "{p} shared photographs of the garden; the beans are late this year.",
    "{p} asked who had taken the good scissors from the workshop.",
    "The printer jammed again while {p} was printing the badges.",
    "{p} recommends the new noodle place behind the station.",
    "{p} was late: a tram had broken down on the bridge.",
    "{p} finished the crossword before the rest of us had found a pencil.",
    "{p} repaired the wobbly chair with a folded receipt.",
    "{p} brought a cake with far too much cinnamon.",
    "Long walk with {p} around the harbour; we spoke about nothing in particular.",
    "{p} thinks the meeting room needs another whiteboard.",
    "{p} lost a glove and suspects the wind.",
    "{p} taught me a card game whose rules I have forgotten already.",
)
UNANSWERED = (
    "What is the blood type of {p}?",
    "Which party did {p} vote for?",
    "What does {p} think of quantum field theory?",
    "How many marathons has {p} run?",
    "What is the licence plate of {p}'s car?",
    "Which perfume did {p} buy for the wedding?",
)


@attrs.frozen
class Note:
    """A note of a day."""

    id: str
    day: date
    person: str
    value: str
    text: str


class Diary:
    """Notes and questions as they come, all from one source of chance."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.notes: list[Note] = []
        self.questions: list[dict[str, object]] = []
        self._numbers = itertools.count(1)

    def note(self, person: str, value: str, templates: Sequence[str], day: date | None = None) -> Note:
        """Adds a note, on a day of chance unless given."""
        day = day or START + timedelta(days=self.chance.randrange(DAYS))
        said = self.chance.choice(templates).format(p=person, v=value)
        note = Note(
            f"n{next(self._numbers):03}", day, person, value, f"{day.day} {day:%B %Y}. {said[0].upper()}{said[1:]}"
        )
        self.notes.append(note)
        return note

    def ask(self, query: str, kind: str, relevant: Sequence[Note]) -> None:
        """Adds a question."""
        self.questions.append({"query": query, "relevant": [note.id for note in relevant], "kind": kind})

    def some(self, share: float) -> list[str]:
        """Some of the people, at least two, in any order."""
        return self.chance.sample(PEOPLE, max(2, round(len(PEOPLE) * share)))


def written(seed: int = SEED) -> Diary:
    """The whole set."""
    diary = Diary(seed)
    for topic in (*FIXED, *PREFERENCES):
        _fixed(diary, topic)
    for topic in CHANGING:
        _changing(diary, topic)
    _trips(diary)
    _incidents(diary)
    for template, person in zip(CHATTER * 12, itertools.cycle(PEOPLE), strict=False):
        diary.note(person, "", [template])
    for template in UNANSWERED:
        for person in diary.chance.sample(PEOPLE, 2):
            diary.ask(template.format(p=person), "no answer", [])
    return diary


def _fixed(diary: Diary, topic: Topic) -> None:
    notes = [diary.note(person, diary.chance.choice(topic.values), topic.notes) for person in diary.some(topic.share)]
    for note in diary.chance.sample(notes, min(OFTEN, len(notes))):
        diary.ask(diary.chance.choice(topic.questions).format(p=note.person), topic.kind, [note])
    if topic.group:
        diary.ask(topic.group, "several facts", notes)


def _changing(diary: Diary, topic: Topic) -> None:
    for number, person in enumerate(diary.some(topic.share)):
        months = sorted(diary.chance.sample(range(12), OFTEN))
        values = diary.chance.sample(topic.values, OFTEN)
        notes = [
            diary.note(person, value, topic.notes, START + timedelta(days=month * 30 + diary.chance.randrange(20)))
            for month, value in zip(months, values, strict=True)
        ]
        asked = diary.chance.choice(notes)
        query = diary.chance.choice(topic.questions).format(p=person, month=f"{asked.day:%B %Y}")
        diary.ask(query, "time", [asked])
        if number < LATEST:
            diary.ask(topic.group.format(p=person), "latest", [notes[-1]])


def _trips(diary: Diary) -> None:
    notes = [diary.note(person, diary.chance.choice(TRIPS.values), TRIPS.notes) for person in diary.some(0.7)]
    for value in sorted({note.value for note in notes}):
        others = [note for note in notes if note.value != value]
        diary.ask(f"travel plans -{value}", "negation", others)
        diary.ask(f"Who wants to see {value}?", "several facts", [note for note in notes if note.value == value])
    for left_out in diary.chance.sample(notes, OFTEN):
        others = [note for note in notes if note.person != left_out.person]
        diary.ask(f"where are people going on holiday -{left_out.person}", "negation", others)


def _incidents(diary: Diary) -> None:
    notes: dict[str, list[Note]] = {value: [] for value in INCIDENTS.values}
    for value in INCIDENTS.values:
        for person in diary.chance.sample(PEOPLE, 2):
            notes[value].append(diary.note(person, value, INCIDENTS.notes))
    for query, which in INCIDENT_QUESTIONS:
        diary.ask(query, "several facts", notes[INCIDENTS.values[which]])


def lines(diary: Diary) -> Iterator[str]:
    """The file's lines: notes by day, then questions."""
    for note in sorted(diary.notes, key=lambda note: (note.day, note.id)):
        yield json.dumps({"entry": note.id, "content": note.text})
    for question in diary.questions:
        yield json.dumps(question)


if __name__ == "__main__":
    made = written()
    Path(BUNDLED).write_text("".join(f"{line}\n" for line in lines(made)), encoding="utf-8")
    print(f"{len(made.notes)} notes, {len(made.questions)} questions in {BUNDLED}")
