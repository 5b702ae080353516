import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { dashboardQueries, telemetryFile } from '../support/dashboard.ts';
import { at, kindOf } from '../support/kubernetes-objects.ts';
import { build } from '../support/kustomize.ts';
import { mountedConfiguration } from '../support/prometheus.ts';
import { obtainPrometheus } from '../support/prometheus-binary.ts';

type Rule = {
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: { readonly severity: string };
  readonly annotations?: { readonly summary: string; readonly runbook_url: string };
};
type Case = { readonly alertname: string; readonly exp_alerts: readonly object[] };
type Tests = { readonly tests: readonly { readonly alert_rule_test?: readonly Case[] }[] };
type Collector = Readonly<Record<'receivers' | 'processors' | 'exporters' | 'extensions', object>> & {
  readonly service: { readonly pipelines: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> };
};

const run = promisify(execFile);
const read = (name: string): unknown => parse(readFileSync(telemetryFile(name), 'utf8'));
const rules = (read('prometheus-rules.yaml') as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);
const alerts = rules.filter(({ alert }) => alert !== undefined);

let folder: string;
let promtool: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-rules-'));
  ({ promtool } = await obtainPrometheus());
}, 180_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

test('Prometheus takes its configuration and the rules', async () => {
  await run(promtool, ['check', 'config', mountedConfiguration(folder)]);
});

test('alerts fire and go as their tests say', async () => {
  await run(promtool, ['test', 'rules', telemetryFile('prometheus-rules.test.yaml')]);
});

test('every alert has a test in which it fires, and one in which it is gone', () => {
  const { tests } = read('prometheus-rules.test.yaml') as Tests;
  const cases = tests.flatMap(({ alert_rule_test = [] }) => alert_rule_test);
  for (const { alert } of alerts) {
    const fires = cases.filter(({ alertname }) => alertname === alert).map(({ exp_alerts }) => exp_alerts.length > 0);
    expect(new Set(fires), alert).toEqual(new Set([true, false]));
  }
});

test('every alert says how bad it is, and which section of the runbook tells what to do', () => {
  const sections = [...readFileSync(telemetryFile('runbook.md'), 'utf8').matchAll(/^## (.+)$/gm)].map(
    ([, title = '']) => `infra/telemetry/runbook.md#${title.toLowerCase().replaceAll(' ', '-')}`,
  );
  for (const { alert, labels, annotations } of alerts) {
    expect(['page', 'ticket'], alert).toContain(labels?.severity);
    expect(sections, alert).toContain(annotations?.runbook_url);
  }
  expect(new Set(alerts.map(({ annotations }) => annotations?.runbook_url))).toEqual(new Set(sections));
});

test('every query of the dashboard is PromQL', async () => {
  const queries = dashboardQueries();
  expect(queries.length).toBeGreaterThan(15);
  const file = path.join(folder, 'queries.yaml');
  const asRules = queries.map(({ expr }, index) => ({ record: `query_${index}`, expr }));
  writeFileSync(file, stringify({ groups: [{ name: 'dashboard', rules: asRules }] }));
  await run(promtool, ['check', 'rules', file]);
});

test('the pipelines of the collector are made of what is configured, and use all of it', () => {
  const { service, ...parts } = read('collector-config.yaml') as Collector;
  const pipelines = Object.values(service.pipelines);
  for (const part of ['receivers', 'processors', 'exporters'] as const)
    expect(new Set(pipelines.flatMap((pipeline) => pipeline[part] ?? [])), part).toEqual(
      new Set(Object.keys(parts[part])),
    );
});

test('a cluster and Docker mount the rules and the dashboard where Prometheus and Grafana look for them', async () => {
  const { services } = read('../compose.yaml') as { services: Record<string, { volumes: readonly string[] }> };
  const objects = await build('infra/telemetry');
  const keysOf = (name: string) =>
    Object.keys(kindOf(objects, 'ConfigMap').find(({ metadata }) => metadata.name.startsWith(`${name}-`))?.data ?? {});
  const [rulesFile] = (read('prometheus-config.yaml') as { rule_files: string[] }).rule_files;
  expect(keysOf('prometheus')).toContain(rulesFile);
  expect(services.prometheus?.volumes).toContain(`./telemetry/prometheus-rules.yaml:/etc/prometheus/${rulesFile}:ro`);
  const [provider] = (read('grafana-dashboards.yaml') as { providers: { options: { path: string } }[] }).providers;
  const folder = provider?.options.path;
  expect(services.grafana?.volumes).toContain(`./telemetry/grafana-dashboard.json:${folder}/millrace.json:ro`);
  const grafana = kindOf(objects, 'Deployment').find(({ metadata }) => metadata.name === 'grafana');
  const mounts = at<{ mountPath: string }[]>(grafana, 'spec', 'template', 'spec', 'containers', 0, 'volumeMounts');
  expect(mounts.map(({ mountPath }) => mountPath)).toContain(folder);
  expect(keysOf('grafana-dashboards')).toEqual(expect.arrayContaining(['millrace.json', 'dashboards.yaml']));
}, 120_000);
