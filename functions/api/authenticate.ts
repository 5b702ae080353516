/** Access token → who calls, asked of user-service. */
import type { Caller } from '../runtime/http.ts';
import type { Trace } from '../runtime/trace.ts';
import type { openUserClient } from '../users/client.ts';

export const authenticateWith =
  (users: ReturnType<typeof openUserClient>) =>
  async (accessToken: string, trace: Trace): Promise<Caller> => {
    const { userId, role } = await users.validateToken({ accessToken }, trace);
    return { userId, role };
  };
