import { describe, expect, it } from 'vitest';
import { accountOf, describeEvent, outcomeOf, seenIn } from '../../agent/rehearsal/events.ts';

const line = (msg: string, fields: object): string =>
  JSON.stringify({ level: 30, time: '2026-01-01T00:00:00Z', ...fields, msg });

describe('describeEvent', () => {
  it.each([
    [
      'agent started',
      { environment: 'rehearsal', version: '1' },
      'agent started, environment rehearsal',
    ],
    [
      'revision seen',
      { revision: '0123456789abcdef', subject: 'Add a site' },
      'revision 0123456789 "Add a site"',
    ],
    [
      'revision invalid',
      { revision: '0123456789abcdef', text: 'error[x]: y\n' },
      'revision 0123456789 is invalid, nothing is applied\nerror[x]: y',
    ],
    [
      'change applied',
      { id: 'stack/a', target: 'service a_web', verb: 'create', ms: 12 },
      'stack/a: create service a_web (12 ms)',
    ],
    [
      'change failed',
      { id: 'stack/a', target: 'service a_web', why: 'no' },
      'stack/a: service a_web: no',
    ],
    ['unit verifying', { id: 'stack/a', tasks: 'web 1/2' }, 'stack/a: web 1/2'],
    ['unit healthy', { id: 'stack/a', ms: 6_540 }, 'stack/a: healthy after 6.5 s'],
    ['unit held', { id: 'stack/a', why: 'dependency' }, 'stack/a: held: dependency'],
    [
      'unit failed',
      { id: 'stack/a', why: 'sick', evidence: 'exit 1\n' },
      'stack/a: failed: sick\nexit 1',
    ],
    ['unit failed', { id: 'stack/a', why: 'sick', evidence: '' }, 'stack/a: failed: sick'],
    [
      'revision healthy',
      { revision: '0123456789abcdef', ms: 7_000 },
      'revision 0123456789 is healthy, 7.0 s after it was seen',
    ],
    [
      'revision failed',
      { revision: '0123456789abcdef', failed: ['stack/a', 'stack/b'], ms: 7_000 },
      'revision 0123456789 failed, 7.0 s after it was seen: stack/a, stack/b',
    ],
    [
      'unit removing',
      { id: 'stack/a', targets: ['service a_web', 'network a_default'] },
      'stack/a: left the repository, is removed: service a_web, network a_default',
    ],
    ['unit removed', { id: 'stack/a', ms: 2_000 }, 'stack/a: removed after 2.0 s'],
    [
      'approval refused',
      { digest: '3f2a91c07b1e', by: 'root@m1', why: 'it changed' },
      'approve 3f2a91c07b1e asked by root@m1: it changed',
    ],
    ['unit degraded', { id: 'stack/a', tasks: 'web 1/2' }, 'stack/a: degraded: web 1/2'],
    ['unit recovered', { id: 'stack/a', tasks: 'web 2/2' }, 'stack/a: recovered: web 2/2'],
    [
      'unit notes',
      { id: 'stack/a', notes: ['a network stays', 'a volume stays'] },
      'stack/a: a network stays\nstack/a: a volume stays',
    ],
    ['waiting', { why: 'no leader' }, 'waiting: no leader'],
    ['waiting', { of: 'swarm', why: 'no leader' }, 'waiting for the Swarm: no leader'],
    ['waiting', { of: 'repository', why: 'no key' }, 'waiting for the repository: no key'],
    ['going on', { of: 'swarm' }, 'the Swarm can be read again'],
    ['going on', { of: 'repository' }, 'the repository can be read again'],
    ['agent stopped', { why: 'asked to stop' }, 'agent stopped: asked to stop'],
    ['something new', { count: 2, list: ['a'], text: 'b' }, 'something new count=2 list=a text=b'],
  ])('%s', (msg, fields, text) => expect(describeEvent(line(msg, fields)).text).toBe(text));

  it.each(['', 'Error: boom', '{"half":', '[]', 'null', '"text"', '{"level":30}'])(
    'shows `%s`, which is no event, as it is',
    (text) => expect(describeEvent(text)).toEqual({ text, tone: 'dim' }),
  );
});

describe('outcomeOf', () => {
  it.each([
    ['revision healthy', { revision: 'a', status: 'healthy' }],
    ['revision invalid', { revision: 'a', status: 'failed' }],
    ['revision failed', { revision: 'a', status: 'failed' }],
    ['revision seen', undefined],
    ['unit failed', undefined],
    ['unit healthy', undefined],
    ['change failed', undefined],
  ])('%s', (msg, outcome) => expect(outcomeOf(line(msg, { revision: 'a' }))).toEqual(outcome));
});

describe('seenIn', () => {
  it('gives the revision of that event only', () => {
    expect(seenIn(line('revision seen', { revision: 'a' }))).toBe('a');
    expect(seenIn(line('revision healthy', { revision: 'a' }))).toBeUndefined();
    expect(seenIn('{"half":')).toBeUndefined();
  });
});

describe('accountOf', () => {
  const started = line('agent started', {});
  const seen = (revision: string): string => line('revision seen', { revision });
  const healthy = (revision: string): string => line('revision healthy', { revision });
  const failed = (revision: string): string => line('revision failed', { revision });
  const unit = line('unit failed', { id: 'stack/a' });
  const other = line('change applied', { id: 'stack/a' });

  it.each([
    ['nothing', [], undefined, []],
    ['an older revision that is healthy', [started, seen('a'), healthy('a')], undefined, []],
    ['one that is not done', [started, seen('b'), unit], undefined, []],
    [
      'one that is healthy',
      [started, seen('a'), healthy('a'), seen('b'), other, healthy('b')],
      'healthy',
      [seen('b'), healthy('b')],
    ],
    [
      'one that failed, and why',
      [seen('b'), other, unit, failed('b'), other],
      'failed',
      [seen('b'), unit, failed('b')],
    ],
    [
      'one that recovered',
      [seen('b'), unit, failed('b'), healthy('b')],
      'healthy',
      [seen('b'), healthy('b')],
    ],
    ['an agent that began anew', [seen('b'), healthy('b'), started], undefined, []],
    ['an agent that went back', [seen('b'), failed('b'), seen('a'), seen('b')], undefined, []],
    ['one that was left for another', [seen('b'), healthy('b'), seen('c')], undefined, []],
    [
      'lines that are no events',
      [seen('b'), 'Error: boom', healthy('b')],
      'healthy',
      [seen('b'), healthy('b')],
    ],
  ])('%s', (_, log, status, lines) => {
    const account = accountOf(log, 'b');
    expect(account.outcome?.status).toBe(status);
    expect(account.lines).toEqual(lines);
  });
});
