import { join } from 'node:path';

/** Which database servers a stage has: one MariaDB, three MySQL as a group, three MariaDB as a Galera cluster. */
export const mysqlShapes = ['single', 'group', 'galera'] as const;
export type MysqlShape = (typeof mysqlShapes)[number];

/** What a stage has that is to show everything: the smallest. */
export const usualShape: MysqlShape = 'single';

/** One database server of a stage. */
export interface DatabasePlan {
  readonly name: string;
  readonly address: string;
  /** Its network namespace, as under /run/netns. */
  readonly namespace: string;
  readonly folder: string;
}

/** Every server listens there, on an address of its own. */
export const databasePort = 3306;

/** Pure. */
export function shapeNamed(name: unknown): MysqlShape | undefined {
  return mysqlShapes.find((shape) => shape === name);
}

/** Pure. The database servers of a stage. `network`: the first three numbers of its addresses. */
export function databasesOf(
  shape: MysqlShape | undefined,
  {
    name,
    network,
    folder,
  }: { readonly name: string; readonly network: string; readonly folder: string },
): readonly DatabasePlan[] {
  const count = shape === undefined ? 0 : shape === 'single' ? 1 : 3;
  return Array.from({ length: count }, (_, index) => ({
    name: `db${index + 1}`,
    address: `${network}.${31 + index}`,
    namespace: `${name}-db${index + 1}`,
    folder: join(folder, `db${index + 1}`),
  }));
}
