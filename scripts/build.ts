/** `npm run build [-- <function>…]`: bundles the functions named, or all, and prints the digest of each. */
import { buildFunctions } from './ship/build.ts';

const names = process.argv.slice(2);
for (const { name, digest } of await buildFunctions(names.length > 0 ? names : undefined))
  console.log(`${name.padEnd(18)} ${digest}`);
