/** NATS for functions: the connection, with its settings, and messages sent in the trace of who sends them. */
export { type Bus, type NatsSettings, natsSettings, openBus } from './jetstream/connection.ts';
export { send } from './jetstream/publishing.ts';
export { commandIdOf, errorOf, type Incoming, subjectOf, toHeaders } from './messages/message.ts';
