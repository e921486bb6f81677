import { join } from 'node:path';
import process from 'node:process';

import { describe, expect, it } from 'vitest';

import { type LoginTask, openPurger } from '../../agent/cli/purge-login.ts';
import type { PurgeLogin, Purger } from '../../agent/core/purge.ts';
import { Secret } from '../../agent/core/secret.ts';

const { signal } = new AbortController();

interface Story {
  readonly by: PurgeLogin['by'];
  readonly wanted?: LoginTask['wanted'];
  /** What a person types; absent: there is no terminal. */
  readonly types?: readonly string[];
}

async function login({ by, wanted = {}, types }: Story) {
  const logins: PurgeLogin[] = [];
  const open = (one: PurgeLogin): Purger => {
    logins.push(one);
    const nothing = async () => Promise.reject(new Error('nobody looks'));
    return { look: nothing, purge: nothing };
  };
  const answers = [...(types ?? [])];
  const told = await openPurger(
    {
      wanted,
      io: {
        ...(types && {
          terminal: {
            ask: async () => Promise.resolve(answers.shift()),
            askSecret: async () => Promise.resolve(new Secret(answers.shift() ?? '')),
          },
        }),
        readPassword: async () => Promise.resolve(new Secret('canary')),
      },
      target: { by, what: 'it', name: 'one', kept: () => undefined, open },
    },
    signal,
  );
  return { told, logins };
}

describe('the login of who deletes', () => {
  it.each<[string, Story, object]>([
    ['a keyring', { by: 'keyring', wanted: { user: 'client.admin', keyring: '/k' } }, { user: 'client.admin', keyringFile: '/k' }], // prettier-ignore
    ['a keyring beside one', { by: 'keyring', wanted: { user: 'client.ana', keyring: 'own/k' } }, { keyringFile: join(process.cwd(), 'own/k') }], // prettier-ignore
    ['one that is typed', { by: 'keyring', types: ['client.ana', '/k'] }, { user: 'client.ana', keyringFile: '/k' }], // prettier-ignore
    ['the usual one', { by: 'keyring', types: ['client.ana', ''] }, { user: 'client.ana', keyringFile: '/etc/ceph/ceph.client.ana.keyring' }], // prettier-ignore
    [
      'a password',
      { by: 'password', wanted: { user: 'ana', passwordFile: '/p' } },
      { user: 'ana' },
    ],
  ])('is %s', async (_, story, one) => {
    expect((await login(story)).logins).toEqual([
      expect.objectContaining({ by: story.by, ...one }),
    ]);
  });

  it.each<[Story, 1 | 2, string]>([
    [{ by: 'keyring' }, 2, 'name your client of Ceph with `--user`'],
    [{ by: 'keyring', types: [] }, 1, 'name your client of Ceph with `--user`'],
    [{ by: 'keyring', types: ['client.ana'] }, 1, '`--keyring`'],
    [
      { by: 'keyring', wanted: { user: 'admin', keyring: '/k' } },
      2,
      '`admin` is no client of Ceph',
    ],
    [{ by: 'keyring', wanted: { user: 'client.', keyring: '/k' } }, 2, 'is no client of Ceph'],
    [{ by: 'keyring', wanted: { passwordFile: '/p' } }, 2, '`--password-file` is not for it: that takes `--keyring`'], // prettier-ignore
    [{ by: 'password', wanted: { keyring: '/k' } }, 2, '`--keyring` is not for it: that takes `--password-file`'], // prettier-ignore
  ])('is none with %j', async (story, code, why) => {
    const { told, logins } = await login(story);
    expect(told).toEqual({ code, why: expect.stringContaining(why) });
    expect(logins).toEqual([]);
  });
});
