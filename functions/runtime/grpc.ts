/** gRPC for functions: calls to a service with deadlines, retries and a breaker, with their settings, and what a service offers. */
export { type GrpcClient, openGrpcClient } from './grpc/client.ts';
export { type Call, type Offer, offer } from './grpc/methods.ts';
export { type TlsSettings, tlsSettings } from './grpc/tls.ts';
