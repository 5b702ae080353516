/** The lists of migrations and roles of Postgres, and how a function gets into each. */
import path from 'node:path';
import { migrationOf, roleFor } from './database.ts';
import { type Edit, insert, lineOf } from './edit.ts';
import { tableOf } from './names.ts';
import type { Request } from './request.ts';

/** The role below whose entry a new one goes. */
const modelOf = ({ kind }: Request): string => (kind === 'http' ? 'queries_api' : 'orders_projector');

/** In the row of its role, or in a row of its own. */
export const withRole: Edit = (text, request) => {
  const { kind, name } = request;
  const role = roleFor(request);
  if (role === undefined) return text;
  const used = kind === 'projector' ? `\`${tableOf(name)}\`` : '`signing_keys`';
  const isOf = (role: string) => (line: string) => line.startsWith(`| \`${role}\` |`);
  const lines = text.split('\n');
  const own = lines.findIndex(isOf(role));
  if (own < 0) {
    const may = kind === 'projector' ? `read and write ${used}` : `read ${used}`;
    const below = lineOf(text, 'row of a role', isOf(modelOf(request)));
    return insert(text, below + 1, `| \`${role}\` | \`${name}\` | ${may} |`);
  }
  const row = (lines[own] ?? '').replace(/^(\|[^|]*\|[^|]*[^| ]) \|/, `$1, \`${name}\` |`);
  return lines.with(own, kind === 'projector' ? row.replace(/ \|$/, `, ${used} |`) : row).join('\n');
};

/** Below the other migrations. */
export const withMigration: Edit = (text, request) => {
  const [file] = migrationOf(request) ?? [];
  if (file === undefined) return text;
  const last = text.split('\n').findLastIndex((line) => line.includes('- migrations/'));
  return insert(text, last + 1, `      - migrations/${path.basename(file)}`);
};

/** Connections that the pools of one more role may take: two poolers of 10. */
const POOLS = 20;

/** Its role, when that is new, with a login and room for its pools. */
export const amongRoles: Edit = (text, request) => {
  const role = roleFor(request);
  if (role === undefined || text.includes(`{ name: ${role}, `)) return text;
  const model = modelOf(request);
  const group = lineOf(text, `role ${model}`, (line) => line.includes(`{ name: ${model}, login: false }`));
  const grouped = insert(text, group + 1, `      - { name: ${role}, login: false }`);
  const login = lineOf(grouped, `login of ${model}`, (line) => line === `      - name: ${model}_login`);
  const next = lineOf(grouped, `login after that of ${model}`, (line) => line.startsWith('      - name: '), login + 1);
  const secret = `postgres-${role.replaceAll('_', '-')}`;
  const entry = [
    `      - name: ${role}_login`,
    '        login: true',
    `        inRoles: [${role}]`,
    `        passwordSecret: { name: ${secret} }`,
  ];
  return insert(grouped, next, entry.join('\n')).replace(
    /(max_connections: ")(\d+)"/,
    (_, before, most) => `${before}${Number(most) + POOLS}"`,
  );
};

/** In the line of its role, or in a line of its own. */
export const withLogin: Edit = (text, request) => {
  const role = roleFor(request);
  if (role === undefined) return text;
  const own = new RegExp(`^(login ${role} .*[^ ])$`, 'm');
  if (own.test(text)) return text.replace(own, `$1 ${request.name}`);
  const below = lineOf(text, 'login', (line) => line.startsWith(`login ${modelOf(request)} `));
  return insert(text, below + 1, `login ${role} "$pooler" DATABASE_URL ${request.name}`);
};
