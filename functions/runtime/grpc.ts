/** gRPC for functions: calls to a service with deadlines, retries and a breaker, with their settings, and what a service offers. */
export { openGrpcClient } from './grpc/client.ts';
export { type Call, offer } from './grpc/methods.ts';
export { type TlsSettings, tlsSettings } from './grpc/tls.ts';
