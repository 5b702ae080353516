/** The part of the address behind # → which view is shown. */
import { useEffect, useState } from 'preact/hooks';

/** `#/functions/<name>` → ['functions', '<name>']. */
const parts = (): readonly string[] =>
  location.hash
    .replace(/^#\/?/, '')
    .split('/')
    .filter(Boolean)
    .map((part) => {
      try {
        return decodeURIComponent(part);
      } catch {
        return part;
      }
    });

export const linkTo = (...to: readonly (string | number)[]): string =>
  `#/${to.map((part) => encodeURIComponent(part)).join('/')}`;

export const goTo = (...to: readonly (string | number)[]): void => {
  location.hash = linkTo(...to);
};

export function useRoute(): readonly string[] {
  const [route, setRoute] = useState(parts);
  useEffect(() => {
    const change = (): void => setRoute(parts());
    addEventListener('hashchange', change);
    return () => removeEventListener('hashchange', change);
  }, []);
  return route;
}
