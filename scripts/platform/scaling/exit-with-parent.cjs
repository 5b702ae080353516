/** Preloaded into a function's process: when the supervisor is gone, however it ended, the process drains, and ends for sure. */
const { closeSync, openSync } = require('node:fs');
const { Socket } = require('node:net');

const STDOUT = 1;
const STDERR = 2;
const SUPERVISOR = 3;
const LONGEST_DRAIN_MS = 30_000;

/** Nobody reads them any more: what writes to them fails (EPIPE), and may try for ever. */
function forgetOutput() {
  for (const stream of [STDOUT, STDERR]) {
    closeSync(stream);
    openSync('/dev/null', 'w');
  }
}

const pipe = new Socket({ fd: SUPERVISOR, readable: true, writable: false });
pipe.on('error', () => undefined);
pipe.on('close', () => {
  forgetOutput();
  process.kill(process.pid, 'SIGTERM');
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), LONGEST_DRAIN_MS).unref();
});
pipe.resume();
pipe.unref();
