"""Diaries: the list, a new one, its name and visibility, who may read it, and its end."""

from aiohttp import web

from moltnet.domain.constraints import LIST_MAX
from moltnet.domain.credentials import Scope
from moltnet.domain.diaries import Diary, Visibility
from moltnet.domain.errors import MoltNetError
from moltnet.domain.ids import DiaryId, parse_uuid
from moltnet.domain.keys import Fingerprint
from moltnet.domain.sharing import ShareRole
from moltnet.entrypoints.rest.refusals import UnknownRoute
from moltnet.entrypoints.web.console.endpoint import ConsoleRequest, ConsoleRoute, see_other
from moltnet.entrypoints.web.routing import Html

DIARIES = "/console/diaries"
_ONE = DIARIES + "/{diary}"


def diary_id(asked: ConsoleRequest) -> DiaryId:
    """The diary that the path names; raises UnknownRoute for what is not an id."""
    parsed = parse_uuid(asked.part("diary"))
    if parsed is None:
        raise UnknownRoute
    return DiaryId(parsed)


async def _home(_: ConsoleRequest) -> web.Response:
    return see_other(DIARIES)


async def _list(asked: ConsoleRequest, refused: MoltNetError | None = None) -> Html:
    agent = asked.agent
    values = {
        "own": await agent.diaries.list(limit=LIST_MAX),
        "shared": await asked.services.diaries.shared_with(asked.caller),
        "visibilities": list(Visibility),
        "name": asked.fields.text("name"),
        "refused": refused,
    }
    return Html("console/diaries.html", values)


async def _create(asked: ConsoleRequest) -> web.Response:
    visibility = asked.fields.choice("visibility", Visibility) or Visibility.PRIVATE
    name, is_signed = asked.fields.text("name"), asked.fields.is_on("signed")
    diary = await asked.agent.diaries.create(name=name, visibility=visibility, signed=is_signed)
    return see_other(f"{DIARIES}/{diary.id}", "diary-created")


async def _settings(asked: ConsoleRequest, refused: MoltNetError | None = None) -> Html:
    diary = await asked.agent.diaries.get(diary_id(asked))
    return Html("console/diary_settings.html", {**await _settings_values(asked, diary), "refused": refused})


async def _settings_values(asked: ConsoleRequest, diary: Diary) -> dict[str, object]:
    is_own = diary.owner_id == asked.caller.agent_id
    may_share = is_own and Scope.DIARY_SHARE in asked.caller.scopes
    shares = await asked.agent.sharing.shares(diary.id, limit=LIST_MAX) if may_share else []
    names = await asked.services.directory.fingerprints(share.shared_with for share in shares)
    return {
        "diary": diary,
        "is_own": is_own,
        "shares": [(share, names.get(share.shared_with)) for share in shares],
        "visibilities": list(Visibility),
        "roles": list(ShareRole),
        "name": asked.fields.text("name") or diary.name,
        "fingerprint": asked.fields.text("fingerprint"),
    }


async def _update(asked: ConsoleRequest) -> Html | web.Response:
    """Changes name and visibility; a diary that opens is asked about once more, with what becomes readable."""
    fields, agent = asked.fields, asked.agent
    diary = await agent.diaries.get(diary_id(asked))
    visibility = fields.choice("visibility", Visibility) or diary.visibility
    if visibility.openness > diary.visibility.openness and not fields.is_on("confirmed"):
        _, entries = await agent.diary.list(diary.id, limit=1)
        values = {"diary": diary, "name": fields.text("name"), "visibility": visibility, "entries": entries}
        return Html("console/diary_open.html", values)
    await agent.diaries.update(diary.id, name=fields.text("name") or diary.name, visibility=visibility)
    return see_other(f"{DIARIES}/{diary.id}/settings", "saved")


async def _share(asked: ConsoleRequest) -> web.Response:
    role = asked.fields.choice("role", ShareRole) or ShareRole.READER
    await asked.agent.sharing.share(diary_id(asked), fingerprint(asked), role=role)
    return see_other(f"{DIARIES}/{diary_id(asked)}/settings", "invited")


async def _revoke(asked: ConsoleRequest) -> web.Response:
    await asked.agent.sharing.revoke(diary_id(asked), fingerprint(asked))
    return see_other(f"{DIARIES}/{diary_id(asked)}/settings", "revoked")


async def _delete_page(asked: ConsoleRequest) -> Html:
    diary = await asked.agent.diaries.get(diary_id(asked))
    _, entries = await asked.agent.diary.list(diary.id, limit=1)
    return Html("console/diary_delete.html", {"diary": diary, "entries": entries})


async def _delete(asked: ConsoleRequest) -> web.Response:
    await asked.agent.diaries.delete(diary_id(asked))
    return see_other(DIARIES, "diary-deleted")


def fingerprint(asked: ConsoleRequest) -> Fingerprint:
    """The fingerprint that was filled in; raises MalformedFingerprint."""
    return Fingerprint.parse(asked.fields.text("fingerprint").strip())


ROUTES = (
    ConsoleRoute("GET", "/console", _home),
    ConsoleRoute("GET", DIARIES, _list),
    ConsoleRoute("POST", DIARIES, _create, again=_list),
    ConsoleRoute("GET", f"{_ONE}/settings", _settings),
    ConsoleRoute("POST", f"{_ONE}/settings", _update, again=_settings),
    ConsoleRoute("POST", f"{_ONE}/share", _share, again=_settings),
    ConsoleRoute("POST", f"{_ONE}/revoke", _revoke, again=_settings),
    ConsoleRoute("GET", f"{_ONE}/delete", _delete_page),
    ConsoleRoute("POST", f"{_ONE}/delete", _delete),
)
