/** A scaling rule tried on a load: the simulated curves beside today's, and what they cost. */
import { useEffect, useState } from 'preact/hooks';
import type { Simulation } from '../../../../operate/scale/model/model.ts';
import type { RulesPage, RuleToday } from '../../wire.ts';
import { announce } from '../announce.tsx';
import { useAsked } from '../ask.ts';
import { FIELDS, type Inputs, inputsOf, tried, wrong } from '../experiment.ts';
import { Empty, Heading, Problem, Waiting } from '../parts.tsx';
import { duration } from '../words.ts';
import { RuleForm } from './playground-form.tsx';
import { Curves, Outcome, type Runs } from './playground-outcome.tsx';

/** After the last key. */
const SETTLED_MS = 200;
/** The last runs of what could be run, a moment after the last change. */
function useRuns(rule: RuleToday, inputs: Inputs): Runs | undefined {
  const [runs, setRuns] = useState<Runs>();
  useEffect(() => {
    if (FIELDS.some((field) => wrong(field, inputs) !== undefined)) return undefined;
    const timer = setTimeout(() => {
      const found = tried(rule, inputs);
      setRuns(found);
      const waits = (run: Simulation): string => duration(run.waits.p95 * 1_000);
      announce(`95 of 100 wait at most ${waits(found.proposed)}, today ${waits(found.today)}.`, 'quiet');
    }, SETTLED_MS);
    return () => clearTimeout(timer);
  }, [rule, inputs]);
  return runs;
}

function Experiment({ rules, rule }: { rules: readonly RuleToday[]; rule: RuleToday }) {
  const [inputs, setInputs] = useState<Inputs>(() => inputsOf(rule));
  const runs = useRuns(rule, inputs);
  return (
    <div class="playground">
      <RuleForm rules={rules} rule={rule} inputs={inputs} setInputs={setInputs} />
      <div>
        {runs ? (
          <>
            <Curves runs={runs} what="replicas" title="Replicas" />
            <Curves runs={runs} what="lag" title="Lag" />
            <Outcome runs={runs} />
          </>
        ) : (
          <Waiting />
        )}
      </div>
    </div>
  );
}

export function Playground({ chosen }: { chosen: string | undefined }) {
  const { body, failed } = useAsked<RulesPage>('rules');
  const rules = body?.rules ?? [];
  const rule = chosen ? rules.find(({ name }) => name === chosen) : (rules.find(({ ms }) => ms) ?? rules[0]);
  return (
    <>
      <Heading about="What a rule would do with a load, by the model that npx millrace scale simulate uses. Nothing that runs changes.">
        Scaling playground
      </Heading>
      {failed ? <Problem failed={failed} /> : null}
      {!body && !failed ? <Waiting /> : null}
      {body && !rule ? <Empty>Lag does not scale {chosen}: choose another function.</Empty> : null}
      {body?.problem ? (
        <p class="quiet">The rules of production are not known here, so those of npm start are shown: {body.problem}</p>
      ) : null}
      {rule ? <Experiment key={rule.name} rules={rules} rule={rule} /> : null}
    </>
  );
}
