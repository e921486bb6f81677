import { describe, expect, it } from 'vitest';

import { planUsage, planWantedOf } from '../../agent/cli/plan-options.ts';

const of = (line: string, environment = {}) => planWantedOf(line.split(' '), environment, true);

describe('options of understudy plan', () => {
  it('have defaults', () => {
    expect(of('.')).toEqual({
      folder: '.',
      offline: false,
      socket: '/var/run/docker.sock',
      format: 'text',
      exitCode: false,
      colour: true,
      watch: false,
      apply: false,
    });
    expect(of('.', { UNDERSTUDY_DOCKER_SOCKET: '/s' })).toMatchObject({ socket: '/s' });
    expect(of('. --no-colour')).toMatchObject({ colour: false });
  });

  it.each([
    ['', 'name the folder'],
    ['a b', 'one folder only'],
    ['. --format xml', 'is one of text, json, markdown'],
    ['. --from main', '`--from` goes with `--offline`'],
    ['. --offline --socket /s', 'do not go together'],
    ['. --apply', '`--apply` goes with `--watch`'],
    ['. --watch --apply --offline', 'do not go together'],
    ['. --watch --to main', 'leave `--to` out'],
    ['. --watch --exit-code', 'do not go together'],
    ['. --watch --format json', 'text only'],
    ['. --no-such', 'no-such'],
  ])('%j is wrong', (line, why) => {
    const wanted = planWantedOf(line.split(' ').filter(Boolean), {}, true);
    expect(wanted).toEqual({ wrong: expect.stringContaining(why) });
  });

  it('are all told by --help', () => {
    expect(of('--help')).toBe('help');
    for (const option of [
      'from',
      'to',
      'offline',
      'socket',
      'format',
      'exit-code',
      'watch',
      'apply',
    ]) {
      expect(planUsage).toContain(`--${option} `);
    }
  });
});
