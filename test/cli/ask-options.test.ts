import { describe, expect, it } from 'vitest';

import { askUsage, wantedOf } from '../../agent/cli/ask-options.ts';

const plain = {
  unit: 'stack/blog',
  socket: '/var/run/docker.sock',
  waitMs: 60_000,
  json: false,
};

describe('wantedOf', () => {
  it.each<['retry' | 'rollback', string[], object]>([
    ['retry', ['stack/blog'], plain],
    ['retry', ['blog'], plain],
    ['retry', ['mysql-user/main/blog'], { ...plain, unit: 'mysql-user/main/blog' }],
    ['retry', ['blog', '--socket', '/s'], { ...plain, socket: '/s' }],
    ['retry', ['--timeout=1m30s', 'blog'], { ...plain, waitMs: 90_000 }],
    ['retry', ['blog', '--json'], { ...plain, json: true }],
    ['rollback', ['blog'], plain],
    ['rollback', ['blog', '--to', '3f2a91c'], { ...plain, to: '3f2a91c' }],
  ])('%s %j', (verb, args, expected) =>
    expect(wantedOf(verb, args, {})).toEqual({ verb, ...expected }),
  );

  it('approves by the first digits of a digest, and by nothing else', () => {
    const { unit: _unit, ...rest } = plain;
    const digest = '3f2a91c07b1e';
    expect(wantedOf('approve', [digest], {})).toEqual({ verb: 'approve', digest, ...rest });
    for (const wrong of ['', 'stack/blog', '3f2a91c', '3F2A91C07B1E', 'a'.repeat(65)]) {
      expect(wantedOf('approve', [wrong], {})).toEqual({
        wrong: expect.stringMatching(/by its digest/),
      });
    }
    expect(wantedOf('approve', [digest, 'x'], {})).toEqual({
      wrong: expect.stringMatching(/one digest only/),
    });
    expect(wantedOf('approve', [digest, '--to', 'x'], {})).toHaveProperty('wrong');
  });

  it('waits for nothing with --no-wait', () => {
    expect(wantedOf('retry', ['blog', '--no-wait'], {})).not.toHaveProperty('waitMs');
  });

  it.each([
    [{ UNDERSTUDY_DOCKER_SOCKET: '/e' }, [], '/e'],
    [{ UNDERSTUDY_DOCKER_SOCKET: '/e' }, ['--socket', '/f'], '/f'],
    [{ UNDERSTUDY_DOCKER_SOCKET: '' }, [], '/var/run/docker.sock'],
    [{ DOCKER_HOST: 'tcp://elsewhere' }, [], '/var/run/docker.sock'],
  ])('with %j and %j the socket is %s', (environment, args, socket) =>
    expect(wantedOf('retry', ['blog', ...args], environment)).toMatchObject({ socket }),
  );

  it.each<['retry' | 'rollback', string[], RegExp]>([
    ['retry', [], /name the unit/],
    ['retry', [''], /name the unit/],
    ['retry', ['/blog'], /name the unit/],
    ['retry', ['stack/'], /name the unit/],
    ['retry', ['a', 'b'], /one unit only, not `b`/],
    ['retry', ['blog', '--to', 'abc'], /belongs to `understudy rollback`/],
    ['rollback', ['blog', '--to', 'a b'], /`--to` is/],
    ['rollback', ['blog', '--to', ''], /`--to` is/],
    ['rollback', ['blog', '--to'], /--to/],
    ['retry', ['blog', '--timeout', 'soon'], /such as `60s`/],
    ['retry', ['blog', '--timeout', '0s'], /such as `60s`/],
    ['retry', ['blog', '--wait'], /--wait/],
  ])('%s %j is wrong use', (verb, args, wrong) =>
    expect(wantedOf(verb, args, {})).toEqual({ wrong: expect.stringMatching(wrong) }),
  );

  it.each(['retry', 'rollback', 'approve'] as const)(
    '%s has help that names every option',
    (verb) => {
      expect(wantedOf(verb, ['--help'], {})).toBe('help');
      for (const option of ['--socket', '--no-wait', '--timeout', '--json', '--help']) {
        expect(askUsage[verb]).toContain(`  ${option}`);
      }
      expect(askUsage[verb].includes('--to RELEASE')).toBe(verb === 'rollback');
    },
  );
});
