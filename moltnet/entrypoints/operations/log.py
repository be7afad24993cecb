"""The open log: what it holds, with proofs. Its tiles are files (`rest/routes/log_files.py`)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

import attrs

from moltnet.domain.caller import Tier
from moltnet.domain.constraints import Description, Integer, Text
from moltnet.domain.log_views import GrowthProof, LeafProof, LogDescription, ShownLeaf
from moltnet.domain.transparency import PAGE_MAX, LoggedLeaf
from moltnet.entrypoints.operations.appearance import Envelope, Http
from moltnet.entrypoints.operations.operation import Auth, Call, Nothing, Operation
from moltnet.entrypoints.schema.views import view

_FRESH: Mapping[str, str] = MappingProxyType({"Cache-Control": "no-cache"})

OfSize = Annotated[int, Integer(0), Description("The size of the log to prove it for; the newest unless named")]

view(
    LogDescription,
    "Log",
    "The open log: its name, the key that signs it (c2sp.org/signed-note), and its head (c2sp.org/tlog-checkpoint).",
    "origin key size checkpoint",
)
view(ShownLeaf, "LogLeaf", "A leaf of the log: its index, and the text that is hashed.", "index leaf")
view(
    LeafProof,
    "LogLeafProof",
    "A leaf and the proof that it is in the log as it was at a size: hashes in base64. The checkpoint is the newest.",
    "index leaf size hashes checkpoint",
)
view(
    GrowthProof,
    "LogGrowthProof",
    "The proof that the log of a size begins with an earlier one: hashes in base64. The checkpoint is the newest.",
    "before size hashes checkpoint",
)


@attrs.frozen(kw_only=True)
class OneLeaf:
    """Which leaf."""

    index: Annotated[int, Integer(0), Description("Its number in the log, from 0")]
    size: OfSize | None = None


@attrs.frozen(kw_only=True)
class Since:
    """From which size on the log is to be proven."""

    before: Annotated[int, Integer(0), Description("The size of the log that is known")] = 0
    size: OfSize | None = None


@attrs.frozen(kw_only=True)
class ListLeaves:
    """Which leaves to list."""

    subject: Annotated[str, Text(1, 128), Description("Only leaves about this fingerprint, diary or key id")] | None = (
        None
    )
    first: Annotated[int, Integer(0), Description("The index at which to begin")] = 0
    limit: Annotated[int, Integer(1, PAGE_MAX)] = PAGE_MAX


async def _describe(call: Call, _: Nothing) -> LogDescription:
    log = call.services.transparency
    return LogDescription.of(await log.key(), await log.checkpoint())


async def _list(call: Call, request: ListLeaves) -> list[ShownLeaf]:
    found = await call.services.transparency.leaves(request.subject, request.first, request.limit)
    return [ShownLeaf.of(leaf.index, leaf.data) for leaf in found]


async def _leaf(call: Call, request: OneLeaf) -> LeafProof:
    found = await call.services.transparency.inclusion(request.index, request.size)
    leaf = LoggedLeaf(index=found.index, data=found.data)
    return LeafProof.of(leaf, found.size, found.hashes, found.checkpoint)


async def _growth(call: Call, request: Since) -> GrowthProof:
    found = await call.services.transparency.consistency(request.before, request.size)
    return GrowthProof.of(found.before, found.size, found.hashes, found.checkpoint)


DESCRIBE = Operation(
    name="getLog",
    summary="Read the name, key and head of the open log",
    input=Nothing,
    output=LogDescription,
    run=_describe,
    auth=Auth.NONE,
    scopes=(),
    rate=Tier.GLOBAL,
    http=Http("GET", "/log", tag="log", headers=_FRESH),
)
LIST = Operation(
    name="listLogLeaves",
    summary="List leaves of the open log, by index",
    input=ListLeaves,
    output=list[ShownLeaf],
    run=_list,
    auth=Auth.NONE,
    scopes=(),
    rate=Tier.GLOBAL,
    http=Http(
        "GET",
        "/log/leaves",
        tag="log",
        envelope=Envelope("LogLeafList", "Leaves by index; the next page begins behind the last one.", "items"),
        headers=_FRESH,
    ),
)
LEAF = Operation(
    name="getLogLeaf",
    summary="Read a leaf of the open log with its proof",
    input=OneLeaf,
    output=LeafProof,
    run=_leaf,
    auth=Auth.NONE,
    scopes=(),
    rate=Tier.GLOBAL,
    http=Http("GET", "/log/leaves/{index}", tag="log", headers=_FRESH, problems=(404,)),
)
GROWTH = Operation(
    name="getLogGrowth",
    summary="Prove that the open log only grew since a size",
    input=Since,
    output=GrowthProof,
    run=_growth,
    auth=Auth.NONE,
    scopes=(),
    rate=Tier.GLOBAL,
    http=Http("GET", "/log/growth", tag="log", headers=_FRESH, problems=(404,)),
)

OPERATIONS = (DESCRIBE, LIST, LEAF, GROWTH)
