/** The dashboard's queries, with numbers in place of Grafana's variables. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { repository } from '../../scripts/registry/repository.ts';

type Panel = { readonly title: string; readonly targets: readonly { readonly expr: string }[] };
type Dashboard = { readonly panels: readonly Panel[] };
export type DashboardQuery = { readonly title: string; readonly expr: string };

export const telemetryFile = (name: string): string => path.join(repository, 'infra/telemetry', name);

/** Over the last five minutes. */
const VARIABLES: Readonly<Record<string, string>> = {
  $__rate_interval: '1m',
  $__range_s: '300',
  $__range: '5m',
};

const filled = (expr: string): string =>
  Object.entries(VARIABLES).reduce((text, [name, value]) => text.replaceAll(name, value), expr);

export function dashboardQueries(): DashboardQuery[] {
  const { panels } = JSON.parse(readFileSync(telemetryFile('grafana-dashboard.json'), 'utf8')) as Dashboard;
  return panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, expr: filled(expr) })));
}
