/** Certificate authorities of a test's own, and certificates that they sign: X.509 written by hand, P-256 keys. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

const der = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(parts);
  const length = body.length < 128 ? [body.length] : [0x82, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
};
const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const bits = (bytes: Uint8Array): Buffer => der(0x03, Buffer.from([0]), bytes);
const time = (date: Date): Buffer => der(0x18, Buffer.from(date.toISOString().replace(/[-:T]|\.\d+/g, '')));

const ECDSA_SHA256 = sequence(oid('2a8648ce3d040302'));
const COMMON_NAME = oid('550403');
const BASIC_CONSTRAINTS = oid('551d13');
const ALTERNATIVE_NAME = oid('551d11');
const TRUE = der(0x01, Buffer.from([0xff]));

const nameOf = (commonName: string): Buffer =>
  sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from(commonName)))));
const pem = (bytes: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${bytes.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;

type Subject = {
  readonly name: string;
  readonly key: KeyObject;
  readonly extension: Buffer;
  readonly notAfter: Date;
};

function certificate(subject: Subject, issuer: { readonly name: string; readonly key: KeyObject }): string {
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1]), randomBytes(8)),
    ECDSA_SHA256,
    nameOf(issuer.name),
    sequence(time(new Date(Date.now() - 86_400_000)), time(subject.notAfter)),
    nameOf(subject.name),
    subject.key.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(subject.extension)),
  );
  return pem(sequence(body, ECDSA_SHA256, bits(sign('sha256', body, issuer.key))));
}

export type Identity = { readonly cert: string; readonly key: string };
export type Authority = {
  readonly ca: string;
  /** A certificate for the common name, good as a server on localhost too. */
  issue(name: string, notAfter?: Date): Identity;
};

const tomorrow = (): Date => new Date(Date.now() + 86_400_000);

export function newAuthority(): Authority {
  const name = `CA ${randomBytes(4).toString('hex')}`;
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const isAuthority = sequence(BASIC_CONSTRAINTS, TRUE, der(0x04, sequence(TRUE)));
  const issuer = { name, key: privateKey };
  return {
    ca: certificate({ name, key: publicKey, extension: isAuthority, notAfter: tomorrow() }, issuer),
    issue(commonName, notAfter = tomorrow()) {
      const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const localhost = sequence(ALTERNATIVE_NAME, der(0x04, sequence(der(0x82, Buffer.from('localhost')))));
      return {
        cert: certificate({ name: commonName, key: pair.publicKey, extension: localhost, notAfter }, issuer),
        key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      };
    },
  };
}
