"""The identity schema of agents: on Ory Network its id is a hash of its content, so it is found by its `$id`."""

from typing import Any

from ory_client import IdentityApi

from moltnet.adapters.ory.service import OryMisconfigured, OryService, malformed

MARK = "agent"


class AgentSchema:
    """Finds the schema once, and keeps its id."""

    def __init__(self, public: OryService) -> None:
        self._public = public
        self._id: str | None = None

    async def id(self) -> str:
        """The schema's id in Kratos. Raises OryMisconfigured when there is no schema of agents."""
        if self._id is None:
            self._id = str((await self.find())["id"])
        return self._id

    def forget(self) -> None:
        """Lets the schema be found again: another release of it may have taken its place."""
        self._id = None

    async def find(self) -> dict[str, Any]:
        """The first schema whose `$id` names agents, with its `id` and its `schema`. Raises OryMisconfigured."""
        for each in await self.list_all():
            if isinstance(each, dict) and each.get("id") and MARK in _name(each.get("schema")):
                return each
        raise OryMisconfigured(
            f"Kratos has no identity schema whose $id contains {MARK!r}: add deploy/ory/kratos/agent.schema.json to it"
        )

    async def list_all(self) -> list[Any]:
        """All identity schemas."""
        reply = await self._public.call(
            "list identity schemas",
            lambda client, timeout: IdentityApi(client).list_identity_schemas_without_preload_content(
                page_size=250, _request_timeout=timeout
            ),
            {200},
        )
        list_all = reply.json()
        if not isinstance(list_all, list):
            raise malformed(self._public, "list identity schemas")
        return list_all


def _name(schema: Any) -> str:
    return str(schema.get("$id", "")) if isinstance(schema, dict) else ""
