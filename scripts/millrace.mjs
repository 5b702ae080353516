#!/usr/bin/env node
/** Bin of `npx millrace`: scripts/millrace.ts with its arguments, on the Node 24 of the lock file. */
import { fileURLToPath } from 'node:url';

process.argv.splice(2, 0, fileURLToPath(new URL('millrace.ts', import.meta.url)));
await import('./bootstrap.mjs');
