-- Tokens of another service do not say which secret they were given for, only when. Of the clients there are, only
-- that their secrets are no younger than this is known.

alter table oauth_clients add column secret_since timestamptz not null default now();
