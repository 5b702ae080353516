/** The statements of sessions. Each is atomic; what two of them lock, they lock in the same order: user, token, session. */

/**
 * Opens the session of a user whose password was checked: not when the user was suspended or the password changed meanwhile.
 * Ends the oldest sessions over the limit, and remembers the address.
 */
export const OPEN = {
  name: 'session-open',
  text: `with account as (
      select user_id, role from users where user_id = $1 and password_hash = $2 and suspended_at is null for share
    ), session as (
      insert into sessions (session_id, user_id, salt, created_at, expires_at)
      select $3::uuid, user_id, $4::bytea, now(), now() + $6::interval from account
      returning expires_at
    ), token as (
      insert into refresh_tokens (token_hash, session_id) select $5::bytea, $3::uuid from session
    ), oldest as (
      select session_id from sessions where user_id = $1 and revoked_at is null and expires_at > now()
      order by created_at desc, session_id desc offset $7::integer
    ), surplus as (
      update sessions set revoked_at = now() where session_id in (
        select session_id from sessions where session_id in (select session_id from oldest) for update skip locked)
    ), address as (
      insert into known_addresses (user_id, address_hash, last_used_at)
      select user_id, $8::bytea, now() from account where $8::bytea is not null
      on conflict (user_id, address_hash) do update set last_used_at = now()
    ), older as (
      select address_hash from known_addresses where user_id = $1 and address_hash <> $8::bytea
      order by last_used_at desc, address_hash offset $9::integer
    ), forgotten as (
      delete from known_addresses where (user_id, address_hash) in (
        select user_id, address_hash from known_addresses
        where user_id = $1 and address_hash in (select address_hash from older) for update skip locked)
    )
    select role, expires_at from account, session`,
};

export const SALT = {
  name: 'session-salt',
  text: 'select salt from refresh_tokens join sessions using (session_id) where token_hash = $1',
};

/** Judges a refresh token, and stores its successor or ends the session. Whoever comes second waits, and then sees it used. */
export const REFRESH = {
  name: 'session-refresh',
  text: `with token as (
      select token_hash, used_at, session_id, user_id, role, expires_at, revoked_at, suspended_at, refreshes
      from refresh_tokens join sessions using (session_id) join users using (user_id)
      where token_hash = $1 for update of refresh_tokens, sessions
    ), judged as (
      select *, case
        when revoked_at is not null or suspended_at is not null or expires_at <= now() then 'ended'
        when used_at is null and refreshes >= $4 then 'worn'
        when used_at is null then 'fresh'
        when used_at > now() - $3::interval
          and not exists (select from refresh_tokens where token_hash = $2 and used_at is not null) then 'repeat'
        else 'reused' end as verdict
      from token
    ), used as (
      update refresh_tokens set used_at = now()
      where token_hash in (select token_hash from judged where verdict = 'fresh')
    ), next as (
      insert into refresh_tokens (token_hash, session_id) select $2::bytea, session_id from judged where verdict = 'fresh'
    ), counted as (
      update sessions set refreshes = refreshes + 1
      where session_id in (select session_id from judged where verdict = 'fresh')
    ), ended as (
      update sessions set revoked_at = now()
      where session_id in (select session_id from judged where verdict in ('reused', 'worn'))
    )
    select session_id, user_id, role, expires_at, verdict from judged`,
};

export const CHECK = {
  name: 'session-check',
  text: `select role from sessions join users using (user_id)
    where session_id = $1 and user_id = $2 and revoked_at is null and expires_at > now() and suspended_at is null`,
};

export const REVOKE = {
  name: 'session-revoke',
  text: `update sessions set revoked_at = coalesce(revoked_at, now()) where session_id = $1 and user_id = $2
    returning session_id`,
};

/** Removes some tokens of sessions that expired long ago; the sessions are chosen first, so that their index is used. */
export const PRUNE_TOKENS = {
  name: 'session-prune-tokens',
  text: `delete from refresh_tokens where ctid in (
      select ctid from refresh_tokens where session_id = any(array(
        select session_id from sessions where expires_at < now() - interval '1 day' order by expires_at limit 100))
      limit $1 for update skip locked)
    returning session_id`,
};

/** Removes some sessions that expired long ago and have no tokens left. */
export const PRUNE_SESSIONS = {
  name: 'session-prune',
  text: `delete from sessions where session_id in (
      select session_id from sessions where expires_at < now() - interval '1 day'
        and not exists (select from refresh_tokens where refresh_tokens.session_id = sessions.session_id)
      order by expires_at limit $1 for update skip locked)`,
};

/** Ends all sessions of a user but the one given; null for none. For use after the user's row is changed, in its transaction. */
export const REVOKE_ALL = {
  name: 'session-revoke-all',
  text: `update sessions set revoked_at = now()
    where user_id = $1 and revoked_at is null and session_id is distinct from $2::uuid`,
};
