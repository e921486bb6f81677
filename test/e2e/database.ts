import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { type Connection as Plain, createConnection } from 'mysql2/promise';
import { systemClock } from '../../agent/clock.ts';
import type { CallOutcome } from '../../agent/core/kind.ts';
import { Secret } from '../../agent/core/secret.ts';
import {
  type Connection,
  type Login,
  openConnection,
} from '../../agent/providers/mysql/connect.ts';
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
  work: (connection: Plain) => Promise<Value>,
): Promise<Value> {
  const connection = await createConnection({ connectTimeout: 10_000, ...login });
  try {
    return await work(connection);
  } finally {
    connection.destroy();
  }
}

/** Whether the server ended a session, which takes it a moment. What the library says of it differs with that moment. */
export async function isEnded(session: Plain): Promise<boolean> {
  for (let tries = 0; tries < 50; tries += 1) {
    const answer = await session.query('SELECT 1').catch(() => undefined);
    if (answer === undefined) return true;
    await systemClock.sleep(100, within());
  }
  return false;
}

/** The account's way in. */
export function loginTo(server: Server, more: Partial<Login> = {}): Login {
  const password = new Secret(PASSWORD);
  return { host: '127.0.0.1', port: server.port, user: USER, password, ...more };
}

/** A session of the provider's, which must come about. */
export async function session(login: Login): Promise<Connection> {
  const limits = { clock: systemClock, deadlineMs: 20_000 };
  return valueOf(await openConnection(login, limits, within()));
}

export const statement = (text: string) => ({ text: new Secret(text) });

export async function ask(connection: Connection, text: string, deadlineMs = 20_000) {
  return await connection.query(statement(text), deadlineMs, within());
}

export function valueOf<Value>(outcome: CallOutcome<Value>): Value {
  if (outcome.status !== 'ok') throw new Error(outcome.why);
  return outcome.value;
}

/** Stands before a server and knows how many are connected. */
export async function relay(port: number) {
  let open = 0;
  const between = createServer((socket) => {
    const behind = connect(port, '127.0.0.1');
    open += 1;
    socket.once('close', () => {
      open -= 1;
    });
    for (const [one, other] of [[socket, behind] as const, [behind, socket] as const]) {
      one.pipe(other);
      one.on('error', () => undefined).on('close', () => other.destroy());
    }
  }).listen(0, '127.0.0.1');
  await once(between, 'listening');
  const address = between.address();
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return { port: address.port, open: () => open, close: () => between.close() };
}

/** All that a log could print of something. */
export function everythingOf(value: unknown): string {
  return `${inspect(value, { depth: Infinity, showHidden: true })} ${JSON.stringify(value)}`;
}
