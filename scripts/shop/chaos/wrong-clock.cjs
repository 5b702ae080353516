/** Preloaded into every function of a run: its clock is wrong by up to two seconds, each process by its own. */
const MOST_MS = 2_000;

const RealDate = Date;
const offMs = Math.round((Math.random() * 2 - 1) * MOST_MS);
const now = () => RealDate.now() + offMs;

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, newTarget) => Reflect.construct(target, args.length > 0 ? args : [now()], newTarget),
  apply: () => new RealDate(now()).toString(),
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
});
