/** What is wanted → the sources of a notifier: nobody is told yet. Pure. */
import type { NewFunction } from './request.ts';
import type { Sources } from './sources.ts';

export const notifierSources = (_request: NewFunction): Sources => ({});
