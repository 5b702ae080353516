/**
 * Runs the bundle beside it, with the code that V8 has compiled before: Node's own compile cache has none of the functions
 * that run later. Kept in NODE_COMPILE_CACHE, by what is in the bundle; without it, or where nobody can write, it only runs.
 */
const { readFileSync, renameSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const { Script } = require('node:vm');

/** The build writes it here: V8 itself would take what was compiled of another bundle of the same length. */
const DIGEST = '@digest';
/** By then a function that had something to do has begun; what is not called for long V8 forgets again. */
const COMPILED_AFTER_MS = 3_000;

const folder = process.env.NODE_COMPILE_CACHE;
const cache = folder && path.join(folder, `${path.basename(__dirname)}-${DIGEST}`);
const filename = path.join(__dirname, 'main.cjs');

function read() {
  try {
    return cache && readFileSync(cache);
  } catch {
    return undefined;
  }
}

const cachedData = read();
// A function that the build has put around the bundle, so that nothing this large is copied; esbuild writes ASCII.
const source = readFileSync(filename, 'latin1');
const script = new Script(source, { filename, ...(cachedData ? { cachedData } : {}) });

let kept = !cache || script.cachedDataRejected === false;
function keep() {
  if (kept) return;
  kept = true;
  try {
    const fresh = `${cache}.${process.pid}`;
    writeFileSync(fresh, script.createCachedData(), { mode: 0o600 });
    renameSync(fresh, cache);
  } catch {
    // Then the next one compiles it too.
  }
}
if (!kept) {
  setTimeout(keep, COMPILED_AFTER_MS).unref();
  process.once('exit', keep);
}
script.runInThisContext()(exports, require, module, filename, __dirname);
