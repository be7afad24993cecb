-- Whether anybody has used a client: as long as nobody has, a registration that is repeated gets its credentials again.
-- Clients from before this file have been told; nobody is to get theirs by repeating.

alter table oauth_clients add column used boolean not null default true;
alter table oauth_clients alter column used drop default;

-- Vouchers nobody came in on are forgotten some time after they expired.
create index agent_vouchers_expiry on agent_vouchers (expires_at) where redeemed_by is null;
