import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';

import { systemClock } from '../../agent/clock.ts';
import { openServers, type Servers } from '../../agent/providers/mysql/servers.ts';
import type { Flavor } from '../../agent/rehearsal/mysql/programs.ts';
import type { Server, ServerPlan } from '../../agent/rehearsal/mysql/server.ts';
import { describePasswords, type PasswordWorld } from '../contract/passwords.ts';
import { newPlan, plainly, programsOf, started, USER } from './database.ts';

/** What stacks log in with, on real servers: whether a password is good is what a login says. */
describe.each<Flavor>(['mysql', 'mariadb'])('passwords of accounts on a server of %s', (flavor) => {
  let plan: ServerPlan;
  let server: Server;
  let servers: Servers;
  let away = false;
  const nobody = { status: 'away', why: 'no host answers' } as const;

  beforeAll(async () => {
    plan = newPlan();
    server = await started(await programsOf(flavor), plan);
    const ca = { mode: 'required', caFile: join(plan.folder, 'data', 'ca.pem') } as const;
    const tls =
      flavor === 'mysql'
        ? { ...ca, verifyName: false }
        : ({ mode: 'off', verifyName: true } as const);
    const login = { user: USER, passwordFile: plan.passwordFile, tls, databases: [] };
    servers = openServers(
      { main: { hosts: [`127.0.0.1:${server.port}`], ...login } },
      { clock: systemClock, guard: { refusal: () => undefined }, term: () => 1, holder: 'one' },
    );
  });
  afterAll(async () => {
    servers.close();
    await server.stop();
    rmSync(dirname(plan.folder), { recursive: true });
  });

  const world: PasswordWorld = {
    name: 'main',
    get away() {
      return away;
    },
    set away(is: boolean) {
      away = is;
    },
    servers: {
      observe: async (names, signal) =>
        away ? new Map(names.map((name) => [name, nobody])) : servers.observe(names, signal),
      call: async (call, signal) => servers.call(call, signal),
    },
    opens: async (password, user) =>
      await plainly({ host: '127.0.0.1', port: server.port, user, password }, async (one) => {
        await one.query('SELECT 1');
        return true;
      }).catch((error: unknown) => {
        if (String(error).includes('Access denied')) return false;
        throw error;
      }),
  };
  describePasswords(() => world);
});
