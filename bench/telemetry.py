"""What telemetry costs a write: off, with a tenth of the traces, and with metrics and logs, too.

`python -m bench.telemetry`. Three servers on one data folder take turns, a round of writes each, so that whatever else
the machine does meets all alike. What it costs to be off cannot be switched off: the calls of the port that one write
makes are counted, and timed by themselves.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import aiohttp
import attrs
from tqdm import tqdm

from bench.server import Server, cores, cpu_s, diary, founders, running
from bench.texts import memories
from moltnet.domain.caller import Caller
from moltnet.domain.entries import NewEntry
from moltnet.entrypoints.container.networks import network
from moltnet.entrypoints.settings import read_settings
from moltnet.ports.telemetry import NoTelemetry
from tests.support.otlp import a_receiver

ROUNDS, WRITES, AT_ONCE = 20, 60, 8
TIMED = 200_000


async def main(folder: Path) -> None:
    """Prints times of a write, CPU of the server, and both beside those without telemetry."""
    (agent,) = founders(folder, 1)
    with a_receiver() as receiver, ExitStack() as stack:
        tenth = _sampled(receiver.url, "0.1")
        traces = tenth | {"OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}
        ways = {"off": dict(os.environ), "10 % of traces": traces, "with metrics, logs": tenth}
        servers = {name: stack.enter_context(running(folder, settings=way)) for name, way in ways.items()}
        times = {name: list[float]() for name in ways}
        used = dict.fromkeys(ways, 0.0)
        notes = memories(len(ways) * ROUNDS * WRITES)
        for _ in tqdm(range(ROUNDS), desc="rounds", leave=False, disable=None):
            for name, server in servers.items():
                before = cpu_s(server, folder)[0]
                times[name] += await _round(server, agent["accessToken"], [next(notes) for _ in range(WRITES)])
                used[name] += cpu_s(server, folder)[0] - before
        spans, lines = len(receiver.spans), len(receiver.logs)
    print(f"{cores()} cores, shared by servers, database, receiver and client; {ROUNDS * WRITES} writes each")
    print(f"{'telemetry':<20}{'p50 ms':>9}{'of off':>8}{'CPU ms a write':>16}{'of off':>8}")
    p50 = {name: statistics.median(taken) * 1000 for name, taken in times.items()}
    cpu = {name: seconds * 1000 / (ROUNDS * WRITES) for name, seconds in used.items()}
    for name in ways:
        print(
            f"{name:<20}{p50[name]:>9.2f}{p50[name] / p50['off']:>8.3f}{cpu[name]:>16.2f}{cpu[name] / cpu['off']:>8.3f}"
        )
    print(f"received: {spans} spans, {lines} lines of the log")
    calls = await _calls_of_a_write(folder, agent)
    cost_us = sum(count * _cost_us(name) for name, count in calls.items())
    made = ", ".join(f"{count} {name}" for name, count in calls.items())
    print(f"off: {made} a write take {cost_us:.2f} us, {cost_us / cpu['off'] / 10:.3f} % of its CPU")


def _sampled(url: str, share: str) -> dict[str, str]:
    return {
        **os.environ,
        "OTEL_EXPORTER_OTLP_ENDPOINT": url,
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": share,
    }


async def _round(server: Server, token: str, notes: list[str]) -> list[float]:
    times, remaining = list[float](), iter(notes)
    async with aiohttp.ClientSession(server.url, headers={"Authorization": f"Bearer {token}"}) as session:
        path = f"/diaries/{await diary(session)}/entries"

        async def write() -> None:
            for note in remaining:
                started = time.perf_counter()
                async with session.post(path, json={"content": note}, raise_for_status=True) as answer:
                    await answer.read()
                times.append(time.perf_counter() - started)

        await asyncio.gather(*(write() for _ in range(AT_ONCE)))
    return times


@attrs.define
class _Counting(NoTelemetry):
    """Telemetry that is off, and counts how often it is asked."""

    calls: Counter[str] = attrs.field(factory=Counter)

    def __getattribute__(self, name: str) -> object:
        if name in {"is_on", "span", "trace"}:
            self.calls[name] += 1
        return super().__getattribute__(name)


async def _calls_of_a_write(folder: Path, agent: dict[str, str]) -> Counter[str]:
    counting = _Counting()
    async with network(read_settings(folder), "http://127.0.0.1", telemetry=counting) as services:
        caller = await services.authentication.authenticate(agent["accessToken"])
        assert isinstance(caller, Caller)
        counting.calls.clear()
        await services.entries.keep(caller, (await services.diaries.mine(caller))[0].id, NewEntry(content="A note."))
    return counting.calls + Counter({"trace": 1})  # the line of the access log


def _cost_us(name: str) -> float:
    off = NoTelemetry()
    started = time.perf_counter()
    if name == "is_on":
        for _ in range(TIMED):
            _ = off.is_on
    elif name == "trace":
        for _ in range(TIMED):
            off.trace()
    else:
        for _ in range(TIMED):
            with off.span("unit of work"):
                pass
    return (time.perf_counter() - started) / TIMED * 1e6


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="moltnet-telemetry-") as made:
        asyncio.run(main(Path(made)))
