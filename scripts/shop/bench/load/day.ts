/** A day's load in less than a minute: spans of time with so many orders a second → when each order is sent. Pure. */

/** From one rate to another, in orders a second. */
export type Span = { readonly name: string; readonly seconds: number; readonly from: number; readonly to: number };

export const DAY: readonly Span[] = [
  { name: 'night', seconds: 3, from: 0, to: 0 },
  { name: 'morning', seconds: 5, from: 1, to: 5 },
  { name: 'forenoon', seconds: 4, from: 5, to: 5 },
  { name: 'noon peak, ten times as much', seconds: 6, from: 50, to: 50 },
  { name: 'afternoon', seconds: 4, from: 5, to: 5 },
  { name: 'flash sale', seconds: 2, from: 100, to: 100 },
  { name: 'evening', seconds: 5, from: 5, to: 1 },
  { name: 'night', seconds: 19, from: 0, to: 0 },
];

/** The day from morning to evening. */
export const AWAKE: readonly Span[] = DAY.slice(1, -1);

export const secondsOf = (day: readonly Span[]): number => day.reduce((sum, { seconds }) => sum + seconds, 0);

/** Orders a second at each end of each span; seconds are since the beginning. */
export function rates(day: readonly Span[]): [number, number][] {
  let at = 0;
  return day.flatMap(({ seconds, from, to }): [number, number][] => {
    const began = at;
    at += seconds;
    return [
      [began, from],
      [at, to],
    ];
  });
}

/** When each order is sent, in ms since the beginning: evenly, as the rate of its span has it. */
export function moments(day: readonly Span[]): number[] {
  let began = 0;
  return day.flatMap(({ seconds, from, to }) => {
    const start = began;
    began += seconds;
    const orders = Math.round((seconds * (from + to)) / 2);
    return Array.from({ length: orders }, (_, index) => {
      const share = (index + 0.5) / orders;
      // Where the area below a straight line from `from` to `to` has come to that share.
      const grown = to === from ? share : (Math.sqrt(from ** 2 + share * (to ** 2 - from ** 2)) - from) / (to - from);
      return 1_000 * (start + grown * seconds);
    });
  });
}
