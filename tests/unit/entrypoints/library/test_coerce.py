"""What a caller without a type checker hands in."""

from uuid import UUID

import pytest

from moltnet.domain.errors import Invalid
from moltnet.domain.ids import DiaryId
from moltnet.domain.keys import Fingerprint
from moltnet.domain.sharing import ShareRole
from moltnet.entrypoints.library.coerce import fingerprint_of, id_of, one_of

ODD = ["", "x", "\0", "\ud800", "x" * 100_000]


def test_what_is_of_its_type_stays_as_it_is() -> None:
    identifier, name = DiaryId(UUID(int=1)), Fingerprint("0123-4567-89AB-CDEF")
    assert id_of(identifier) is identifier
    assert fingerprint_of(name) is name
    assert one_of(ShareRole, ShareRole.WRITER) is ShareRole.WRITER


def test_texts_are_taken_for_what_they_name() -> None:
    assert id_of("00000000-0000-0000-0000-00000000000A") == UUID(int=10)  # type: ignore[type-var]
    assert fingerprint_of("0123-4567-89ab-cdef") == Fingerprint("0123-4567-89AB-CDEF")
    assert one_of(ShareRole, "writer") is ShareRole.WRITER


@pytest.mark.parametrize("odd", [*ODD, None, 7, []], ids=lambda odd: repr(odd)[:9])
def test_anything_else_is_refused(odd: object) -> None:
    for read in (id_of, fingerprint_of, lambda given: one_of(ShareRole, given)):
        with pytest.raises(Invalid):
            read(odd)  # type: ignore[operator]
