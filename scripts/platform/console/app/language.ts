/** A language that the browser says it has and that is none, such as en-US@posix where LANG is C → English: uPlot fails on it when it is loaded. */
try {
  new Intl.NumberFormat(navigator.language);
} catch {
  Object.defineProperty(navigator, 'language', { value: 'en-GB' });
}
