/**
 * Metadata of a call → who calls: a user, by an access token, or else a function. Without mTLS whoever reaches the port
 * passes for a function: it must be in a private network.
 */
import { AppError } from '../../runtime/errors.ts';
import type { Call } from '../../runtime/grpc.ts';
import type { Sessions } from './sessions.ts';
import type { Identity, Tokens } from './tokens.ts';

type Metadata = Pick<Call, 'metadata'>;

const noToken = (): AppError =>
  new AppError('unauthenticated', 'no-token', 'Sign in first; send the access token as authorization: Bearer <token>');
const wrongRole = (): AppError => new AppError('forbidden', 'wrong-role', 'This is for staff');
const wrongCaller = (): AppError =>
  new AppError('forbidden', 'wrong-caller', 'This is for functions, which call without an access token');

export type Callers = {
  /** The user of the token, whose session may have ended. Throws `no-token`, `token-expired`, `invalid-token`. */
  signedIn(call: Metadata): Promise<Identity>;
  /** The user, with the role as it is now. Throws what `signedIn` throws, and `session-ended`. */
  user(call: Metadata): Promise<Identity>;
  /** Throws what `user` throws, and `wrong-role`. */
  staff(call: Metadata): Promise<Identity>;
  /** The user, or undefined for a function. Throws what `user` throws but `no-token`. */
  userOrFunction(call: Metadata): Promise<Identity | undefined>;
  /** Throws `wrong-caller`. */
  onlyFunction(call: Metadata): void;
};

export function openCallers(tokens: Tokens, sessions: Sessions): Callers {
  const signedIn: Callers['signedIn'] = async ({ metadata }) => {
    if (metadata.authorization === undefined) throw noToken();
    // What is no bearer token is none of this shop's tokens either.
    const [, token = ''] = /^bearer +(.*)$/is.exec(metadata.authorization) ?? [];
    const { userId, role, sessionId } = await tokens.verify(token);
    return { userId, role, sessionId };
  };
  const user: Callers['user'] = async (call) => {
    const identity = await signedIn(call);
    return { ...identity, role: await sessions.check(identity) };
  };

  return {
    signedIn,
    user,
    async staff(call) {
      const identity = await user(call);
      if (identity.role !== 'staff') throw wrongRole();
      return identity;
    },
    userOrFunction: async (call) => (call.metadata.authorization === undefined ? undefined : user(call)),
    onlyFunction({ metadata }) {
      if (metadata.authorization !== undefined) throw wrongCaller();
    },
  };
}
