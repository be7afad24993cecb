-- Which invitation of its pair a share is, so that an answer is to the one that was read; and how often an agent has
-- said no to an owner lately.

alter table diary_shares add column invitation integer not null default 1;

create table invitation_refusals (
    owner_id   uuid not null constraint invitation_refusals_owner_id_fkey references agent_keys on delete cascade,
    agent_id   uuid not null constraint invitation_refusals_agent_id_fkey references agent_keys on delete cascade,
    refusals   integer not null,
    refused_at timestamptz not null,
    constraint invitation_refusals_pkey primary key (owner_id, agent_id)
);

-- For the removal of an agent.
create index invitation_refusals_agent on invitation_refusals (agent_id);
