"""Noise in texts: what is blanked, and what stays."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.domain.text import data_runs, without_noise

DATA = base64.b64encode(bytes(range(7, 250, 3))).decode()
JSON = json.dumps([{"id": 7, "note": "rush", "price": 1.5, "items": [{"sku": "A"}]}] * 5, separators=(",", ":"))
TABLE = "\n".join(f"| row {row} | open | {row * 7} |" for row in range(20))
PROSE = 'He said: "the backup (of last night) failed"; nobody knows why - not even Mara, who wrote the script itself.'
CODE = "def total(self, prices):\n    return sum(price for price in prices if price > 0)\n" * 2


def test_data_is_blanked_in_its_place() -> None:
    assert [run[0] for run in data_runs(f"key {DATA} end")] == [DATA]
    assert without_noise(f"key {DATA} end") == f"key {' ' * len(DATA)} end"


def test_token_of_three_parts_is_data() -> None:
    token = f"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.{DATA[:60]}.{DATA[20:63]}".replace("+", "-").replace("/", "_")
    assert [run[0] for run in data_runs(f"Bearer {token}.")] == [token]


@pytest.mark.parametrize("hash_", ["9e107d9d372bb6826bd81d3542a419d6", "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709"])
def test_hashes_are_blanked(hash_: str) -> None:
    assert without_noise(f"commit {hash_}, by Mara") == f"commit {' ' * len(hash_)}, by Mara"


def test_numbers_of_structure_are_blanked() -> None:
    assert without_noise('{"sku":"A-991","qty":3,"at":"2026-05-12T08:15:00Z","note":"rush"},' * 3).split() == (
        ["sku", "A", "qty", "at", "note", "rush"] * 3
    )


@pytest.mark.parametrize("text", [JSON, TABLE])
def test_signs_of_structure_are_blanked(text: str) -> None:
    plain = without_noise(text)
    assert not set(plain) & set('{}[]":,|')
    assert len(plain) == len(text)
    assert {word for word in ("rush", "sku", "row", "open") if word in text} <= set(plain.split())


@pytest.mark.parametrize(
    "text",
    [
        *(PROSE, CODE, "", "a|b|c|d", "/usr/local/lib/python3.11/site-packages/moltnet/adapters"),
        "DefaultConnectionPoolFactory.createConnectionForHost.maximum_waiting_seconds",
    ],
)
def test_prose_code_and_paths_stay(text: str) -> None:
    assert without_noise(text) == text


@given(text=st.text(max_size=500) | st.text("aB1+/={}\n ", max_size=500))
def test_what_is_not_blanked_stands_where_it_stood(text: str) -> None:
    plain = without_noise(text)
    assert len(plain) == len(text)
    assert all(after in (before, " ") for before, after in zip(text, plain, strict=True))
