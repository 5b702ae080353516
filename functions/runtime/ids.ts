/** Ids: UUIDv7 for what is new, and UUIDv8 from a name where the same request must always meet the same thing. */
import { createHash, randomBytes } from 'node:crypto';

const format = (bytes: Buffer, version: number): string => {
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | (version << 4), 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
};

/** A new UUIDv7 (RFC 9562): sorts by time of creation, to the millisecond. */
export function newId(now: number = Date.now()): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(now, 0, 6);
  return format(bytes, 7);
}

/** The UUIDv8 (RFC 9562) of a name: the same parts always give the same id, other parts another one. */
export function nameId(...parts: readonly string[]): string {
  const hash = createHash('sha256').update(JSON.stringify(parts)).digest();
  return format(hash.subarray(0, 16), 8);
}
