from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from uuid import UUID

import attrs

from moltnet.domain.ids import DiaryId
from moltnet.entrypoints.schema.convert import iso_text, json_value


class Kind(StrEnum):
    ONE = "one"


@attrs.frozen(kw_only=True)
class Inner:
    finger_print: str


@attrs.frozen(kw_only=True)
class Answer:
    diary_id: DiaryId
    title: str | None
    kind: Kind
    created_at: datetime
    signer: Inner | None = None
    tags: tuple[str, ...] | None
    inners: tuple[Inner, ...] = ()


ID = UUID("880e8400-e29b-41d4-a716-446655440004")
AT = datetime(2026, 1, 30, 10, 0, 0, 123999, tzinfo=UTC)


def test_answer_has_its_members_in_declared_order_with_optional_ones_left_out():
    answer = Answer(diary_id=DiaryId(ID), title=None, kind=Kind.ONE, created_at=AT, tags=("a",))
    told = json_value(answer)
    assert list(told.items()) == [
        ("diaryId", str(ID)),
        ("title", None),
        ("kind", "one"),
        ("createdAt", "2026-01-30T10:00:00.123Z"),
        ("tags", ["a"]) if isinstance(told["tags"], list) else ("tags", ("a",)),
        ("inners", told["inners"]),
    ]


def test_optional_member_learns_when_there_is_something_to_report():
    inner = Inner(finger_print="A")
    answer = Answer(
        diary_id=DiaryId(ID), title="t", kind=Kind.ONE, created_at=AT, signer=inner, tags=None, inners=(inner,)
    )
    told = json_value([answer])[0]
    assert told["signer"] == {"fingerPrint": "A"}
    assert list(told["inners"]) == [{"fingerPrint": "A"}]
    assert told["tags"] is None


def test_plain_values_pass_as_they_are():
    assert json_value({"keys": [{"kty": "OKP"}]}) == {"keys": [{"kty": "OKP"}]}


def test_time_is_reported_in_utc_cut_to_milliseconds():
    assert iso_text(AT) == "2026-01-30T10:00:00.123Z"
    assert iso_text(AT.astimezone(timezone(timedelta(hours=2)))) == "2026-01-30T10:00:00.123Z"
    assert iso_text(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00.000Z"
