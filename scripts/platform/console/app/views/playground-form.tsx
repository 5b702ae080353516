/** The playground's form: which function, its rule, and the load. */
import type { Dispatch, StateUpdater } from 'preact/hooks';
import { SHAPES, type Shape } from '../../../../operate/scale/model/load.ts';
import type { RuleToday } from '../../wire.ts';
import { asToday, DEFAULTS, FIELDS, type Field, type Inputs, wrong } from '../experiment.ts';
import { goTo } from '../route.ts';
import { count } from '../words.ts';

type Change = (name: keyof Inputs, value: string) => void;

function NumberField({
  field,
  inputs,
  today,
  note,
  change,
}: {
  field: Field;
  inputs: Inputs;
  today?: number | undefined;
  /** In place of the unit. */
  note?: string | undefined;
  change: Change;
}) {
  const { name, title, unit } = field;
  const problem = wrong(field, inputs);
  return (
    <div class="field">
      <label for={name}>
        {title}{' '}
        <span class="quiet">
          {note ?? unit}
          {today !== undefined && String(today) !== inputs[name] ? ` · today ${count(today)}` : ''}
        </span>
      </label>
      <input
        id={name}
        type="number"
        min={field.least}
        max={field.most}
        value={inputs[name]}
        aria-invalid={problem ? 'true' : undefined}
        aria-describedby={problem ? `${name}-wrong` : undefined}
        onInput={(event) => change(name, event.currentTarget.value)}
      />
      {problem ? (
        <p class="wrong" id={`${name}-wrong`}>
          {problem}
        </p>
      ) : null}
    </div>
  );
}

type FormProps = {
  readonly rules: readonly RuleToday[];
  readonly rule: RuleToday;
  readonly inputs: Inputs;
  readonly setInputs: Dispatch<StateUpdater<Inputs>>;
};

export function RuleForm({ rules, rule, inputs, setInputs }: FormProps) {
  const change: Change = (name, value) => setInputs((before) => ({ ...before, [name]: value }));
  const shaped = (shape: Shape): void => setInputs((before) => ({ ...before, ...DEFAULTS[shape], shape }));
  const today = rule.rule[inputs.cluster];
  const fields = (group: Field['group']) =>
    FIELDS.filter((field) => field.group === group).map((field) => (
      <NumberField
        key={field.name}
        field={field}
        inputs={inputs}
        today={field.group === 'rule' ? today[field.name as keyof typeof today] : undefined}
        note={field.name === 'ms' ? (rule.ms ? 'ms, as measured here' : 'ms, assumed') : undefined}
        change={change}
      />
    ));
  return (
    <form class="panel" onSubmit={(event) => event.preventDefault()} aria-label="Rule and load">
      <fieldset>
        <legend>Function</legend>
        <div class="field broad">
          <label for="function" class="unseen">
            Function
          </label>
          <select id="function" value={rule.name} onChange={(event) => goTo('playground', event.currentTarget.value)}>
            {rules.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </div>
      </fieldset>
      <fieldset>
        <legend>Rule</legend>
        {fields('rule')}
        <button type="button" onClick={() => setInputs(asToday(inputs, rule))}>
          Back to today's
        </button>
      </fieldset>
      <fieldset>
        <legend>Load</legend>
        <div class="field">
          <label for="shape">Shape</label>
          <select id="shape" value={inputs.shape} onChange={(event) => shaped(event.currentTarget.value as Shape)}>
            {SHAPES.map((shape) => (
              <option key={shape}>{shape}</option>
            ))}
          </select>
        </div>
        {fields('load')}
        <div class="field">
          <label for="cluster">Where</label>
          <select
            id="cluster"
            value={inputs.cluster}
            onChange={(event) =>
              setInputs(asToday(inputs, rule, event.currentTarget.value === 'local' ? 'local' : 'kubernetes'))
            }
          >
            <option value="kubernetes">production</option>
            <option value="local">npm start</option>
          </select>
        </div>
      </fieldset>
    </form>
  );
}
