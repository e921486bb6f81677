import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Connection, createConnection } from 'mysql2/promise';
import { fetchPrograms, type Flavor, type Programs } from '../../agent/rehearsal/mysql/programs.ts';
import { type Server, type ServerPlan, startServer } from '../../agent/rehearsal/mysql/server.ts';
import { projectFolder } from '../../agent/rehearsal/plan.ts';

/** Real MySQL and MariaDB servers for tests, on loopback. */

/** What must appear nowhere but where it is sent. */
export const PASSWORD = 'CanaryPassword4711';
export const USER = 'keeper';

const within = (): AbortSignal => AbortSignal.timeout(400_000);

export async function programsOf(flavor: Flavor): Promise<Programs> {
  const packages = join(projectFolder, '.rehearsal', 'packages');
  return await fetchPrograms(packages, flavor, () => undefined, within());
}

/** A folder with the password beside it, and what follows from the two. */
export function newPlan(more: Partial<ServerPlan> = {}): ServerPlan {
  const top = mkdtempSync(join(tmpdir(), 'understudy-db-'));
  const passwordFile = join(top, 'password');
  writeFileSync(passwordFile, `${PASSWORD}\n`, { mode: 0o600 });
  return { folder: join(top, 'server'), address: '127.0.0.1', user: USER, passwordFile, ...more };
}

export async function started(programs: Programs, plan: ServerPlan): Promise<Server> {
  return await startServer(programs, plan, within());
}

/** A plain connection, for what a test does to a server by itself. */
export async function plainly<Value>(
  login: Parameters<typeof createConnection>[0] & object,
  work: (connection: Connection) => Promise<Value>,
): Promise<Value> {
  const connection = await createConnection({ connectTimeout: 10_000, ...login });
  try {
    return await work(connection);
  } finally {
    connection.destroy();
  }
}
