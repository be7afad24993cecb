"""Texts that are no words: dumps, tables, logs, traces, code without names, data, signs; the same for each run."""

import base64
import json
import random
from collections.abc import Callable
from uuid import UUID

_CHANCE = random.Random(3)
_SIGNS = "\U0001f600\U0001f916\U0001f525\U0001f308\U0001f355\U0001f697\U0001f3e0\U0001f436\U0001f335\u2b50"


def _lines(count: int, line: Callable[[int], str], first: str = "") -> str:
    return "\n".join([first, *map(line, range(count))]).strip()


def _below(most: int) -> int:
    return _CHANCE.randrange(most)


def _base64(size: int) -> str:
    return base64.b64encode(_CHANCE.randbytes(size)).decode()


NOISE = (
    _base64(900),
    f"data:image/png;base64,{_base64(900)}",
    _lines(20, lambda _: _base64(48), "-----BEGIN CERTIFICATE-----"),
    ".".join(base64.urlsafe_b64encode(_CHANCE.randbytes(size)).decode().rstrip("=") for size in (27, 200, 32)),
    _CHANCE.randbytes(900).hex(),
    _lines(30, lambda at: f"{at * 16:08x}  {_CHANCE.randbytes(16).hex(' ')}  |{_CHANCE.randbytes(9).hex()}|"),
    _lines(40, lambda _: str(UUID(bytes=_CHANCE.randbytes(16)))),
    _lines(60, lambda at: f"{at},2025-03-1{_below(9)}T08:00:00Z,{_below(90)}.{_below(999)},OK", "id,ts,lat,status"),
    _lines(50, lambda at: f"2025-03-11T12:{at:02}:07.113Z INFO [worker-{_below(9)}] c.e.Pool - rx={_below(99)}"),
    _lines(40, lambda _: f"\tat org.acme.q.Mux.poll(Mux.java:{_below(900)})", "java.lang.NullPointerException"),
    _lines(30, lambda at: f'  File "/usr/lib/python3/x/m{at}.py", line {_below(900)}, in f{at}', "Traceback:"),
    "".join(f"var {chr(97 + at % 26)}{at}=function(e){{return e.{chr(97 + at % 26)}||n({at})}};" for at in range(60)),
    "".join(f".a{at}{{margin:{_below(9)}px;color:#{_CHANCE.randbytes(3).hex()}}}" for at in range(60)),
    _lines(
        50, lambda _: f"| {_below(99)}.{_below(99)} | {_below(99)} | {_below(99)} |", "| a | b | c |\n|---|---|---|"
    ),
    _lines(40, lambda _: f"\u2502 {_below(99):02} \u2502 {_below(99):02} \u2502"),
    _lines(40, lambda _: f"https://cdn{_below(9)}.x.net/{_CHANCE.randbytes(6).hex()}.js?v={_below(99)}"),
    _lines(60, lambda _: f"C{_below(24)}.{_below(99)},{_below(24)}.{_below(99)}", '<svg><path d="'),
    f"INSERT INTO t VALUES {','.join(f'({at},{_below(999)},NULL)' for at in range(60))}",
    json.dumps([{"id": at, "sku": f"A-{at}", "qty": at % 7} for at in range(90)], separators=(",", ":")),
    "".join(_CHANCE.choices(_SIGNS, k=300)),
    " ".join(_CHANCE.choices(_SIGNS, k=150)),
    "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore. " * 5,
    "!!! ??? ... --- *** ### $$$ %%% ^^^ &&& " * 20,
    "1 2 3 4 5 6 7 8 9 10 11 12 13 14 " * 30,
    "".join(_CHANCE.choices("ACGT", k=1200)),
    " ".join(_CHANCE.choices((".-", "-...", "-.-.", "-.."), k=150)),
    " ".join(f"{_below(256):08b}" for _ in range(100)),
)
