/** The id of this process in what it records (`service.instance.id`). */
import { randomUUID } from 'node:crypto';

export const instanceId = randomUUID();
