"""JSON of any size: told to be large when it is, and the same text either way."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.adapters.memory.system import MemoryWorkers
from moltnet.entrypoints.rest.bodies import COUNTED_MOST, FASTER, SHORT, form_text, read_json, size_of, value_text
from moltnet.entrypoints.rest.json_text import from_json, to_json, to_long_json
from moltnet.ports.system import Result
from tests.support.builders import an_entry

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
)


class HandedOver(MemoryWorkers):
    """Notes the sizes."""

    def __init__(self) -> None:
        self.sizes = list[int]()

    async def run(self, work: Callable[[], Result], size: int) -> Result:
        self.sizes.append(size)
        return await super().run(work, size)


@given(JSON)
def test_a_long_text_is_the_same_as_a_short_one(value: object) -> None:
    assert to_long_json(value) == to_json(value)


@given(JSON)
def test_a_value_is_counted_as_no_less_than_half_of_its_text(value: object) -> None:
    text = len(to_json(value))
    # An escaped character takes six.
    assert size_of(value) >= min(text / 6, COUNTED_MOST / 2)


@pytest.mark.parametrize(
    "value",
    ["x" * 500_000, ["x"] * 100_000, [[]] * 100_000, {str(at): at for at in range(50_000)}, [[0] * 100_000]],
    ids=["text", "texts", "lists", "members", "numbers"],
)
def test_what_is_large_is_seen_to_be_large(value: object) -> None:
    assert size_of(value) >= COUNTED_MOST
    assert from_json(to_long_json(value)) == value


async def test_a_long_page_is_written_beside_the_loop_and_a_single_entry_is_not() -> None:
    workers, entry = HandedOver(), (an_entry(content="記" * 10_000))
    assert from_json(await form_text(workers, entry))
    assert workers.sizes == []
    page = {"items": (entry,) * 20, "total": 20, "limit": 20, "offset": 0}
    assert await form_text(workers, page) == to_json(from_json(await form_text(MemoryWorkers(), page)))
    assert len(workers.sizes) == 1
    assert workers.sizes[0] > SHORT // FASTER


async def test_a_surrogate_is_escaped_in_a_long_text_too() -> None:
    text = await value_text(MemoryWorkers(), {"a": "\udcff" * SHORT, "at": str(datetime(2026, 1, 1, tzinfo=UTC))})
    assert text.startswith(b'{"a":"\\udcff\\udcff')


async def test_what_reading_raises_is_raised() -> None:
    with pytest.raises(ValueError, match="Expecting"):
        await read_json(MemoryWorkers(), lambda: from_json(b"["), 1)
