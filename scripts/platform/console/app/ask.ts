/** The console's API, asked: JSON, or an error with the server's own words. */
import { useCallback, useEffect, useState } from 'preact/hooks';
import type { Problem } from '../wire.ts';

export type Failed = { readonly title: string; readonly detail: string; readonly status: number };
export type Asked<Body> = {
  readonly body?: Body;
  readonly failed?: Failed;
  /** Asks again, now. */
  readonly again: () => void;
};

const LOST: Failed = {
  title: 'Millrace does not answer',
  detail: 'It has stopped, or is starting; this page tries again by itself.',
  status: 0,
};

const isProblem = (body: unknown): body is Problem => typeof body === 'object' && body !== null && 'detail' in body;

export async function ask<Body>(path: string, method = 'GET'): Promise<{ body?: Body; failed?: Failed }> {
  try {
    const response = await fetch(`/console/api/${path}`, { method });
    const body: unknown = await response.json();
    if (response.ok) return { body: body as Body };
    const { title, detail } = isProblem(body)
      ? body
      : { title: 'Not understood', detail: `It answers ${response.status}` };
    return { failed: { title, detail, status: response.status } };
  } catch {
    return { failed: LOST };
  }
}

/** Asks when shown, and again every few seconds while the page is seen; what is there stays while the server is away. */
export function useAsked<Body>(path: string, everyMs = 0): Asked<Body> {
  const [asked, setAsked] = useState<{ path: string; body?: Body; failed?: Failed }>({ path });
  const again = useCallback(() => {
    void ask<Body>(path).then((answer) =>
      setAsked((before) =>
        answer.failed?.status === 0 && before.path === path ? { ...before, ...answer } : { path, ...answer },
      ),
    );
  }, [path]);
  useEffect(() => {
    again();
    if (everyMs === 0) return undefined;
    const timer = setInterval(() => {
      if (!document.hidden) again();
    }, everyMs);
    return () => clearInterval(timer);
  }, [again, everyMs]);
  return asked.path === path ? { ...asked, again } : { again };
}
