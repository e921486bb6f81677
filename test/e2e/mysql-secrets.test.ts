import { afterAll, beforeAll, describe } from 'vitest';

import { describePasswords, type PasswordWorld } from '../contract/passwords.ts';
import { plainly } from './database.ts';
import { databasePlaces, DatabaseUnits } from './database-units.ts';

/** What stacks log in with, on real servers: whether a password is good is what a login says. */
describe.each(databasePlaces)('passwords of accounts on %s', (place) => {
  let one: DatabaseUnits;
  let away = false;
  const nobody = { status: 'away', why: 'no host answers' } as const;

  beforeAll(async () => {
    one = await DatabaseUnits.on(place, false);
  });
  afterAll(async () => {
    await one.close();
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
        away
          ? new Map(names.map((name) => [name, nobody]))
          : one.ports.servers.observe(names, signal),
      call: async (call, signal) => one.ports.servers.call(call, signal),
    },
    opens: async (password, user) => {
      const login = { host: '127.0.0.1', port: one.server.port, user, password };
      return await plainly(login, async (session) => {
        await session.query('SELECT 1');
        return true;
      }).catch((error: unknown) => {
        if (String(error).includes('Access denied')) return false;
        throw error;
      });
    },
  };
  describePasswords(() => world);
});
