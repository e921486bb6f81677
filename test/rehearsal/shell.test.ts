import { describe, expect, it } from 'vitest';
import { markOf, planStage } from '../../agent/rehearsal/plan.ts';
import { shellScript, shellWord } from '../../agent/rehearsal/shell.ts';
import { sshCommand } from '../../agent/rehearsal/working-copy.ts';

describe('shellWord', () => {
  it.each([
    ['/usr/bin/ssh', '/usr/bin/ssh'],
    ['/srv/a b', "'/srv/a b'"],
    ["it's", String.raw`'it'\''s'`],
    ['$HOME;id', "'$HOME;id'"],
    ['', "''"],
  ])('%s', (text, word) => expect(shellWord(text)).toBe(word));
});

it('shellScript keeps values out of the script', () => {
  expect(shellScript(['a "$1"', 'b'], ['x y; id'])).toEqual([
    'sh',
    '-c',
    'a "$1" && b',
    'sh',
    'x y; id',
  ]);
});

it('sshCommand quotes what Git hands to a shell', () => {
  const command = sshCommand('/keys/a b', '/keys/known hosts', '/srv/a b/ssh');
  expect(command).toMatch(/^'\/srv\/a b\/ssh' /);
  expect(command).toContain(`-o 'UserKnownHostsFile="/keys/known hosts"' `);
  expect(command).toMatch(/ -i '\/keys\/a b'$/);
});

it('markOf tells two stages apart', () => {
  expect(markOf(planStage({}))).not.toEqual(markOf(planStage({ name: 'ust' })));
});
