// Preloaded into a process: at its end it says how much CPU it has taken, in ms, and the most memory it had, in KiB.
const { readFileSync, writeSync } = require('node:fs');

// What getrusage says of a process on Linux may be the peak of whoever started it.
function peak() {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS;
  return Number(/VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
}

process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  writeSync(1, `\nCPU ${(user + system) / 1_000}\nPEAK ${peak()}\n`);
});
