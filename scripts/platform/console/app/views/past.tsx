/** An aggregate's versions: a slider over them, its events, and the state at one of them with what changed. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { AggregateVersion } from '../../wire.ts';
import { difference } from '../difference.ts';
import { Time } from '../parts.tsx';
import { shortId, time } from '../words.ts';

export type Travel = {
  readonly versions: readonly AggregateVersion[];
  readonly version: number;
  readonly go: (version: number) => void;
};

export function Slider({ versions, version, go }: Travel) {
  const at = versions.findIndex((one) => one.version === version);
  const shown = versions[at];
  const words = shown ? `Version ${version} of ${versions.length}: ${shown.type}, ${time(shown.at)}` : '';
  return (
    <div class="slider">
      <label for="version">Version</label>
      <button
        type="button"
        aria-label="One version back"
        disabled={at <= 0}
        onClick={() => go(versions[at - 1]?.version ?? 1)}
      >
        ‹
      </button>
      <input
        id="version"
        type="range"
        min={0}
        max={versions.length - 1}
        value={at}
        aria-valuetext={words}
        onInput={(event) => go(versions[Number(event.currentTarget.value)]?.version ?? 1)}
      />
      <button
        type="button"
        aria-label="One version on"
        disabled={at >= versions.length - 1}
        onClick={() => go(versions[at + 1]?.version ?? 1)}
      >
        ›
      </button>
      <output for="version">{words}</output>
    </div>
  );
}

/** A long list moves by itself, to where the chosen version is. */
export function Timeline({ versions, version, go }: Travel) {
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => {
    const chosen = list.current?.querySelector<HTMLElement>('[aria-current]');
    if (list.current && chosen) list.current.scrollTop = chosen.offsetTop - list.current.clientHeight / 2;
  }, [version]);
  return (
    <ol class="timeline" ref={list}>
      {versions.map((one) => (
        <li key={one.version} class={one.version > version ? 'later' : ''}>
          <button
            type="button"
            aria-current={one.version === version ? 'step' : undefined}
            onClick={() => go(one.version)}
          >
            <span class="dot" aria-hidden="true">
              {one.version}
            </span>
            <span class="what">
              <b>{one.type}</b>
              <span class="quiet">
                <Time at={one.at}>{time(one.at)}</Time> · by <span title={one.actor}>{shortId(one.actor)}</span>
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

export function States({ versions, version }: Travel) {
  const [all, setAll] = useState(false);
  const at = versions.findIndex((one) => one.version === version);
  const rows = difference(versions[at - 1]?.state, versions[at]?.state);
  const shown = all || at === 0 ? rows : rows.filter(({ changed }) => changed);
  return (
    <div>
      <label class="check">
        <input type="checkbox" checked={all} onChange={(event) => setAll(event.currentTarget.checked)} /> Also what
        stayed
      </label>
      <div class="scroll">
        <table class="state">
          <caption class="unseen">The state at version {version}, and at the one before</caption>
          <thead>
            <tr>
              <th scope="col">Field</th>
              <th scope="col">{at > 0 ? `Version ${versions[at - 1]?.version}` : 'Before'}</th>
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

const readable = (value: unknown): string => JSON.stringify(value, null, 2);

export const Json = ({ shown: { version, type, data, state } }: { shown: AggregateVersion }) => (
  <details>
    <summary>As JSON</summary>
    <h3>Data of {type}</h3>
    {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what can be scrolled must be reached by keyboard. */}
    <pre tabIndex={0}>{readable(data)}</pre>
    <h3>State at version {version}</h3>
    {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what can be scrolled must be reached by keyboard. */}
    <pre tabIndex={0}>{readable(state)}</pre>
  </details>
);
