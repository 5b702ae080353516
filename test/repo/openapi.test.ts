import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { docsPage } from '../../functions/api/queries-api/docs-page.ts';
import { allRoutes, openApiDocument } from '../../scripts/generate/openapi.ts';
import { repository } from '../../scripts/registry/repository.ts';
import { operations } from '../support/contract.ts';

const text = readFileSync(path.join(repository, 'functions/gen/openapi.json'), 'utf8');

test('every route is in the document, and every path of the document is a route', async () => {
  const routes = (await allRoutes()).map(({ method, path: at }) => `${method} ${at.replaceAll(/:(\w+)/g, '{$1}')}`);
  expect(routes.length).toBeGreaterThan(15);
  expect([...operations].sort()).toEqual(routes.sort());
});

test('the committed document is what the routes say today; if not, run npm run generate', async () => {
  expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(openApiDocument(await allRoutes()))));
});

test('every reference of the document leads to a schema, and no operation id is there twice', () => {
  const { components } = JSON.parse(text);
  const references = [...text.matchAll(/"\$ref": "#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name);
  expect(Object.keys(components.schemas).sort()).toEqual([...new Set(references)].sort());
  const ids = [...text.matchAll(/"operationId": "(\w+)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(operations.length);
});

test('the page shows every operation and every schema, loads nothing and shows no text as markup', () => {
  const page = docsPage(JSON.parse(text.replaceAll('"Sign up"', '"<b>Sign up</b>"')));
  for (const operation of operations) expect(page).toContain(`<code>${operation.split(' ')[1]}</code>`);
  for (const [, name] of text.matchAll(/schemas\/(\w+)"/g)) expect(page).toContain(`id="${name}"`);
  expect(page).toContain('&lt;b&gt;Sign up');
  expect(page).not.toMatch(/<b>|<script|<link|<img|url\(|https?:/);
  expect(page).not.toContain('undefined');
});
