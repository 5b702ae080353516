// Preloaded into a function: SIGKILLs it just before its KILL_AT_WRITE-th write to NATS or Postgres (KILL_PORTS).
// Between two writes nothing of the process can be seen from outside, so these are all the instants at which to die.
const net = require('node:net');

const ports = new Set(process.env.KILL_PORTS.split(',').map(Number));
const last = Number(process.env.KILL_AT_WRITE);
const write = net.Socket.prototype.write;
let writes = 0;

net.Socket.prototype.write = function (...args) {
  if (ports.has(this.remotePort)) {
    writes += 1;
    if (writes === last) process.kill(process.pid, 'SIGKILL');
  }
  return write.apply(this, args);
};
