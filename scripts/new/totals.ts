/** What is wanted → the sources of totals: nothing is added yet. Pure. */
import type { NewFunction } from './request.ts';
import type { Sources } from './sources.ts';

export const totalsSources = (_request: NewFunction): Sources => ({});
