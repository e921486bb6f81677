import { describe, expect, it } from 'vitest';

import type { SwarmSecret } from '../../../agent/providers/mysql/generated.ts';
import type { ServerSeen } from '../../../agent/providers/mysql/observed.ts';
import { Settled } from '../../../agent/providers/mysql/settled.ts';
import { type Diff, hold, nothing } from '../../../agent/providers/mysql/unit-parts.ts';
import { mysql, render, unitIn } from './rendering.ts';

const rendered = () => {
  const done = render(mysql('kind: MySQLDatabase\nname: blog\n'));
  const unit = unitIn(done, 'mysql-database/blog');
  if (!('kind' in unit.spec)) throw new Error('no document');
  return { ...unit, spec: unit.spec };
};
const seen = (): ServerSeen => ({
  host: 'db1:3306',
  server: { flavor: 'mariadb', version: [10, 11, 0], dynamic: new Set(), partialRevokes: false },
  accounts: new Map(),
  databases: new Map(),
  collations: new Map(),
  owned: new Map(),
  self: { user: 'understudy', host: '%' },
  hasTls: true,
});
const secret = (auth: string): SwarmSecret => ({ name: 'blog_db', labels: { auth } });

describe('a unit of which nothing differs', () => {
  const [unit, server] = [rendered(), seen()];
  const own = [secret('a')];
  const asked = (settled: Settled, grounds: Parameters<Settled['of']>[0], found = nothing) => {
    let works = 0;
    const difference = settled.of(grounds, () => {
      works += 1;
      return found;
    });
    return { works, difference };
  };

  it('is not compared again while everything is as it was', () => {
    const settled = new Settled();
    const first = asked(settled, { unit, seen: server, own });
    const again = asked(settled, { unit, seen: server, own: [secret('a')] });
    expect([first.works, again.works]).toEqual([1, 0]);
    expect(again.difference).toBe(first.difference);
  });

  it.each([
    ['another document', { unit: rendered(), seen: server, own }],
    ['another look that shows another thing', { unit, seen: seen(), own }],
    ['another secret', { unit, seen: server, own: [secret('b')] }],
    ['no secret', { unit, seen: server, own: [] }],
  ])('is compared again with %s', (_what, grounds) => {
    const settled = new Settled();
    asked(settled, { unit, seen: server, own });
    expect(asked(settled, grounds).works).toBe(1);
  });

  it.each<[string, Diff]>([
    ['is held', hold(unit.spec, ['why'])],
    ['has more than it should', { ...nothing, later: [operation()] }],
    ['differs', { ...nothing, operations: [operation()] }],
  ])('is compared again where it %s', (_what, found) => {
    const settled = new Settled();
    asked(settled, { unit, seen: server, own }, found);
    expect(asked(settled, { unit, seen: server, own }).works).toBe(1);
  });
});

function operation(): Diff['operations'][number] {
  const call = { op: 'statements', statements: [] } as const;
  return {
    target: 'database blog',
    verb: 'update',
    phase: 'change',
    effect: 'none',
    fields: [],
    call,
  };
}
