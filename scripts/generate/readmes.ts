/** Functions, settings and rules → the tables in READMEs. */
import { readmeWithTable } from './functions-table.ts';
import type { Generated } from './generated.ts';

export const readmeFiles = async (): Promise<Generated> => ({ 'functions/README.md': await readmeWithTable() });
