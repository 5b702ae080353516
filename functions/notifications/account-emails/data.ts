/** The data of users' events, by type. */
import type * as z from 'zod/mini';
import type { userEvents } from '../../users/events.ts';

export type Data<Type extends keyof typeof userEvents> = z.infer<(typeof userEvents)[Type]>;
