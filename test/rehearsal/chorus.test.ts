import { describe, expect, it } from 'vitest';
import { openChorus } from '../../agent/rehearsal/chorus.ts';

const line = (msg: string, fields: object = {}): string =>
  JSON.stringify({ level: 30, time: '2026-01-01T00:00:00Z', ...fields, msg });
const started = line('agent started', { environment: 'rehearsal' });
const seen = (revision: string): string => line('revision seen', { revision, subject: 'x' });

type Said = readonly (readonly [host: string, line: string])[];

function shown(said: Said, running: readonly string[], fresh: readonly string[]) {
  const chorus = openChorus(running, fresh);
  return said.flatMap(([host, one]) => chorus(host, one)?.text ?? []);
}

describe('several agents', () => {
  const all = ['m1', 'm2', 'm3'];
  const tables: readonly (readonly [string, Said, readonly string[]])[] = [
    [
      'begin together: shown once',
      all.map((host) => [host, started]),
      ['agent started, environment rehearsal'],
    ],
    [
      'one that was killed begins again: shown, and whose',
      [...all.map((host) => [host, started] as const), ['m2', started]],
      ['agent started, environment rehearsal', 'm2: agent started, environment rehearsal'],
    ],
    [
      'see a revision: shown when the first sees it',
      [
        ['m2', seen('a')],
        ['m1', seen('a')],
        ['m1', seen('b')],
        ['m3', seen('a')],
        ['m2', seen('b')],
        ['m3', seen('b')],
      ],
      ['revision a "x"', 'revision b "x"'],
    ],
    [
      'see one that comes back after another: shown again, once',
      [
        ['m1', seen('a')],
        ['m2', seen('a')],
        ['m1', seen('b')],
        ['m1', seen('a')],
        ['m2', seen('b')],
        ['m2', seen('a')],
      ],
      ['revision a "x"', 'revision b "x"', 'revision a "x"'],
    ],
    [
      'one that begins again sees what was seen: not shown',
      [
        ['m1', seen('a')],
        ['m2', seen('a')],
        ['m2', line('agent started', { environment: 'e' })],
        ['m2', seen('a')],
      ],
      ['revision a "x"', 'agent started, environment e'],
    ],
    [
      'find a revision invalid: shown once',
      all.map((host) => [host, line('revision invalid', { revision: 'a', text: 'no' })]),
      ['revision a is invalid, nothing is applied\nno'],
    ],
    [
      'act: without a name, whoever acts',
      [
        ['m1', line('unit healthy', { id: 'stack/a', ms: 100 })],
        ['m2', line('revision healthy', { revision: 'a', ms: 100 })],
        ['m2', line('revision healthy', { revision: 'a', ms: 100 })],
      ],
      [
        'stack/a: healthy after 0.1 s',
        'revision a is healthy, 0.1 s after it was seen',
        'revision a is healthy, 0.1 s after it was seen',
      ],
    ],
    [
      'lead, follow, wait, end, crash: each with its name',
      [
        ['m1', line('lease acquired', { term: 1 })],
        ['m2', line('following', { leader: 'm1', term: 1 })],
        ['m3', line('following', { leader: 'm1', term: 1 })],
        ['m3', line('waiting', { of: 'swarm', why: 'no leader' })],
        ['m1', line('agent stopped', { why: 'asked to stop' })],
        ['m2', 'Error: boom'],
        ['m2', line('of another kind', { count: 1 })],
      ],
      [
        'm1: leads now (term 1)',
        'm2: follows m1 (term 1)',
        'm3: follows m1 (term 1)',
        'm3: waiting for the Swarm: no leader',
        'm1: agent stopped: asked to stop',
        'm2: Error: boom',
        'm2: of another kind count=1',
      ],
    ],
  ];
  it.each(tables)('%s', (_, said, texts) => expect(shown(said, [], all)).toEqual(texts));

  it('name the one that was missing beside those that run', () => {
    const said: Said = [
      ['m3', started],
      ['m3', seen('a')],
    ];
    expect(shown(said, ['m1', 'm2'], ['m3'])).toEqual([
      'm3: agent started, environment rehearsal',
      'revision a "x"',
    ]);
  });
});

it('names nobody where there is one agent only', () => {
  const said: Said = [
    ['m1', started],
    ['m1', line('waiting', { of: 'swarm', why: 'no leader' })],
  ];
  expect(shown(said, [], ['m1'])).toEqual([
    'agent started, environment rehearsal',
    'waiting for the Swarm: no leader',
  ]);
});
