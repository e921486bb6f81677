import { inspect } from 'node:util';

import { describe, expect, it } from 'vitest';

import { Claim, rivalIn } from '../../../agent/providers/mysql/claim.ts';
import { claim } from '../../../agent/providers/mysql/ledger.ts';

describe('who noted a thing on a server', () => {
  const line = (owner: string | null, id = 'mysql-user/blog') => ({ id, owner });
  it.each([
    ['nobody else', [line('production')], undefined],
    ['nobody who is named', [line(null)], undefined],
    ['another one, under the same id', [line('staging')], 'staging'],
    [
      'another one, under another id',
      [line('production'), line('staging', 'mysql-user/main/blog')],
      'staging',
    ],
    [
      'somebody who deletes it',
      [line('understudy purge of production')],
      'understudy purge of production',
    ],
    ['another one, something else', [line('staging', 'mysql-role/blog')], undefined],
  ])('is %s', (_, rows, rival) => {
    expect(rivalIn(rows, 'mysql-user/blog', 'production')).toBe(rival);
  });

  it('is any who is named, where we are not', () => {
    expect(rivalIn([line('staging')], 'mysql-user/blog', undefined)).toBe('staging');
    expect(() => rivalIn([{ id: 7 }], 'mysql-user/blog', undefined)).toThrow('not understood');
  });

  it('is written as a line, and shown as one', () => {
    const claimed = { digest: 'aa', owner: 'production' };
    const one = new Claim('mysql-user/blog', claimed, true);
    const said = String(claim('mysql-user/blog', claimed));
    expect([String(one), one.text.reveal(), inspect(one), JSON.stringify(one)]).toEqual([
      said,
      said,
      said,
      JSON.stringify(said),
    ]);
  });
});
