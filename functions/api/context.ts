/** The edge: HTTP for the shop's clients, for its staff, and for whoever pushes events. */
import { context } from '../runtime/context.ts';

export default context({});
