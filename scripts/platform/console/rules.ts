/** The scaling rules of today, of the functions that lag scales, for the playground: those of production, and of npm start. */

import { handlerTimes } from '../../operate/scale/record/histogram.ts';
import { allToday, type Today } from '../../operate/scale/today.ts';
import type { Point } from '../telemetry/points.ts';
import type { RulesPage } from './wire.ts';

/** What `npx millrace scale simulate` takes too. */
const OVERLAY = 'production';
const KEPT_MS = 60_000;

type Production = { readonly rules: readonly Today[]; readonly problem?: string };
let kept: { readonly at: number; readonly production: Promise<Production> } | undefined;

/** Its overlay takes a second or two to build: asked again within a minute it is the same. */
function production(): Promise<Production> {
  if (kept && Date.now() - kept.at < KEPT_MS) return kept.production;
  const built = allToday(OVERLAY).then(
    (rules) => ({ rules }),
    (error: Error) => ({ rules: [], problem: error.message }),
  );
  kept = { at: Date.now(), production: built };
  return built;
}

export async function rulesToday(points: readonly Point[]): Promise<RulesPage> {
  const [local, { rules, problem }] = await Promise.all([allToday(undefined), production()]);
  return {
    rules: local.map(({ name, rule, service }) => {
      const ms = handlerTimes(points, name);
      return {
        name,
        rule: { local: rule, kubernetes: rules.find((one) => one.name === name)?.rule ?? rule },
        service,
        ...(ms ? { ms } : {}),
      };
    }),
    ...(problem === undefined ? {} : { problem }),
  };
}
