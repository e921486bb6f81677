import { parseLine, textAt, valueAt } from './json.ts';
import { shapeNamed } from './mysql/shape.ts';
import type { StageOptions, StagePlan } from './plan.ts';

/** Pure. The text by which a stage that stands is known: two plans of the same text are the same stage. */
export function identityOf(plan: StagePlan): string {
  const { name, subnet, engine, mysql, router, ceph, hosts } = plan;
  const places = { mysql, ...(router && { router: true }), ...(ceph && { ceph: true }) };
  const identity = { name, subnet, engine, ...places, hosts: hosts.map((host) => host.name) };
  return `${JSON.stringify(identity)}\n`;
}

/** Pure. The hosts, database servers, router and cluster that such a text names; nothing where it is none. */
export function placesIn(
  text: string,
): Pick<StageOptions, 'managers' | 'workers' | 'mysql' | 'router' | 'ceph'> {
  const identity = parseLine(text);
  const mysql = shapeNamed(textAt(identity, 'mysql'));
  const hosts = valueAt(identity, 'hosts');
  const named = Array.isArray(hosts) ? hosts.map(String) : [];
  const managers = named.filter((name) => name.startsWith('m')).length;
  return {
    ...(managers > 0 && { managers, workers: named.length - managers }),
    ...(mysql !== undefined && { mysql }),
    ...(valueAt(identity, 'router') === true && { router: true }),
    ...(valueAt(identity, 'ceph') === true && { ceph: true }),
  };
}
