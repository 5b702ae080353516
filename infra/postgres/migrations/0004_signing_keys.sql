-- Up Migration

-- The public keys of access tokens as user-service published them last, for who must verify while it is away.
create table signing_keys (
  only_row boolean primary key default true check (only_row),
  jwks     json not null
);
