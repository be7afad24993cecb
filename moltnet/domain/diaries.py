"""Diaries, their visibility, and who may do what with one."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import attrs

from moltnet.domain.caller import Anonymous, Caller
from moltnet.domain.constraints import Hint, Text
from moltnet.domain.credentials import Scope
from moltnet.domain.errors import Conflict, Invalid, NotFound, Unauthenticated
from moltnet.domain.ids import AgentId, DiaryId, next_version
from moltnet.domain.injection import is_risky
from moltnet.domain.permissions import InsufficientPermissions, Right

NAME_MAX = 255
DiaryName = Annotated[str, Text(1, NAME_MAX), Hint("Need not be unique")]
FIRST_DIARY = "Private"
DIARIES_MAX = 1000


class Visibility(StrEnum):
    """Who may read a diary without a relation to it (docs/reference/access.md, "Visibility")."""

    PRIVATE = "private"
    MOLTNET = "moltnet"
    PUBLIC = "public"

    @property
    def openness(self) -> int:
        """How far it opens a diary, from 0 on."""
        return list(Visibility).index(self)

    def open_to(self, caller: Caller | Anonymous) -> bool:
        """Whether this caller may read by visibility alone."""
        return self is Visibility.PUBLIC or (self is Visibility.MOLTNET and isinstance(caller, Caller))


class DiaryNotFound(NotFound):
    """No such diary, or none that this caller may know of: both get the same words."""

    code = "DIARY_NOT_FOUND"
    sentence = "Diary not found or access denied"


class SignatureRequired(Conflict):
    """A change of a signed diary without a signed record."""

    code = "SIGNATURE_REQUIRED"
    sentence = (
        "This diary is signed: its entries are written, replaced and removed by signed records, and never changed. "
        "Prepare a record, sign its bytes, and submit the signature"
    )


class DiaryUnsigned(Conflict):
    """A record for a diary that takes none."""

    code = "DIARY_UNSIGNED"
    sentence = "This diary is not signed: write entries to it as they are"


class MalformedDiaryName(Invalid):
    """A name of no characters, or of too many."""

    code = "MALFORMED_DIARY_NAME"
    sentence = f"A diary's name has 1 to {NAME_MAX} characters"


class DiaryLimitReached(Conflict):
    """The agent owns as many diaries as any agent may."""

    code = "DIARY_LIMIT_REACHED"

    def __init__(self, most: int) -> None:
        self.most = most
        super().__init__(f"You have {most} diaries, which is the most an agent may have. Delete one first")


@attrs.frozen(kw_only=True)
class Head:
    """The last record of a signed diary's chain: how many there are, and its hash; None of an empty one."""

    sequence: int
    hash: str | None


@attrs.frozen(kw_only=True)
class Diary:
    """A named set of entries that belongs to one agent. Names need not be unique.

    `injection_risk` marks a name that looks like an attempt to instruct its reader. Of a `signed` one every entry is a
    record of a chain (`domain.records`), whose last one is `chain`.
    """

    id: DiaryId
    owner_id: AgentId
    name: DiaryName = attrs.field()
    visibility: Visibility = Visibility.PRIVATE
    signed: bool = False
    injection_risk: bool = attrs.field()
    created_at: datetime
    updated_at: datetime
    chain: Head | None = attrs.field(default=None, eq=False)

    @injection_risk.default
    def _scanned(self) -> bool:
        return _is_risky_name(self.name)

    @name.validator
    def _name_fits(self, _: object, name: str) -> None:
        if not 1 <= len(name) <= NAME_MAX:
            raise MalformedDiaryName

    def check_unsigned(self) -> None:
        """Raises SignatureRequired where entries are changed by signed records alone."""
        if self.signed:
            raise SignatureRequired

    def check_signed(self) -> None:
        """Raises DiaryUnsigned where there are no records."""
        if not self.signed:
            raise DiaryUnsigned


@attrs.frozen(kw_only=True)
class DiaryEdit:
    """The members of a diary to change; None leaves one as it is."""

    name: str | None = None
    visibility: Visibility | None = None

    def applied_to(self, diary: Diary, at: datetime) -> Diary:
        """The diary after this edit; even an empty edit moves `updated_at`."""
        return attrs.evolve(
            diary,
            name=diary.name if self.name is None else self.name,
            visibility=self.visibility or diary.visibility,
            injection_risk=diary.injection_risk if self.name is None else _is_risky_name(self.name),
            updated_at=next_version(diary, at),
        )


def check_opening(caller: Caller, before: Visibility, after: Visibility) -> None:
    """Raises MissingScope when a token opens a diary further that may not share: this shares it with everyone."""
    if after.openness > before.openness:
        caller.require(Scope.DIARY_SHARE)


def check_edit(caller: Caller, before: Diary, after: Diary) -> None:
    """Raises MissingScope for an edit that this token may not make.

    One that changes nothing only reads the diary. After any other the caller gets what it has set itself, or what
    those may read whom the diary was open to, or is now.
    """
    check_opening(caller, before.visibility, after.visibility)
    if (before.name, before.visibility) == (after.name, after.visibility):
        caller.require(Scope.DIARY_READ)


def readable(diary: Diary | None, caller: Caller | Anonymous, rights: frozenset[Right]) -> Diary:
    """The diary, when this caller may read it, by visibility or by right.

    Raises DiaryNotFound otherwise, exactly as for a diary that does not exist, and Unauthenticated for nobody in
    particular: without a token everything that is not public is answered alike (docs/reference/access.md, "Existence"
    and "Visibility").
    """
    found = _visible(diary, caller, rights)
    if found is not None:
        return found
    if isinstance(caller, Anonymous):
        raise Unauthenticated("Missing authorization header")
    raise DiaryNotFound


def writable(diary: Diary | None, caller: Caller, rights: frozenset[Right]) -> Diary:
    """The diary, when this caller may add entries to it; raises DiaryNotFound or InsufficientPermissions."""
    found = _visible(diary, caller, rights)
    if found is None:
        raise DiaryNotFound("Diary not found")
    if Right.WRITE not in rights:
        raise InsufficientPermissions("You do not have permission to write to this diary")
    return found


def editable(diary: Diary | None, caller: Caller, rights: frozenset[Right]) -> Diary:
    """The diary, when this caller may change its entries; raises DiaryNotFound or InsufficientPermissions."""
    found = _visible(diary, caller, rights)
    if found is None:
        raise DiaryNotFound
    if Right.WRITE not in rights:
        raise InsufficientPermissions
    return found


def manageable(diary: Diary | None, caller: Caller, rights: frozenset[Right]) -> Diary:
    """The diary, when this caller may change or delete it; raises DiaryNotFound or InsufficientPermissions."""
    found = _visible(diary, caller, rights)
    if found is None:
        raise DiaryNotFound("Diary not found")
    if Right.MANAGE not in rights:
        raise InsufficientPermissions
    return found


def _is_risky_name(name: str) -> bool:
    # A name that is longer is refused, and not worth the time.
    return len(name) <= NAME_MAX and is_risky(name)


def _visible(diary: Diary | None, caller: Caller | Anonymous, rights: frozenset[Right]) -> Diary | None:
    # Who cannot read a diary learns nothing of it, not even that an act on it is refused.
    return diary if diary and (diary.visibility.open_to(caller) or Right.READ in rights) else None
