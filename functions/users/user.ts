/** A user in Millrace's own words, to and from the protobuf of users.proto. */
import { Role as WireRole, type User as WireUser } from '../gen/millrace/users/v1/users.ts';

export type Role = 'customer' | 'staff';

/** Times are RFC 3339 in UTC. `name` is empty when the user gave none. */
export type User = {
  readonly userId: string;
  readonly email: string;
  readonly name: string;
  readonly role: Role;
  readonly createdAt: string;
  readonly emailVerifiedAt: string | null;
  readonly suspendedAt: string | null;
};

const WIRE_ROLES = { customer: WireRole.ROLE_CUSTOMER, staff: WireRole.ROLE_STAFF } as const;

export const toWireRole = (role: Role): WireRole => WIRE_ROLES[role];

/** Throws for a role that this version does not know: better no answer than more rights than meant. */
export function fromWireRole(wire: WireRole): Role {
  if (wire === WireRole.ROLE_CUSTOMER) return 'customer';
  if (wire === WireRole.ROLE_STAFF) return 'staff';
  throw new Error(`user-service answered with the unknown role ${wire}`);
}

const toWireTime = (time: string | null): Date | undefined => (time === null ? undefined : new Date(time));

export const toWireUser = ({ role, createdAt, emailVerifiedAt, suspendedAt, ...user }: User): WireUser => ({
  ...user,
  role: toWireRole(role),
  createdAt: new Date(createdAt),
  emailVerifiedAt: toWireTime(emailVerifiedAt),
  suspendedAt: toWireTime(suspendedAt),
});

/** A time of an answer, as RFC 3339. */
export function fromWireTime(time: Date | undefined): string {
  if (!time) throw new Error('user-service left a time out of its answer');
  return time.toISOString();
}

export function fromWireUser(wire: WireUser | undefined): User {
  if (!wire) throw new Error('user-service left the user out of its answer');
  const { userId, email, name, role, createdAt, emailVerifiedAt, suspendedAt } = wire;
  return {
    userId,
    email,
    name,
    role: fromWireRole(role),
    createdAt: fromWireTime(createdAt),
    emailVerifiedAt: emailVerifiedAt?.toISOString() ?? null,
    suspendedAt: suspendedAt?.toISOString() ?? null,
  };
}
