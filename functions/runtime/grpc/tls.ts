/** mTLS of either end by three files, which are read again while it runs: a certificate is renewed without a restart. */
import { X509Certificate } from 'node:crypto';
import type { ChannelCredentials, experimental, ServerCredentials } from '@grpc/grpc-js';
import type { Shell } from '../function.ts';
import { ConfigError, filePath, optionalSetting } from '../settings.ts';

type Grpc = typeof import('@grpc/grpc-js');
type TlsShell = Pick<Shell<TlsSettings>, 'settings' | 'log' | 'onClose'>;
const FILES = ['GRPC_TLS_CERT_FILE', 'GRPC_TLS_KEY_FILE', 'GRPC_TLS_CA_FILE'] as const;

/** Of either end of a gRPC connection; without them it is not encrypted. */
export const tlsSettings = {
  GRPC_TLS_CERT_FILE: optionalSetting('Certificate by which it is known in mTLS, a PEM file', filePath, FILES),
  GRPC_TLS_KEY_FILE: optionalSetting('The key of that certificate', filePath, FILES),
  GRPC_TLS_CA_FILE: optionalSetting('The CA that has signed the certificates of both ends', filePath, FILES),
};
export type TlsSettings = { readonly [File in (typeof FILES)[number]]: string | undefined };

type Pems = { readonly certificate: Buffer; readonly privateKey: Buffer; readonly caCertificate: Buffer };

const REFRESH_MS = 2_000;

async function readPems(files: readonly [cert: string, key: string, ca: string]): Promise<Pems> {
  const { readFile } = await import('node:fs/promises');
  const [certificate, privateKey, caCertificate] = await Promise.all([
    readFile(files[0]),
    readFile(files[1]),
    readFile(files[2]),
  ]);
  return { certificate, privateKey, caCertificate };
}

/** Throws when one is no PEM, or the key is of another certificate: they may be in the middle of being replaced. */
async function check({ certificate, privateKey, caCertificate }: Pems): Promise<void> {
  const { createSecureContext } = await import('node:tls');
  new X509Certificate(caCertificate);
  createSecureContext({ cert: certificate, key: privateKey, ca: caCertificate });
}

const isSame = (some: Pems, other: Pems): boolean =>
  some.certificate.equals(other.certificate) &&
  some.privateKey.equals(other.privateKey) &&
  some.caCertificate.equals(other.caCertificate);

/** The certificates for grpc-js, or undefined without TLS; what is wrong later is logged, and the last good ones stay. */
async function openCertificates({ settings, log, onClose }: TlsShell) {
  const { GRPC_TLS_CERT_FILE: certFile, GRPC_TLS_KEY_FILE: keyFile, GRPC_TLS_CA_FILE: caFile } = settings;
  if (!certFile || !keyFile || !caFile) return undefined;
  const files = [certFile, keyFile, caFile] as const;
  let current = await readPems(files);
  await check(current).catch(({ message }) => {
    throw new ConfigError(`GRPC_TLS_CERT_FILE, GRPC_TLS_KEY_FILE and GRPC_TLS_CA_FILE do not go together: ${message}`);
  });
  let failing = false;
  const caListeners = new Set<experimental.CaCertificateUpdateListener>();
  const identityListeners = new Set<experimental.IdentityCertificateUpdateListener>();

  const refresh = async (): Promise<void> => {
    try {
      const pems = await readPems(files);
      if (isSame(pems, current)) return;
      await check(pems);
      current = pems;
      failing = false;
      for (const listener of [...caListeners, ...identityListeners]) listener(pems);
      log.info({ validTo: new X509Certificate(pems.certificate).validTo }, 'certificates were renewed');
    } catch (error) {
      if (!failing)
        log.error({ detail: String(error) }, 'new certificates cannot be used; the earlier ones stay in use');
      failing = true;
    }
  };
  const timer = setInterval(refresh, REFRESH_MS).unref();
  onClose(() => clearInterval(timer));

  // grpc-js takes an update only after the call that adds the listener.
  const tell = (listener: (pems: Pems) => void): void => process.nextTick(() => listener(current));
  const provider: experimental.CertificateProvider = {
    addCaCertificateListener(listener) {
      caListeners.add(listener);
      tell(listener);
    },
    removeCaCertificateListener: (listener) => void caListeners.delete(listener),
    addIdentityCertificateListener(listener) {
      identityListeners.add(listener);
      tell(listener);
    },
    removeIdentityCertificateListener: (listener) => void identityListeners.delete(listener),
  };
  return provider;
}

/** With TLS a caller must have a certificate that the CA has signed. */
export async function openServerCredentials(
  { ServerCredentials, experimental }: Grpc,
  shell: TlsShell,
): Promise<{ readonly credentials: ServerCredentials; readonly secure: boolean }> {
  const provider = await openCertificates(shell);
  if (!provider) return { credentials: ServerCredentials.createInsecure(), secure: false };
  const credentials = experimental.createCertificateProviderServerCredentials(provider, provider, true);
  return { credentials, secure: true };
}

/** With TLS the service must have a certificate that the CA has signed, for the host that is called. */
export async function openClientCredentials(
  { credentials, experimental }: Grpc,
  shell: TlsShell,
): Promise<ChannelCredentials> {
  const provider = await openCertificates(shell);
  if (!provider) return credentials.createInsecure();
  return experimental.createCertificateProviderChannelCredentials(provider, provider);
}
