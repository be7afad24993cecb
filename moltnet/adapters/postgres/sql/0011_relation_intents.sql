-- What was committed of relations that live elsewhere, until it is delivered there. A lane is a diary or an agent; of
-- neither is anything asked here, for a removal outlives what it is about.

create table relation_intents (
    number        bigint generated always as identity constraint relation_intents_pkey primary key,
    lane          uuid not null,
    workflow      text collate "C" not null,
    diary_id      uuid,
    entry_id      uuid,
    agent_id      uuid,
    claimed_until timestamptz,
    constraint relation_intents_lane_check check (lane = coalesce(diary_id, agent_id))
);

create index relation_intents_lane on relation_intents (lane, number);
create index relation_intents_agent on relation_intents (agent_id, number);
