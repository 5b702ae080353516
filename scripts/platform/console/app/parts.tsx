/** Small parts that several views are made of. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Failed } from './ask.ts';
import { plain } from './words.ts';

/** The heading of a view, which gets the focus when one comes to it; while it is loaded, `main` has it. */
export function Heading({ children, about }: { children: ComponentChildren; about?: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (document.activeElement?.id === 'main') heading.current?.focus();
  }, []);
  return (
    <div class="heading">
      <h1 tabIndex={-1} ref={heading}>
        {children}
      </h1>
      {about === undefined ? null : <p class="quiet">{about}</p>}
    </div>
  );
}

export const Problem = ({ failed }: { failed: Failed }) => (
  <div class="problem" role="alert">
    <strong>{failed.title}</strong>
    <p>{failed.detail}</p>
  </div>
);

export const Waiting = () => <p class="quiet">Loading…</p>;

export const Empty = ({ children }: { children: ComponentChildren }) => <p class="empty">{children}</p>;

const TONES: Readonly<Record<string, string>> = {
  awake: 'good',
  waking: 'busy',
  failing: 'bad',
  completed: 'good',
  failed: 'bad',
  cancelled: 'bad',
  expired: 'bad',
};

export const Badge = ({ state }: { state: string }) => (
  <span class={`badge ${TONES[state] ?? 'plain'}`}>{plain(state)}</span>
);

export const Time = ({ at, children }: { at: string; children: ComponentChildren }) => (
  <time dateTime={at} title={at}>
    {children}
  </time>
);

type ConfirmProps = {
  readonly question: string;
  readonly detail: string;
  readonly yes: string;
  readonly onAnswer: (yes: boolean) => void;
};

/** Asks before something is done; Escape is no. */
export function Confirm({ question, detail, yes, onAnswer }: ConfirmProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-labelledby="question" onClose={() => onAnswer(dialog.current?.returnValue === 'yes')}>
      <h2 id="question">{question}</h2>
      <p>{detail}</p>
      <div class="actions">
        <button type="button" onClick={() => dialog.current?.close('no')}>
          Cancel
        </button>
        <button type="button" class="main" onClick={() => dialog.current?.close('yes')}>
          {yes}
        </button>
      </div>
    </dialog>
  );
}
