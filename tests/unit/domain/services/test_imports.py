"""Memories from elsewhere: what ends an import, and what was stored by then."""

import attrs
import pytest

from moltnet.domain.caller import AllowanceUsedUp, Quota, QuotaExceeded
from moltnet.domain.entries import NewEntry
from moltnet.domain.imports import NewImport, Origin, OriginOutOfLimits
from moltnet.domain.records import SignedRecord
from tests.support.network import Member, Network


def items(*keys: str) -> list[NewImport]:
    return [NewImport(origin=Origin(key=key, source="chatgpt"), new=NewEntry(content=key)) for key in keys]


async def test_a_quota_ends_an_import_and_the_rest_is_left_to_be_sent_again(network: Network, ada: Member) -> None:
    diary = await network.diary(ada)
    limited = attrs.evolve(network.services.entries, quota=Quota(entries=2))
    imports = attrs.evolve(network.services.imports, entries=limited)
    outcomes = await imports.add(ada.caller, diary.id, items("a", "b", "c", "d"))
    assert [each.key for each in outcomes] == ["a", "b"]
    with pytest.raises(QuotaExceeded):
        await imports.add(ada.caller, diary.id, items("c", "d"))
    assert [each.repeated for each in await imports.add(ada.caller, diary.id, items("b", "a"))] == [True, True]
    assert [each.origin.key for each in await imports.page(ada.caller, diary.id, "", 10)] == ["a", "b"]


async def test_one_statement_asks_for_all_keys_of_a_request(network: Network, ada: Member) -> None:
    diary = await network.diary(ada)
    await network.services.imports.add(ada.caller, diary.id, items("a", "b"))
    network.calls.log.clear()
    await network.services.imports.add(ada.caller, diary.id, items("b", "a"))
    assert [each for each in network.calls.log if each.startswith(("imports.", "entries."))] == ["imports.known"]


async def test_what_comes_without_an_entry_and_long_evidence_count_as_passages(network: Network, ada: Member) -> None:
    diary = await network.diary(ada)
    counted: list[int] = []

    class Counting:
        async def count_passages(self, asker: str, passages: int) -> None:
            assert asker == ada.caller.asker
            counted.append(passages)
            if counted[2:]:
                raise AllowanceUsedUp(1)

    def evidence(key: str, payload: bytes, content: str | None) -> NewImport:
        record = SignedRecord(sequence=1, hash="0" * 64, payload=payload, signature=bytes(64))
        return NewImport(
            origin=Origin(key=key, source="x", record=record),
            new=None if content is None else NewEntry(content=content),
        )

    imports = attrs.evolve(network.services.imports, throttling=Counting())
    sent = [
        evidence("a", b"{}", None),
        evidence("b", b"x" * 4096, "b"),
        *items("c"),
        evidence("d", b"", None),
        *items("e"),
    ]
    outcomes = await imports.add(ada.caller, diary.id, sent)
    assert counted == [1, 4, 1]
    assert [(each.key, each.is_refused) for each in outcomes] == [("a", True), ("b", True), ("c", False)]


@pytest.mark.parametrize("origin", [{"key": ""}, {"key": "x" * 256}, {"source": ""}, {"original_id": "x" * 256}])
def test_an_origin_has_a_key_and_a_source(origin: dict[str, str]) -> None:
    with pytest.raises(OriginOutOfLimits):
        Origin(**{"key": "a", "source": "b"} | origin)
