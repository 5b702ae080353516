/** Ends a test run with one line, `N passed, N failed`, that a script can read. */
import type { Reporter, TestModule } from 'vitest/node';

/** Errors outside of any test count as failures: a run with them has not passed. */
export function summary(modules: readonly TestModule[], unhandled: number): string {
  const states = modules.flatMap((module) => [...module.children.allTests()].map((test) => test.result().state));
  const broken = modules.filter((module) => module.errors().length > 0).length;
  const passed = states.filter((state) => state === 'passed').length;
  const failed = states.filter((state) => state === 'failed' || state === 'pending').length;
  return `${passed} passed, ${failed + broken + unhandled} failed`;
}

export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    // After the other reporters, so that it is the last line.
    process.once('exit', () => console.log(summary(modules, unhandled.length)));
  }
}
