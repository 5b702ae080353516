/** Sessions: a sign-in, and the refresh tokens that prolong it, each good for one use; tokens are stored hashed. */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { AppError, notFound } from '../../runtime/errors.ts';
import { newId } from '../../runtime/ids.ts';
import type { Log } from '../../runtime/log.ts';
import type { Database } from '../../runtime/postgres.ts';
import type { Role } from '../user.ts';
import { openPruning } from './session-pruning.ts';
import * as sql from './session-statements.ts';
import { query } from './stored.ts';
import type { Identity } from './tokens.ts';
import type { Row } from './user-row.ts';

const LIFETIME_DAYS = 30;
/** A client that lost the answer asks again with the same token. */
const GRACE_SECONDS = 10;
/** As many as a client has that refreshes every four minutes for all 30 days; one that has more only fills the store. */
const MOST_REFRESHES = 10_000;
const MOST_SESSIONS = 50;
const MOST_ADDRESSES = 20;

const TOKEN = /^[\w-]{43}$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** As tokens are stored. */
export const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();

/** 256 random bits, as text. */
export const newSecret = (): string => randomBytes(32).toString('base64url');

const successorOf = (token: string, salt: Buffer): string =>
  createHmac('sha256', salt).update(token).digest('base64url');

const unauthenticated = (slug: string, message: string): AppError => new AppError('unauthenticated', slug, message);
const sessionEnded = (): AppError => unauthenticated('session-ended', 'The session has ended; sign in again');

export type Session = { readonly identity: Identity; readonly refreshToken: string; readonly expiresAt: Date };

type Refreshed = {
  readonly session_id: string;
  readonly user_id: string;
  readonly role: Role;
  readonly expires_at: Date;
  readonly verdict: 'fresh' | 'repeat' | 'reused' | 'worn' | 'ended';
};

export type Sessions = {
  /** undefined when the account is not any more as it was when its password was checked. */
  open(user: Row, network: string | undefined): Promise<Session | undefined>;
  /** Throws `unauthenticated`: `invalid-refresh-token`, `refresh-token-reused`, `session-ended`. */
  refresh(token: string): Promise<Session>;
  /** The user's role as it is now. Throws `session-ended`. */
  check(identity: Identity): Promise<Role>;
  /** Throws `session-not-found`. */
  revoke(userId: string, sessionId: string): Promise<void>;
};

export function openSessions(database: Database, log: Log): Sessions {
  const prune = openPruning(database, log, MOST_REFRESHES);
  const invalidToken = () => unauthenticated('invalid-refresh-token', 'This is not a refresh token of this shop');

  return {
    async open(user, network) {
      const sessionId = newId();
      const refreshToken = newSecret();
      const [opened] = await query<{ role: Role; expires_at: Date }>(database, sql.OPEN, [
        user.user_id,
        user.password_hash,
        sessionId,
        randomBytes(32),
        hashOf(refreshToken),
        `${LIFETIME_DAYS} days`,
        MOST_SESSIONS - 1,
        network ? hashOf(network) : null,
        MOST_ADDRESSES - 1,
      ]);
      if (!opened) return undefined;
      prune();
      const identity = { userId: user.user_id, role: opened.role, sessionId };
      return { identity, refreshToken, expiresAt: opened.expires_at };
    },

    async refresh(token) {
      if (!TOKEN.test(token)) throw invalidToken();
      const hash = hashOf(token);
      const [found] = await query<{ salt: Buffer }>(database, sql.SALT, [hash]);
      if (!found) throw invalidToken();
      const next = successorOf(token, found.salt);
      const values = [hash, hashOf(next), `${GRACE_SECONDS} seconds`, MOST_REFRESHES];
      const [refreshed] = await query<Refreshed>(database, sql.REFRESH, values);
      if (!refreshed) throw invalidToken();
      const { user_id: userId, session_id: sessionId, role, expires_at: expiresAt, verdict } = refreshed;
      if (verdict === 'ended' || verdict === 'worn') throw sessionEnded();
      if (verdict === 'reused') {
        log.warn({ session: sessionId, user: userId }, 'a refresh token was used again; its session is ended');
        throw unauthenticated('refresh-token-reused', 'This refresh token was used before; sign in again');
      }
      return { identity: { userId, role, sessionId }, refreshToken: next, expiresAt };
    },

    async check({ userId, sessionId }) {
      const [alive] = await query<{ role: Role }>(database, sql.CHECK, [sessionId, userId]);
      if (!alive) throw sessionEnded();
      return alive.role;
    },

    async revoke(userId, sessionId) {
      const known = UUID.test(sessionId) ? await query(database, sql.REVOKE, [sessionId, userId]) : [];
      if (known.length === 0) throw notFound('session-not-found', 'You have no such session');
    },
  };
}
