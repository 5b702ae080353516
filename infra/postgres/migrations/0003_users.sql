-- Up Migration

alter table users add column name text not null default '';
alter table users add column email_verified_at timestamptz;
alter table users add column suspended_at timestamptz;
alter table users add column suspension_reason text;
create index users_newest on users (created_at desc, user_id desc);

-- A sign-in and all that is refreshed from it, until it is revoked or expires.
create table sessions (
  session_id uuid primary key,
  user_id    uuid not null references users,
  -- From it and a refresh token the next token is derived, so that a repeat gives the same one.
  salt       bytea not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  -- As many refresh tokens it has beyond its first.
  refreshes  integer not null default 0
);
create index sessions_of_user on sessions (user_id) where revoked_at is null;
create index sessions_expires_at on sessions (expires_at);

-- Every refresh token of a session, hashed; one that is used a second time was stolen or lost. A session is removed after
-- its tokens: a cascade would remove any number of them at once.
create table refresh_tokens (
  token_hash bytea primary key,
  session_id uuid not null references sessions,
  used_at    timestamptz
);
create index refresh_tokens_of_session on refresh_tokens (session_id);

-- The newest token that a mail carries, hashed, a user and purpose.
create table link_tokens (
  user_id    uuid not null references users,
  purpose    text not null check (purpose in ('verify-email', 'reset-password')),
  token_hash bytea not null unique,
  expires_at timestamptz not null,
  primary key (user_id, purpose)
);

-- Attempts, a window of time and key; keys are hashes of accounts and addresses. Lost in a crash, and no harm done.
create unlogged table attempts (
  window_start timestamptz not null,
  key          bytea not null,
  count        integer not null,
  primary key (window_start, key)
);

-- From where a user has signed in: there the user is not held up by what others try from elsewhere.
create table known_addresses (
  user_id      uuid not null references users,
  address_hash bytea not null,
  last_used_at timestamptz not null,
  primary key (user_id, address_hash)
);
