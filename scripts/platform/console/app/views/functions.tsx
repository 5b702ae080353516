/** Every function: asleep or awake, how many, what waits, how fast it goes, and why. */
import { useEffect, useRef } from 'preact/hooks';
import type { FunctionNow, Series } from '../../wire.ts';
import { announce } from '../announce.tsx';
import { useLive } from '../live.ts';
import { Badge, Heading, Time, Waiting } from '../parts.tsx';
import { linkTo } from '../route.ts';
import { count, plural, reason, time, wakefulness } from '../words.ts';
import { Spark } from './spark.tsx';

const KINDS: readonly [kind: string, title: string][] = [
  ['http', 'HTTP'],
  ['command', 'Commands'],
  ['policy', 'Policies'],
  ['projector', 'Read models'],
  ['notifier', 'Notifications'],
  ['relay', 'Relays'],
  ['service', 'Services'],
];
function Row({ fn, series }: { fn: FunctionNow; series: Series | undefined }) {
  const state = wakefulness(fn);
  return (
    <li class={`function ${state}`}>
      <div class="who">
        <a href={linkTo('functions', fn.name)}>{fn.name}</a>
        <Badge state={state} />
      </div>
      {(['replicas', 'lag', 'rate'] as const).map((what) => (
        <Spark key={what} fn={fn} series={series} what={what} />
      ))}
      <p class="why">
        {fn.lastChange ? (
          <>
            <Time at={fn.lastChange.at}>{time(fn.lastChange.at)}</Time>
            {' · '}
          </>
        ) : null}
        {reason(fn)}
      </p>
    </li>
  );
}

/** Says once a second at most who woke up and who went to sleep. */
function useWakeCalls(functions: readonly FunctionNow[]): void {
  const before = useRef<ReadonlyMap<string, boolean>>(new Map());
  useEffect(() => {
    const turned = functions.filter(
      ({ name, replicas }) => before.current.has(name) && before.current.get(name) !== replicas > 0,
    );
    const names = (awake: boolean): string =>
      turned
        .filter(({ replicas }) => replicas > 0 === awake)
        .map(({ name }) => name)
        .join(', ');
    const words = [names(true) && `awake: ${names(true)}`, names(false) && `asleep: ${names(false)}`].filter(Boolean);
    if (words.length > 0) announce(words.join('; '), 'quiet');
    before.current = new Map(functions.map(({ name, replicas }) => [name, replicas > 0]));
  }, [functions]);
}

function Summary({ functions }: { functions: readonly FunctionNow[] }) {
  const sum = (of: (fn: FunctionNow) => number): number => functions.reduce((all, fn) => all + of(fn), 0);
  const awake = functions.filter(({ replicas }) => replicas > 0).length;
  const figures: readonly [string, string][] = [
    ['Awake', `${awake} of ${functions.length}`],
    ['Replicas', count(sum(({ replicas }) => replicas))],
    ['Lag', count(sum(({ lag }) => lag))],
    ['Handled', `${count(Math.round(sum(({ rate }) => rate ?? 0) * 10) / 10)}/s`],
  ];
  return (
    <dl class="figures">
      {figures.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Functions() {
  const { functions, series } = useLive();
  useWakeCalls(functions);
  const known = new Set(KINDS.map(([kind]) => kind));
  const others = functions.filter(({ kind }) => !known.has(kind));
  const groups = [
    ...KINDS.map(([kind, title]) => ({ title, members: functions.filter((fn) => fn.kind === kind) })),
    { title: 'Others', members: others },
  ].filter(({ members }) => members.length > 0);
  return (
    <>
      <Heading about="Each sleeps until something comes for it. Charts show the last five minutes.">Functions</Heading>
      {functions.length === 0 ? <Waiting /> : <Summary functions={functions} />}
      {groups.map(({ title, members }) => (
        <section key={title} aria-label={title}>
          <div class="columns">
            <h2>{title}</h2>
            <span aria-hidden="true">Replicas</span>
            <span aria-hidden="true">Lag</span>
            <span aria-hidden="true">Throughput</span>
            <span aria-hidden="true">Why so many</span>
          </div>
          <ul class="functions">
            {members.map((fn) => (
              <Row key={fn.name} fn={fn} series={series[fn.name]} />
            ))}
          </ul>
        </section>
      ))}
      {functions.length > 0 ? (
        <p class="quiet">
          {plural(functions.length, 'function')}. Throughput is pushed by the functions every five seconds.
        </p>
      ) : null}
    </>
  );
}
