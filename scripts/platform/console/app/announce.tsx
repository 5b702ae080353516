/** What happened, said once: to be seen for a while, and read out by a screen reader. */
import { useEffect, useState } from 'preact/hooks';

export type Tone = 'good' | 'bad' | 'quiet';
type Said = { readonly text: string; readonly tone: Tone };

const SHOWN_MS = 8_000;
let hear: (said: Said) => void = () => undefined;

/** `quiet` is for screen readers alone. */
export const announce = (text: string, tone: Tone = 'good'): void => hear({ text, tone });

export function Announcer() {
  const [said, setSaid] = useState<Said>({ text: '', tone: 'quiet' });
  useEffect(() => {
    hear = setSaid;
  }, []);
  useEffect(() => {
    if (!said.text) return undefined;
    const timer = setTimeout(() => setSaid({ text: '', tone: 'quiet' }), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [said]);
  const seen = said.text && said.tone !== 'quiet';
  return (
    <output aria-live="polite" class={seen ? `notice ${said.tone}` : 'unseen'}>
      {said.text}
    </output>
  );
}
