/** What slow-function is like. */
export const IN_FLIGHT = 4;
export const TAKES_MS = 200;
