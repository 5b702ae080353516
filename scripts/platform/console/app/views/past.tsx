/** An order's versions: a slider over them, what happened, and the state at one with what it changed. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { OrderStep } from '../../wire.ts';
import { difference } from '../difference.ts';
import { Time } from '../parts.tsx';
import { shortId, time } from '../words.ts';

export type Travel = {
  readonly steps: readonly OrderStep[];
  readonly version: number;
  readonly go: (version: number) => void;
};

export function Slider({ steps, version, go }: Travel) {
  const at = steps.findIndex((step) => step.version === version);
  const step = steps[at];
  const told = step ? `Version ${version} of ${steps.length}: ${step.type}, ${time(step.at)}` : '';
  return (
    <div class="slider">
      <label for="version">Version</label>
      <button
        type="button"
        aria-label="One version back"
        disabled={at <= 0}
        onClick={() => go(steps[at - 1]?.version ?? 1)}
      >
        ‹
      </button>
      <input
        id="version"
        type="range"
        min={0}
        max={steps.length - 1}
        value={at}
        aria-valuetext={told}
        onInput={(event) => go(steps[Number(event.currentTarget.value)]?.version ?? 1)}
      />
      <button
        type="button"
        aria-label="One version on"
        disabled={at >= steps.length - 1}
        onClick={() => go(steps[at + 1]?.version ?? 1)}
      >
        ›
      </button>
      <output for="version">{told}</output>
    </div>
  );
}

/** A long list moves by itself, to where the chosen version is. */
export function Timeline({ steps, version, go }: Travel) {
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => {
    const chosen = list.current?.querySelector<HTMLElement>('[aria-current]');
    if (list.current && chosen) list.current.scrollTop = chosen.offsetTop - list.current.clientHeight / 2;
  }, [version]);
  return (
    <ol class="timeline" ref={list}>
      {steps.map((step) => (
        <li key={step.version} class={step.version > version ? 'later' : ''}>
          <button
            type="button"
            aria-current={step.version === version ? 'step' : undefined}
            onClick={() => go(step.version)}
          >
            <span class="dot" aria-hidden="true">
              {step.version}
            </span>
            <span class="what">
              <b>{step.type}</b>
              <span class="quiet">
                <Time at={step.at}>{time(step.at)}</Time> · by <span title={step.actor}>{shortId(step.actor)}</span>
              </span>
            </span>
          </button>
        </li>
      ))}
    </ol>
  );
}

/** A long name may be broken before a part of it, and not within one. */
const breakable = (field: string) =>
  field.split(/(?=[.[])/).map((part, index) => (
    <span key={index}>
      {part}
      <wbr />
    </span>
  ));

export function States({ steps, version }: Travel) {
  const [all, setAll] = useState(false);
  const at = steps.findIndex((step) => step.version === version);
  const rows = difference(steps[at - 1]?.state, steps[at]?.state);
  const shown = all || at === 0 ? rows : rows.filter(({ changed }) => changed);
  return (
    <div>
      <label class="check">
        <input type="checkbox" checked={all} onChange={(event) => setAll(event.currentTarget.checked)} /> Also what
        stayed
      </label>
      <div class="scroll">
        <table class="state">
          <caption class="unseen">The order at version {version}, and at the one before</caption>
          <thead>
            <tr>
              <th scope="col">Field</th>
              <th scope="col">{at > 0 ? `Version ${steps[at - 1]?.version}` : 'Before'}</th>
              <th scope="col">Version {version}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr key={row.field} class={row.changed && at > 0 ? 'changed' : ''}>
                <th scope="row">{breakable(row.field)}</th>
                <td>
                  {row.before === undefined ? (
                    <span class="quiet">–</span>
                  ) : row.changed ? (
                    <del>{row.before}</del>
                  ) : (
                    row.before
                  )}
                </td>
                <td>
                  {row.after === undefined ? (
                    <span class="quiet">–</span>
                  ) : row.changed ? (
                    <ins>{row.after}</ins>
                  ) : (
                    row.after
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}
