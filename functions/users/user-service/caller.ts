/**
 * Metadata of a call → who calls: a user, by an access token, or else one of the functions that an rpc is for. Without mTLS
 * a function's name is only claimed, by whoever reaches the port: it must be in a private network.
 */
import { callersOf } from '../../gen/callers.ts';
import { AppError } from '../../runtime/errors.ts';
import type { Call } from '../../runtime/grpc.ts';
import type { Sessions } from './sessions.ts';
import type { Identity, Tokens } from './tokens.ts';

type Metadata = Pick<Call, 'metadata'>;

const noToken = (): AppError =>
  new AppError('unauthenticated', 'no-token', 'Sign in first; send the access token as authorization: Bearer <token>');
const wrongRole = (): AppError => new AppError('forbidden', 'wrong-role', 'This is for staff');
/** Throws `wrong-caller` for users, and for functions that do not declare that they call this method. */
function onlyFunctions(method: 'GetUser' | 'BatchGetUsers' | 'CreateLinkToken', { metadata }: Metadata): void {
  const names = callersOf['user-service']?.[method] ?? [];
  if (metadata.authorization === undefined && names.includes(metadata['millrace-function'] ?? '')) return;
  const message = `This is for ${names.join(' and ')}, which name themselves in millrace-function and call without a token`;
  throw new AppError('forbidden', 'wrong-caller', message);
}

export type Callers = {
  /** The user of the token, whose session may have ended. Throws `no-token`, `token-expired`, `invalid-token`. */
  signedIn(call: Metadata): Promise<Identity>;
  /** The user, with the role as it is now. Throws what `signedIn` throws, and `session-ended`. */
  user(call: Metadata): Promise<Identity>;
  /** Throws what `user` throws, and `wrong-role`. */
  staff(call: Metadata): Promise<Identity>;
  /** The user, or undefined for a function that reads users. Throws what `user` and `reader` throw, but `no-token`. */
  userOrReader(call: Metadata): Promise<Identity | undefined>;
  /** Throws `wrong-caller`. */
  reader(call: Metadata): void;
  /** Throws `wrong-caller`. */
  linkSender(call: Metadata): void;
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
    async userOrReader(call) {
      if (call.metadata.authorization !== undefined) return user(call);
      onlyFunctions('GetUser', call);
      return undefined;
    },
    reader: (call) => onlyFunctions('BatchGetUsers', call),
    linkSender: (call) => onlyFunctions('CreateLinkToken', call),
  };
}
