/** Functions, settings and rules → the tables in READMEs. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { readDefinitions } from '../registry/functions.ts';
import { repository } from '../registry/repository.ts';
import { functionsTable } from './functions-table.ts';
import type { Generated } from './generated.ts';
import { withSection } from './section.ts';
import { settingsTable } from './settings-table.ts';

const README = 'functions/README.md';

export async function readmeFiles(): Promise<Generated> {
  const readme = readFileSync(path.join(repository, README), 'utf8');
  const withFunctions = withSection(README, readme, 'functions', ['', ...(await functionsTable()), '']);
  const settings = ['', ...settingsTable(await readDefinitions()), ''];
  return { [README]: withSection(README, withFunctions, 'settings', settings) };
}
