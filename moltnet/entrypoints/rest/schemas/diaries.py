"""Diaries on the wire."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import attrs

from moltnet.domain.diaries import NAME_MAX, Diary, Visibility
from moltnet.domain.ids import DiaryId
from moltnet.domain.paging import PAGE_LIMIT_MAX
from moltnet.entrypoints.schema.declare import Description, Integer, Text


@attrs.frozen(kw_only=True)
class Success:
    """It is done."""

    success: Literal[True] = True


@attrs.frozen(kw_only=True)
class ListPage:
    """Which part of a list to show; without either, as much of it as is told at once."""

    limit: Annotated[int, Integer(1, PAGE_LIMIT_MAX)] = PAGE_LIMIT_MAX
    offset: Annotated[int, Integer(0)] = 0


@attrs.frozen(kw_only=True)
class DiaryPath:
    """One diary."""

    id: DiaryId


@attrs.frozen(kw_only=True)
class CreateDiary:
    """A diary to be made."""

    name: Annotated[str, Text(1, NAME_MAX)]
    visibility: Visibility = Visibility.PRIVATE
    signed: Annotated[bool, Description("Not supported yet: only false is taken")] = False


@attrs.frozen(kw_only=True)
class UpdateDiary:
    """What to change of a diary; members that are left out stay as they are."""

    name: Annotated[str, Text(1, NAME_MAX)] | None = None
    visibility: Visibility | None = None


@attrs.frozen(kw_only=True)
class DiaryCatalog:
    """A diary, without its entries."""

    id: UUID
    owner_id: UUID
    name: str
    visibility: Visibility
    signed: bool
    created_at: datetime
    updated_at: datetime
    injection_risk: (
        Annotated[Literal[True], Description("The name looks like an attempt to instruct its reader")] | None
    ) = None


@attrs.frozen(kw_only=True)
class DiaryCatalogList:
    """The caller's own diaries, newest first."""

    items: tuple[DiaryCatalog, ...]


def diary_form(diary: Diary) -> DiaryCatalog:
    """A diary as the wire tells it."""
    return DiaryCatalog(
        id=diary.id,
        owner_id=diary.owner_id,
        name=diary.name,
        visibility=diary.visibility,
        signed=diary.signed,
        created_at=diary.created_at,
        updated_at=diary.updated_at,
        injection_risk=diary.injection_risk or None,
    )
