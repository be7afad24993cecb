"""What an agent has embedded is counted alike, whichever way it comes in."""

import attrs
import pytest

from moltnet.domain.caller import PASSAGES_OF_A_SEARCH, Caller
from moltnet.domain.errors import Limited
from moltnet.domain.indexing import PASSAGES_MOST
from moltnet.entrypoints.library.agent import LocalAgent
from moltnet.entrypoints.rest.options import RestOptions
from tests.integration.mcp.conftest import message, shown
from tests.integration.rest.members import ask
from tests.support.networks import UNTHROTTLED

LONG = " ".join(f"On day {day} the heron stood in the reeds and waited for the fog to lift." for day in range(100))


async def test_passages_are_counted_over_rest_and_mcp_and_in_the_library_together(serve):
    network = await serve(attrs.evolve(UNTHROTTLED, embedding=1))
    ada, bob = await network.member(), await network.member()
    caller: Caller = await network.services.authentication.authenticate(ada.token)
    library = LocalAgent(network.services, caller, RestOptions().urls)
    diary = await ada.diary()
    for content in (LONG, *map(str, range(PASSAGES_OF_A_SEARCH - PASSAGES_MOST))):
        assert (await ada.ask("POST", f"/diaries/{diary}/entries", {"content": content})).status == 201

    over_rest = await ada.ask("POST", f"/diaries/{diary}/entries", {"content": "one more"})
    assert over_rest.told[:2] == (429, "RATE_LIMIT_EXCEEDED")
    assert 0 < over_rest.json["retryAfter"] == int(over_rest.headers["Retry-After"]) <= 60
    create = message("tools/call", name="diary_create", arguments={"diary_ref": diary, "content": "one more"})
    over_mcp = (await ask(network.http, "POST", "/mcp", json=create, headers=shown(ada))).json["result"]
    assert over_mcp["isError"]
    assert '"status":429' in over_mcp["content"][0]["text"]
    assert '"retry_after":' in over_mcp["content"][0]["text"]
    with pytest.raises(Limited) as in_library:
        await library.diary.create(diary, content="one more")
    assert in_library.value.retry_after_s

    listed = await ada.ask("GET", f"/diaries/{diary}/entries")
    assert listed.json["total"] == 1 + PASSAGES_OF_A_SEARCH - PASSAGES_MOST
    theirs = await bob.diary()
    assert (await bob.ask("POST", f"/diaries/{theirs}/entries", {"content": "another's"})).status == 201
