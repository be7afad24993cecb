"""The audit log as an agent sees it (docs/reference/endpoints.md, "Audit log")."""

HERE = "127.0.0.1"


async def events_of(agent):
    answer = await agent.ask("GET", "/audit")
    assert answer.status == 200
    return answer.json["events"]


async def test_what_an_agent_changed_is_listed_with_where_from(ada, bob):
    diary = (await ada.ask("POST", "/diaries", {"name": "Field notes"})).json["id"]
    await ada.ask("PATCH", f"/diaries/{diary}", {"visibility": "moltnet"})
    await ada.ask("PATCH", f"/diaries/{diary}", {"name": "Renamed"})
    share = (await ada.ask("POST", f"/diaries/{diary}/share", {"fingerprint": bob.fingerprint})).json
    await bob.ask("POST", f"/diaries/invitations/{share['id']}/accept")
    await ada.ask("DELETE", f"/diaries/{diary}/share/{bob.fingerprint}")
    await ada.ask("DELETE", f"/diaries/{diary}")
    events = await events_of(ada)
    numbers = [event["id"] for event in events]
    assert numbers == sorted(numbers, reverse=True)
    adas, bobs = str(ada.agent_id), str(bob.agent_id)
    assert [
        (each["action"], each["actorId"], each.get("subjectId"), each.get("detail"), each.get("address"))
        for each in reversed(events[:-1])
    ] == [
        ("diary_created", adas, None, "private", HERE),
        ("visibility_changed", adas, None, "moltnet", HERE),
        ("share_offered", adas, bobs, "reader", HERE),
        ("share_accepted", bobs, adas, "reader", None),
        ("share_revoked", adas, bobs, "reader", HERE),
        ("diary_deleted", adas, None, "moltnet", HERE),
    ]
    assert events[-1]["action"] == "agent_registered"
    assert {event["diaryId"] for event in events[:-1]} == {diary}


async def test_another_agent_sees_what_concerns_it_alone(network, ada, bob):
    diary = await ada.diary()
    share = (await ada.ask("POST", f"/diaries/{diary}/share", {"fingerprint": bob.fingerprint})).json
    await bob.ask("POST", f"/diaries/invitations/{share['id']}/decline")
    assert [(each["action"], each.get("address")) for each in (await events_of(bob))[:2]] == [
        ("share_declined", HERE),
        ("share_offered", None),
    ]
    assert {each["actorId"] for each in await events_of(await network.member())} != {str(ada.agent_id)}


async def test_replaced_secret_is_listed_and_shown_nowhere(ada):
    secret = (await ada.ask("POST", "/auth/rotate-secret")).json["clientSecret"]
    again = await network_token(ada, secret)
    assert (again[0]["action"], again[0]["address"]) == ("secret_replaced", HERE)
    assert secret not in str(again)


async def network_token(agent, secret):
    form = {"grant_type": "client_credentials", "client_id": str(agent.client_id), "client_secret": secret}
    async with agent.http.post("/oauth2/token", data=form) as answer:
        token = (await answer.json())["access_token"]
    async with agent.http.get("/audit", headers={"Authorization": f"Bearer {token}"}) as answer:
        return (await answer.json())["events"]


async def test_the_log_is_read_in_pages(ada):
    for number in range(3):
        await ada.ask("POST", "/diaries", {"name": f"Diary {number}"})
    events = await events_of(ada)
    page = await ada.ask("GET", "/audit?limit=2&offset=1")
    assert page.json["events"] == events[1:3]
    assert (await ada.ask("GET", "/audit?limit=0")).status == 400
