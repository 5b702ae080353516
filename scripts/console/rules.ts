/** The scaling rules of today, of the functions that lag scales, for the playground. */
import { BATCH } from '../../functions/runtime/projector.ts';
import { UsageError } from '../cli.ts';
import { todayOf } from '../scale/today.ts';
import type { RuleToday } from './wire.ts';

async function ruleOf(name: string): Promise<RuleToday[]> {
  try {
    const { kind, rule } = await todayOf(name, undefined);
    // Projectors handle what has come together.
    return [{ name, rule, service: kind === 'projector' ? { batch: BATCH, calls: 1 } : { batch: 1 } }];
  } catch (error) {
    if (error instanceof UsageError) return [];
    throw error;
  }
}

/** Those of `names` that have one. */
export const rulesToday = async (names: readonly string[]): Promise<RuleToday[]> =>
  (await Promise.all(names.map(ruleOf))).flat();
