"""`moltnet bench retrieval`: how well memories are found on this machine, on a network of its own."""

import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path

import attrs
import click
from tqdm import tqdm

from moltnet.entrypoints.cli.commands.genesis import register_founder
from moltnet.entrypoints.cli.ending import run_command
from moltnet.entrypoints.cli.logs import log_to_stderr
from moltnet.entrypoints.cli.output import one_sentence, result
from moltnet.entrypoints.cli.scoring.rankings import Asker, MemorySet, peak_memory_mb, read_memory_set
from moltnet.entrypoints.cli.scoring.scorecards import MEASURES, MOLTNET, Interval, Scorecard, scorecard
from moltnet.entrypoints.container.networks import network
from moltnet.entrypoints.container.remote import new_key_pair
from moltnet.entrypoints.settings import UNTHROTTLED, read_settings

BUNDLED = Path(__file__).parent.parent / "scoring" / "memories.jsonl"
_SHOWN = {
    MOLTNET: "moltnet",
    "vectors": "vectors alone",
    "words": "words alone",
    "expansion": "called up alone",
    "rrf": "RRF, k = 60",
}


def retrieval(file: Path | None, *, as_json: bool) -> None:
    """Measures a set, the bundled one by default, and prints its scorecard."""
    log_to_stderr(logging.WARNING)
    with one_sentence(), tempfile.TemporaryDirectory(prefix="moltnet-bench-") as folder:
        card = run_command(_measured(read_memory_set(file or BUNDLED), Path(folder)))
    if as_json:
        result(attrs.asdict(card))
    else:
        _print(card)


async def _measured(memories: MemorySet, folder: Path) -> Scorecard:
    settings = read_settings(folder, UNTHROTTLED)
    steps = len(memories.entries) + len(memories.questions)
    with tqdm(total=steps, leave=False, disable=None) as bar:
        bar.set_description("a network of its own")
        async with network(settings, settings.url(settings.port)) as services:
            credentials = (await register_founder(services, new_key_pair())).credentials
            token = await services.credentials.token(str(credentials.client_id), credentials.secret, None)
            caller = await services.authentication.authenticate(token.text)
            bar.set_description("writing")
            asker = await Asker.prepared(services, caller, memories, bar.update)
            bar.set_description("asking")
            asked = []
            for question in memories.questions:
                asked.append(await asker.ask(question))
                bar.update()
    return scorecard(len(memories.entries), asked, peak_memory_mb())


def _print(card: Scorecard) -> None:
    unscored = f", {card.unscored} more without an answer" if card.unscored else ""
    click.echo(f"{card.entries} entries, {card.questions} questions{unscored}; in brackets 95 % of 1000 resamples\n")
    click.echo(f"{'':<16}{''.join(f'{name:<24}' for name in MEASURES)}".rstrip())
    for ranking, figures in card.figures.items():
        click.echo(f"{_SHOWN[ranking]:<16}{_row(figures)}")
    click.echo("\nmoltnet is ahead of")
    for ranking, figures in card.ahead.items():
        click.echo(f"{_SHOWN[ranking]:<16}{_row(figures, sign='+')}")
    if card.kinds:
        _print_kinds(card)
    click.echo(
        f"\none search at a time: p50 {card.p50_ms:.1f} ms, p95 {card.p95_ms:.1f} ms; "
        f"memory {card.memory_mb:.0f} MB at most, without the database"
    )


def _print_kinds(card: Scorecard) -> None:
    click.echo(f"\n{'recall@10 by kind':<32}{''.join(f'{_SHOWN[ranking]:<16}' for ranking in card.figures)}".rstrip())
    for kind, (count, figures) in card.kinds.items():
        named = f"{kind} ({count})"
        click.echo(f"{named:<32}{''.join(f'{figures[ranking]:<16.3f}' for ranking in card.figures)}".rstrip())


def _row(figures: Mapping[str, Interval], sign: str = "") -> str:
    columns = (f"{each.mean:{sign}.3f} [{each.low:{sign}.3f}, {each.high:{sign}.3f}]" for each in figures.values())
    return "".join(f"{column:<24}" for column in columns).rstrip()
