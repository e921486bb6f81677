import { join } from 'node:path';
import type { StagePlan } from '../plan.ts';
import { routerPort } from './router-place.ts';
import { databasePort, type MysqlShape } from './shape.ts';
import type { Flavor } from './programs.ts';

/** How the database servers of a stage are reached. */
export interface MysqlAccess {
  readonly shape: MysqlShape;
  readonly flavor: Flavor;
  /** As the settings of the agents and the environment name them together. */
  readonly name: string;
  /** Host and port of each. */
  readonly hosts: readonly string[];
  /** The same for sites: one router, where there is one. */
  readonly siteHosts: readonly string[];
  /** The agents' account, which may do no more than they need. */
  readonly user: string;
  readonly passwordFile: string;
  /** A pattern of the databases that it may make. */
  readonly databases: string;
  readonly servers: readonly MysqlServer[];
}

/** One of them. */
export interface MysqlServer {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** Root of the machine comes in here, without a password. */
  readonly socket: string;
  readonly log: string;
}

/** Pure. Absent where the stage has no database servers. */
export function mysqlAccess(plan: StagePlan): MysqlAccess | undefined {
  if (plan.mysql === undefined) return undefined;
  const hosts = plan.databases.map(({ address }) => `${address}:${databasePort}`);
  return {
    shape: plan.mysql,
    flavor: plan.mysql === 'group' ? 'mysql' : 'mariadb',
    name: 'main',
    hosts,
    siteHosts: plan.router === undefined ? hosts : [`${plan.router.address}:${routerPort}`],
    user: 'understudy',
    passwordFile: join(plan.folder, 'keys', 'mysql-password'),
    databases: 'blog%',
    servers: plan.databases.map(({ name, address, folder }) => ({
      name,
      address,
      port: databasePort,
      socket: join(folder, 'socket'),
      log: join(folder, 'log'),
    })),
  };
}

/** Pure. What an agent's settings say of them; nothing where there are none. */
export function mysqlSettings(plan: StagePlan): Readonly<Record<string, unknown>> {
  const access = mysqlAccess(plan);
  if (access === undefined) return {};
  const { name, hosts, user, passwordFile, databases } = access;
  // MySQL made certificates for itself, all servers from one data directory; MariaDB 10.11 has none.
  const caFile = join(plan.databases[0]?.folder ?? '', 'data', 'ca.pem');
  const tls =
    access.flavor === 'mysql' ? { mode: 'required', caFile, verifyName: false } : { mode: 'off' };
  return { mysql: { [name]: { hosts, user, passwordFile, tls, databases: [databases] } } };
}
